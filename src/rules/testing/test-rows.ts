import type { Micros } from '../../events/row.ts';
import { ROW_KEYS } from '../check-tests.ts';
import { parseDuration } from '../duration.ts';
import { parseInstant } from '../instant.ts';
import type { Plan } from '../plan.ts';
import type { TestSpec } from '../schema.ts';
import type { Spot } from '../yaml-document.ts';
import { eventOf } from './event-cells.ts';
import { type Given, NumberText } from './given.ts';
import type { SimulatedEvent } from './simulate.ts';

/** Where the fake clock of a test begins. */
export const TEST_START: Micros = Date.UTC(2026, 0, 1) * 1000;

/** An offset from the test's beginning, or a timestamp. */
export function instantOf(value: string | number): Micros {
  const offset = parseDuration(String(value));
  return offset === null ? (parseInstant(String(value)) ?? TEST_START) : TEST_START + offset;
}

interface RowsOf {
  readonly plan: Plan;
  /** The table's event of an event or view. */
  readonly tableOf: (event: string) => number;
  readonly spec: TestSpec;
  readonly spot: Spot;
  /** Of rows that do not say theirs. */
  readonly event: string;
}

/** The rows of a test, each `repeat` a row of its own. A row without `at` comes at the time of the row before. */
export function* testRows({ plan, tableOf, spec, spot, event }: RowsOf): Generator<SimulatedEvent | null> {
  let at = TEST_START;
  for (const [index, row] of spec.events.entries()) {
    const rowSpot = spot.in('events', index);
    if (row.at !== undefined) at = instantOf(row.at);
    const every = row.every === undefined ? 0 : (parseDuration(row.every) ?? 0);
    const table = tableOf(row.event ?? event);
    const columns = givenColumns(row, rowSpot);
    const old = row.old === undefined ? null : givenColumns(row.old, rowSpot.in('old'));
    for (let repeated = 0; repeated < (row.repeat ?? 1); repeated += 1) {
      if (repeated > 0) at += every;
      yield eventOf(plan, table, { op: row.op ?? 'insert', columns, old, at });
    }
  }
}

function givenColumns(row: Readonly<Record<string, unknown>>, spot: Spot): ReadonlyMap<string, Given> {
  const columns = Object.entries(row).filter(([name]) => !ROW_KEYS.includes(name) && !name.startsWith('x-'));
  return new Map(columns.map(([name, value]) => [name, given(value, spot.in(name))]));
}

function given(value: unknown, spot: Spot): Given {
  if (typeof value === 'number') return new NumberText(spot.written ?? String(value));
  if (Array.isArray(value)) return value.map((item, index) => given(item, spot.in(index)));
  if (typeof value !== 'object' || value === null) return value as Given;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, given(item, spot.in(key))]));
}
