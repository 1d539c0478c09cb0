import type { PatternPlan } from '../../../src/rules/pattern-plan.ts';
import type { Finished, Found } from './finished.ts';

/**
 * Which of all matches come out, in order.
 *
 * A match that comes out drops the finished and partial matches whose first event is before a bound: they are the
 * ones that overlap with it. Of those that are dropped nothing ever comes.
 *
 * `in_order`: by first event, each match waits until no partial match with an earlier first event is alive. So what
 * comes out does not depend on when: it is a walk in the order of first events, up to the first one that waits.
 * `at_once`: a walk in the order of completion.
 */
export function afterMatch(plan: PatternPlan, { finished, waiting }: Found): readonly Finished[] {
  const out: Finished[] = [];
  let queue = [...finished].sort(plan.emit === 'in_order' ? byFirstEvent : byCompletion);
  let alive = [...waiting];
  for (let match = queue[0]; match !== undefined; match = queue[0]) {
    const first = firstOf(match);
    if (plan.emit === 'in_order' && alive.some((partial) => partial < first)) break;
    out.push(match);
    const bound = boundOf(plan, match);
    queue = queue.slice(1).filter((other) => firstOf(other) >= bound);
    alive = alive.filter((partial) => partial >= bound);
  }
  return out;
}

/** Matches whose first event is before this one are dropped. */
function boundOf({ afterMatch }: PatternPlan, match: Finished): number {
  switch (afterMatch.kind) {
    case 'no_skip':
      return 0;
    case 'skip_to_next':
      return firstOf(match) + 1;
    case 'skip_past_last':
      return (match.takes.at(-1)?.row ?? 0) + 1;
    case 'skip_to_first':
      return match.takes.find(({ step }) => step === afterMatch.step)?.row ?? 0;
    case 'skip_to_last':
      return match.takes.findLast(({ step }) => step === afterMatch.step)?.row ?? 0;
  }
}

function byFirstEvent(a: Finished, b: Finished): number {
  return firstOf(a) - firstOf(b) || byCompletion(a, b);
}

/** By time (of an absence at the end its deadline, whenever time was told), then by event (time passes before events of the same time), then by first event, then take by take. */
function byCompletion(a: Finished, b: Finished): number {
  return a.at - b.at || (a.by ?? -1) - (b.by ?? -1) || firstOf(a) - firstOf(b) || byTakes(a, b);
}

/** The earlier event, then the earlier step, comes first. */
function byTakes(a: Finished, b: Finished): number {
  for (const [index, take] of a.takes.entries()) {
    const other = b.takes[index];
    if (other === undefined) return 1;
    if (take.row !== other.row) return take.row - other.row;
    if (take.step !== other.step) return take.step - other.step;
  }
  return -1;
}

function firstOf({ takes }: Finished): number {
  return takes[0]?.row ?? 0;
}
