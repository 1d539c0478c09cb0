import { type Cell, NO_ROW, type Row } from '../../../src/events/row.ts';
import type { PatternPlan } from '../../../src/rules/pattern-plan.ts';
import type { Plan } from '../../../src/rules/plan.ts';
import type { Frame, MatchView, Value } from '../../../src/rules/plan-parts.ts';
import { planOf } from './fixtures.ts';

/** Two tables, views of one, scoring and a list. */
export const PATTERN_EVENTS = `version: 1
events:
  transaction:
    table: public.transactions
    columns: { id: int8, user_id: int8, receiver_id: int8, amount: numeric, country: text, type: text }
  behavior:
    table: public.user_behavior
    columns: { id: int8, uid: int8, kind: text, country: text }
  transfer: { from: transaction, when: type == "transfer" }
  large: { from: transfer, when: amount > 1000 }
  login: { from: behavior, when: kind == "login" }
  logout: { from: behavior, when: kind == "logout" }
lists:
  trusted: { values: ["42"] }
scoring:
  transaction: { bands: { flag: 50, block: 100 } }
`;

const TRUSTED = new Set(['42']);

export function patternPlan(lines: string): { readonly plan: Plan; readonly pattern: PatternPlan } {
  const plan = planOf(`${PATTERN_EVENTS}patterns:\n  - id: p\n${lines}`);
  const [pattern] = plan.patterns;
  if (pattern === undefined) throw new Error('there is no pattern');
  return { plan, pattern };
}

/** Cells by name, and `at` in microseconds. */
export type Taken = Readonly<Record<string, string | number | null>>;

/** A row of a table, by the names of its columns. */
export function rowOf(plan: Plan, table: number, taken: Taken, order = 0): Row {
  const at = Number(taken['at'] ?? 0);
  return {
    table,
    op: 'insert',
    cells: (plan.tables[table]?.columns ?? []).map(({ name }) => cellOf(taken[name])),
    old: null,
    position: `0000000000000001.${String(order).padStart(12, '0')}`,
    at,
    commitAt: at,
    watermark: 0,
    late: false,
    roles: 1,
  };
}

function cellOf(value: string | number | null | undefined): Cell {
  return value === undefined || value === null ? null : String(value);
}

/** A match of these rows, in the order of the steps' names; aggregates are summed up anew. */
export function matchOf(
  { plan, pattern }: { readonly plan: Plan; readonly pattern: PatternPlan },
  taken: Readonly<Record<string, readonly Taken[]>>,
): MatchView {
  let order = 0;
  const rows = pattern.steps.map(({ name, table }) =>
    (taken[name] ?? []).map((cells) => {
      order += 1;
      return rowOf(plan, table, cells, order);
    }),
  );
  const aggregate = (index: number): Value => {
    const wanted = pattern.aggregates[index];
    if (wanted === undefined) throw new Error(`there is no aggregate ${index}`);
    const cells = (rows[wanted.step] ?? []).map(({ cells: all }) => all[wanted.column]);
    const numbers = cells.flatMap((cell) => (typeof cell === 'string' ? [Number(cell)] : []));
    return aggregated(wanted.fn, numbers, new Set(cells.filter((cell) => typeof cell === 'string')).size);
  };
  return {
    count: (step) => rows[step]?.length ?? 0,
    first: (step) => rows[step]?.[0] ?? null,
    last: (step) => rows[step]?.at(-1) ?? null,
    aggregate,
    told: aggregate,
  };
}

function aggregated(fn: PatternPlan['aggregates'][number]['fn'], numbers: number[], distinct: number): Value {
  if (fn === 'distinct') return distinct;
  const sum = numbers.reduce((a, b) => a + b, 0);
  if (fn === 'sum') return sum;
  if (numbers.length === 0) return null;
  if (fn === 'avg') return sum / numbers.length;
  return fn === 'min' ? Math.min(...numbers) : Math.max(...numbers);
}

/** What a condition of a whole match sees. */
export function wholeFrame(match: MatchView, lets: readonly Value[] = []): Frame {
  return { row: { ...NO_ROW }, lets, lists: [TRUSTED], match };
}
