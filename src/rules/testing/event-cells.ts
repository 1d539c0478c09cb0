import type { Cell, Micros, Op } from '../../events/row.ts';
import { formatIso } from '../cel/time.ts';
import type { Plan, TablePlan } from '../plan.ts';
import { cellOf, type Given } from './given.ts';
import type { SimulatedEvent } from './simulate.ts';

export interface GivenEvent {
  readonly op: Op;
  /** Columns by name. What the rules do not use is passed over, as PostgreSQL would not send it. */
  readonly columns: ReadonlyMap<string, Given>;
  readonly old: ReadonlyMap<string, Given> | null;
  /** The commit time; also the value of the `time` column where none is given. */
  readonly at: Micros;
}

/** The row that PostgreSQL would send; null: its operation is not captured. Throws GivenError. */
export function eventOf(plan: Plan, table: number, given: GivenEvent): SimulatedEvent | null {
  const { op, columns, old, at } = given;
  const tablePlan = plan.tables[table];
  if (tablePlan === undefined) throw new Error(`the plan has no table ${table}`);
  if (!tablePlan.ops.includes(op)) return null;
  if (op === 'truncate') return { table, op, cells: [], old: null, commitAt: at };
  // A delete is its old row.
  const cells = cellsOf(tablePlan, op === 'delete' ? new Map([...(old ?? []), ...columns]) : columns, at);
  const before = op === 'delete' ? cells : old === null ? null : cellsOf(tablePlan, old, null);
  return { table, op, cells, old: op === 'insert' ? null : before, commitAt: at };
}

function cellsOf(table: TablePlan, columns: ReadonlyMap<string, Given>, at: Micros | null): Cell[] {
  return table.columns.map((column, index) => {
    if (index === table.time && at !== null && !columns.has(column.name)) return formatIso(at);
    return cellOf(column, columns.get(column.name));
  });
}
