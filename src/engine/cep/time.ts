import type { Micros } from '../../events/row.ts';
import type { Definition } from './definition.ts';
import { emitInOrder, finish } from './finish.ts';
import type { Lane } from './lane.ts';
import { compareRows, type Partial, tookBy } from './partial.ts';
import type { Sink } from './sink.ts';

/** Time moves to `time`: what had to happen before it does not happen any more. Deadline by deadline. */
export function moveTo(
  definition: Definition,
  lane: Lane,
  { time, sink }: { time: Micros; sink: Sink },
): void {
  for (;;) {
    const deadline = lane.nextDeadline(definition);
    // No limit is no deadline, even at the end of time.
    if (deadline > time || deadline === Number.POSITIVE_INFINITY) return;
    const completed: Partial[] = [];
    const late: Partial[] = [];
    endWays(lane, { deadline, completed, late });
    endWhole(definition, lane, { deadline, completed, late });
    lane.dropEmptyGroups();
    if (definition.plan.onTimeout !== null) {
      late.sort((a, b) => compareRows(a.root, b.root) || a.id - b.id);
      for (const partial of late) {
        definition.match.partial = partial;
        sink.timeout({ takes: tookBy(partial), at: deadline });
      }
    }
    if (completed.length > 0) finish(definition, lane, { partials: completed, at: deadline, sink });
    if (lane.finished !== null) emitInOrder(definition, lane, sink);
  }
}

interface Ended {
  readonly deadline: Micros;
  readonly completed: Partial[];
  readonly late: Partial[];
}

/** Steps' own limits: counted from the last take. */
function endWays(lane: Lane, { deadline, completed, late }: Ended): void {
  for (let group = lane.groups; group !== null; group = group.next) {
    const { stage } = group;
    for (let partial = group.first; partial !== null; ) {
      if (partial.row.at + stage.soonest > deadline) break;
      const { groupAfter } = partial;
      const { next, completes } = stage.expiry();
      lane.move(partial, next);
      if (completes) completed.push(partial);
      else if (next === null) late.push(partial);
      partial = groupAfter;
    }
  }
}

/** The whole match's limit: counted from the first take. */
function endWhole({ within }: Definition, lane: Lane, { deadline, completed, late }: Ended): void {
  while (lane.first !== null && lane.first.root.row.at + within <= deadline) {
    const partial = lane.first;
    if (partial.stage?.waits === true) completed.push(partial);
    else late.push(partial);
    lane.move(partial, null);
  }
}
