import type { Micros } from '../../events/row.ts';
import type { Definition } from './definition.ts';
import { judge } from './judge-match.ts';
import type { Finished, Lane } from './lane.ts';
import { compareRows, lastOf, type Partial, takesOf, tookBy } from './partial.ts';
import type { Sink } from './sink.ts';

/** Matches that one row, or one move of time, has completed; they come out, or wait for older partial matches. */
export interface Completed {
  readonly partials: readonly Partial[];
  readonly at: Micros;
}

export function finish(
  definition: Definition,
  lane: Lane,
  { partials, at, sink }: Completed & { sink: Sink },
): void {
  const matches: Finished[] = [];
  for (const last of partials) {
    const lets = judge(definition, last, sink);
    if (lets !== null) matches.push({ last, lets, at, moment: lane.nextMoment });
  }
  if (matches.length === 0) return;
  if (definition.plan.emit === 'in_order') wait(lane, matches);
  else emitAtOnce(definition, lane, { matches, sink });
}

function emitAtOnce(
  definition: Definition,
  lane: Lane,
  { matches, sink }: { matches: Finished[]; sink: Sink },
): void {
  let left = matches.length > 1 ? matches.sort(compareFinished) : matches;
  for (let next = left[0]; next !== undefined; next = left[0]) {
    emit(definition, next, sink);
    const bound = boundOf(definition, next.last);
    left = left.slice(1);
    if (bound === null) continue;
    left = left.filter(({ last }) => !isDropped(last, bound));
    dropPartials(lane, bound);
  }
}

function wait(lane: Lane, matches: readonly Finished[]): void {
  lane.finished ??= [];
  lane.finished.push(...matches);
  lane.nextMoment += 1;
  lane.finished.sort(compareFinished);
  lane.dirty = true;
}

/** The finished matches before which no older partial match is alive, each with what it drops. */
export function emitInOrder(definition: Definition, lane: Lane, sink: Sink): void {
  const { finished } = lane;
  if (finished === null) return;
  for (let next = finished[0]; next !== undefined; next = finished[0]) {
    if (lane.first !== null && compareRows(lane.first.root, next.last.root) < 0) return;
    finished.shift();
    forget(lane, next);
    emit(definition, next, sink);
    const bound = boundOf(definition, next.last);
    if (bound === null) continue;
    dropPartials(lane, bound);
    dropFinished(lane, bound);
  }
}

function emit({ match }: Definition, { last, lets, at }: Finished, sink: Sink): void {
  match.partial = last;
  sink.match({ takes: tookBy(last), lets, at });
}

/** What begins before that event, or with it if `inclusive`, is dropped after the match. */
interface Bound {
  readonly event: Partial;
  readonly inclusive: boolean;
}

function boundOf({ plan, automaton }: Definition, last: Partial): Bound | null {
  const { afterMatch } = plan;
  switch (afterMatch.kind) {
    case 'no_skip':
      return null;
    case 'skip_to_next':
      return { event: last.root, inclusive: true };
    case 'skip_past_last':
      return { event: last, inclusive: true };
    default: {
      const take = lastOf(last, afterMatch.step, automaton.comesAgain);
      if (take === null) return null;
      return { event: afterMatch.kind === 'skip_to_first' ? take.head : take, inclusive: false };
    }
  }
}

function isDropped(match: Partial, { event, inclusive }: Bound): boolean {
  const order = compareRows(match.root, event);
  return order < 0 || (inclusive && order === 0);
}

function dropPartials(lane: Lane, bound: Bound): void {
  while (lane.first !== null && isDropped(lane.first, bound)) lane.move(lane.first, null);
}

function dropFinished(lane: Lane, bound: Bound): void {
  const { finished } = lane;
  while (finished?.[0] !== undefined && isDropped(finished[0].last, bound)) {
    forget(lane, finished.shift() as Finished);
  }
}

function forget(lane: Lane, match: Finished): void {
  lane.dirty = true;
  if (match.moment < lane.savedMoment) lane.journaled.gone.push(match.last.id);
}

/** Those with the earlier first event, then those that were complete earlier, come first; then take by take. */
export function compareFinished(a: Finished, b: Finished): number {
  return compareRows(a.last.root, b.last.root) || a.moment - b.moment || compareTakes(a.last, b.last);
}

function compareTakes(a: Partial, b: Partial): number {
  const left = takesOf(a);
  const right = takesOf(b);
  for (let i = 0; i < left.length && i < right.length; i++) {
    const x = left[i] as Partial;
    const y = right[i] as Partial;
    if (x !== y) return compareRows(x, y) || x.step - y.step;
  }
  return left.length - right.length;
}
