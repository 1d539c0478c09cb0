import type { Micros } from '../../../src/events/row.ts';
import type { PatternLetPlan } from '../../../src/rules/pattern-plan.ts';
import type { Value } from '../../../src/rules/plan-parts.ts';
import { type Choice, follows, isAbsent, timeOf, tookAll } from './follows.ts';
import { holds, type Scene } from './scene.ts';
import { type Absence, type Link, type Take, type Unfolded, unfold } from './unfold.ts';
import { viewOf } from './view.ts';

/** A match, and when it was known to be one. */
export interface Finished {
  readonly takes: readonly Take[];
  /** The time of the event that completed it, or the end of an absence. */
  readonly at: Micros;
  /** That event; null: time passed. Time passes before an event of the same time is offered. */
  readonly by: number | null;
}

export interface Found {
  readonly finished: readonly Finished[];
  /** First events of partial matches that still wait for something. */
  readonly waiting: ReadonlySet<number>;
}

/** Every match, whatever `after_match` says. */
export function findAll(scene: Scene): Found {
  const finished = new Map<string, Finished>();
  const waiting = new Set<number>();
  const choose = function* (takes: readonly Take[], link: Link): Generator<readonly Take[]> {
    const next = (takes.at(-1)?.row ?? -1) + 1;
    for (let row = next; row < scene.events.length; row++) {
      if (follows(scene, link, { takes, row })) yield [...takes, { step: link.step, row }];
    }
    const first = takes[0];
    if (first !== undefined && follows(scene, link, { takes, row: scene.events.length }))
      waiting.add(first.row);
  };
  for (const unfolded of unfold(scene.plan, choose)) {
    const { takes } = unfolded;
    const end = endOf(scene, unfolded);
    // Two ways through a pattern may be the same takes: `(a+)+`.
    if (end.kind === 'finished') finished.set(JSON.stringify(takes), end.match);
    else if (end.kind === 'waiting') waiting.add(takes[0]?.row ?? 0);
  }
  return { finished: [...finished.values()].filter(({ takes }) => isWanted(scene, takes)), waiting };
}

type End = { readonly kind: 'finished'; readonly match: Finished } | { readonly kind: 'waiting' | 'broken' };

/**
 * What the absences at the end of a pattern make of a match whose steps are all taken. A strict one is met by an event
 * that is not it, before the deadline; time alone is not enough. No case decides that, nor
 * that a greedy loop before the absence binds until the absence is over: both are chosen as Flink is believed to do.
 */
function endOf(scene: Scene, { takes, absences, greedy }: Unfolded): End {
  const by = takes.at(-1)?.row ?? 0;
  if (absences.length === 0) return { kind: 'finished', match: { takes, at: timeOf(scene, by), by } };
  const deadline = Math.min(...absences.map((absence) => deadlineOf(scene, absence, takes)));
  const later = scene.events.flatMap(({ row: { at } }, row) => (row > by && at < deadline ? [row] : []));
  const strict = absences.every(({ contiguity }) => contiguity === 'strict');
  const watched = strict ? later.slice(0, 1) : later;
  const choice: Choice = { takes, row: watched.at(-1) ?? by };
  const kept =
    absences.every((absence) => isAbsent(scene, absence, choice)) &&
    greedy.every((loop) => tookAll(scene, loop, choice));
  if (!kept) return { kind: 'broken' };
  const next = watched[0];
  if (strict && next !== undefined)
    return { kind: 'finished', match: { takes, at: timeOf(scene, next), by: next } };
  if (deadline > scene.now) return { kind: 'waiting' };
  return strict ? { kind: 'broken' } : { kind: 'finished', match: { takes, at: deadline, by: null } };
}

/** First + within, or last take + the absence's own within: what comes first. (No case has both.) */
function deadlineOf(scene: Scene, { step }: Absence, takes: readonly Take[]): Micros {
  const [first, last] = [takes[0], takes.at(-1)];
  if (first === undefined || last === undefined) throw new Error('a match is never empty');
  const own = scene.plan.steps[step]?.within ?? Number.POSITIVE_INFINITY;
  const whole = scene.plan.within ?? Number.POSITIVE_INFINITY;
  return Math.min(timeOf(scene, first.row) + whole, timeOf(scene, last.row) + own);
}

/** The pattern's `when`, over the whole match and its `let` values, as of the last event taken. */
function isWanted(scene: Scene, takes: readonly Take[]): boolean {
  const { plan, events } = scene;
  const row = events[takes.at(-1)?.row ?? 0]?.row;
  if (row === undefined) throw new Error('a match is never empty');
  const match = viewOf(scene, takes);
  const lets: Value[] = [];
  for (const value of plan.lets) {
    lets.push(
      value.kind === 'cel' ? value.value({ row, lets, lists: [], match }) : hasChanged(scene, value, takes),
    );
  }
  return holds(plan.when, { row, lets, lists: [], match });
}

/** Known values that differ. */
function hasChanged(
  { events }: Scene,
  { columns }: Extract<PatternLetPlan, { kind: 'changed' }>,
  takes: readonly Take[],
): boolean {
  const cells = takes.map(({ step, row }) => events[row]?.row.cells[columns[step] ?? -1]);
  return new Set(cells.filter((cell) => typeof cell === 'string')).size > 1;
}
