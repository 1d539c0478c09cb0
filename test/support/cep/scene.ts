import { keyText } from '../../../src/events/keys.ts';
import type { Micros, Row } from '../../../src/events/row.ts';
import type { GroupUntil, PatternPlan } from '../../../src/rules/pattern-plan.ts';
import type { TablePlan } from '../../../src/rules/plan.ts';
import type { Condition, Frame } from '../../../src/rules/plan-parts.ts';
import type { Take } from './unfold.ts';
import { viewOf } from './view.ts';

/** A row as a key's lane sees it. */
export interface LaneEvent {
  readonly row: Row;
  /** Its place in what the oracle was given. */
  readonly index: number;
  /** The steps that may take it, as far as keys go. */
  readonly steps: ReadonlySet<number>;
}

/** The events of one key of a pattern, and how far time has come. */
export interface Scene {
  readonly plan: PatternPlan;
  readonly tables: readonly TablePlan[];
  /** The pattern's input: rows of the key that bear one of its event names, in the order of time, then of arrival. */
  readonly events: readonly LaneEvent[];
  /** Time as far as it has come: that of the last row of any key, or infinity after a flush. */
  readonly now: Micros;
}

export interface Given {
  readonly plan: PatternPlan;
  readonly tables: readonly TablePlan[];
  /** In the order in which they arrived. */
  readonly rows: readonly Row[];
  readonly now: Micros;
}

/** One scene a key. Late rows are in none, nor are rows whose key is NULL. */
export function scenesOf({ plan, tables, rows, now }: Given): readonly Scene[] {
  const lanes = new Map<string, LaneEvent[]>();
  const arrived = rows.map((row, index) => ({ row, index })).filter(({ row }) => !row.late);
  for (const { row, index } of arrived.toSorted((a, b) => a.row.at - b.row.at)) {
    for (const [key, steps] of entries(plan, tables, row)) {
      const lane = lanes.get(key) ?? [];
      lanes.set(key, lane);
      lane.push({ row, index, steps });
    }
  }
  return [...lanes.values()].map((events) => ({ plan, tables, events, now }));
}

/** The keys under which a row enters, each with the steps that may take it there. */
function entries(plan: PatternPlan, tables: readonly TablePlan[], row: Row): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  for (const input of plan.inputs) {
    if (input.table !== row.table || !input.events.some((event) => bears(tables, row, event))) continue;
    const key = plan.by === null ? '' : keyText(row.cells, input.by);
    if (key !== null) found.set(key, new Set([...(found.get(key) ?? []), ...input.steps]));
  }
  return found;
}

function bears(tables: readonly TablePlan[], row: Row, eventIndex: number): boolean {
  const event = tables[row.table]?.events[eventIndex];
  return event !== undefined && holds(event.when, { row, lets: [], lists: [] });
}

/** Unknown is not true. */
export function holds(condition: Condition | null, frame: Frame): boolean {
  return condition === null || condition(frame) === true;
}

/** Whether an event bears the step's event and meets all its conditions, after these takes. */
export function satisfies(scene: Scene, { step, row }: Take, takes: readonly Take[]): boolean {
  const wanted = scene.plan.steps[step];
  const event = scene.events[row];
  if (wanted === undefined || event === undefined || !event.steps.has(step)) return false;
  if (wanted.table !== event.row.table || !bears(scene.tables, event.row, wanted.eventIndex)) return false;
  const frame = { row: event.row, lets: [], lists: [], match: viewOf(scene, takes) };
  return holds(wanted.rowWhen, frame) && holds(wanted.matchWhen, frame);
}

/** Whether an event ends the step's loop, after these takes. */
export function ends(scene: Scene, { step, row }: Take, takes: readonly Take[]): boolean {
  const until = scene.plan.steps[step]?.until ?? null;
  const event = scene.events[row];
  if (until === null || event === undefined) return false;
  return holds(until, { row: event.row, lets: [], lists: [], match: viewOf(scene, takes) });
}

export function endsGroup(
  scene: Scene,
  { until, event }: { readonly until: GroupUntil; readonly event: number },
  takes: readonly Take[],
): boolean {
  const row = scene.events[event]?.row;
  return (
    row?.table === until.table && holds(until.when, { row, lets: [], lists: [], match: viewOf(scene, takes) })
  );
}
