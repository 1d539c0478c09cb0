import { ends, endsGroup, type Scene, satisfies } from './scene.ts';
import type { Absence, Link, Take } from './unfold.ts';

/**
 * Whether a link may be taken by event `row` after `takes`. Each line is one rule of the language; all of them
 * look at the takes so far and at the events between the last take and this one, at nothing else.
 *
 * `row` may be one past the last event: an event yet to come, of which the best is assumed. It satisfies the
 * link's step, and nothing else. A partial match that such an event could go on with is alive (finished.ts).
 */
export function follows(scene: Scene, link: Link, { takes, row }: Choice): boolean {
  const choice = { takes, row };
  return (
    isTakeable(scene, link, choice) &&
    isInTime(scene, link, choice) &&
    isContiguous(scene, link, choice) &&
    link.absences.every((absence) => isAbsent(scene, absence, choice)) &&
    link.greedy.every((loop) => tookAll(scene, loop, choice)) &&
    link.untils.every((until) => !after(choice).some((event) => endsGroup(scene, { until, event }, takes)))
  );
}

/** A row that a match with these takes might take. */
export interface Choice {
  readonly takes: readonly Take[];
  readonly row: number;
}

/**
 * It satisfies the step, and does not end its loop. Within the loop, no event between ended it either; before its first
 * take such an event is nothing but an event (case UntilConditionITCase.testUntilConditionFollowedByAnyZeroOrMore).
 */
function isTakeable(scene: Scene, { step, inLoop }: Link, { takes, row }: Choice): boolean {
  const toCome = row === scene.events.length;
  if (!toCome && !satisfies(scene, { step, row }, takes)) return false;
  const watched = inLoop ? after({ takes, row }) : [row];
  return !watched.some((event) => ends(scene, { step, row: event }, takes));
}

/** `within` of the whole, and what the step has as `within` or `gap`: always less, never equal. */
function isInTime(scene: Scene, link: Link, { takes, row }: Choice): boolean {
  const first = takes[0];
  const last = takes.at(-1);
  if (first === undefined || last === undefined) return true;
  const at = timeOf(scene, row);
  return (
    (scene.plan.within === null || at - timeOf(scene, first.row) < scene.plan.within) &&
    (link.within === null || at - timeOf(scene, last.row) < link.within)
  );
}

/** A match starts at every event that satisfies its first take. */
function isContiguous(scene: Scene, { step, contiguity }: Link, { takes, row }: Choice): boolean {
  if (contiguity === 'any') return true;
  const between = after({ takes, row }).slice(0, -1);
  if (contiguity === 'strict') return between.length === 0;
  return !between.some((event) => satisfies(scene, { step, row: event }, takes));
}

/** Relaxed: no event after the last take satisfies it, this one included. Strict: the first of them does not. */
export function isAbsent(scene: Scene, { step, contiguity }: Absence, { takes, row }: Choice): boolean {
  const watched = contiguity === 'strict' ? after({ takes, row }).slice(0, 1) : after({ takes, row });
  return !watched.some((event) => satisfies(scene, { step, row: event }, takes));
}

/**
 * A greedy loop had no more to take, up to this event and included (case fuzz.greedy.376), or up to the event that ended
 * it (GreedyITCase.testGreedyUntilOneOrMoreWithDummyEventsAfterQuantifier).
 */
export function tookAll(scene: Scene, loop: number, { takes, row }: Choice): boolean {
  for (const event of after({ takes, row })) {
    const offered = { step: loop, row: event };
    if (ends(scene, offered, takes)) return true;
    if (satisfies(scene, offered, takes)) return false;
  }
  return true;
}

/** The events after the last take, up to this one and included; this one alone where nothing was taken yet. */
function after({ takes, row }: Choice): readonly number[] {
  const from = (takes.at(-1)?.row ?? row - 1) + 1;
  return Array.from({ length: row + 1 - from }, (_, index) => from + index);
}

export function timeOf({ events, now }: Scene, row: number): number {
  return events[row]?.row.at ?? now;
}
