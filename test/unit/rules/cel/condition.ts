import type { Cell, Micros } from '../../../../src/events/row.ts';
import { compileCel } from '../../../../src/rules/cel/compile.ts';
import type { CelOk, CelProblem } from '../../../../src/rules/cel/result.ts';
import { type Scope, scopeOf } from '../../../../src/rules/cel/scope.ts';
import type { ColumnPlan } from '../../../../src/rules/plan.ts';
import type { Frame, Value, ValueType } from '../../../../src/rules/plan-parts.ts';
import { valueTypeOf } from '../../../../src/rules/value-type.ts';

/** A table of every kind of column, and a row of it. */
export const COLUMNS: Readonly<Record<string, string>> = {
  id: 'int8',
  user_id: 'int4',
  friend_id: 'int8',
  amount: 'numeric',
  price: 'money',
  type: 'text',
  country: 'bpchar',
  flag: 'bool',
  created_at: 'timestamptz',
  born: 'date',
  session: 'interval',
  tags: 'text[]',
  friend_ids: 'int8[]',
  ip: 'inet',
  details: 'jsonb',
  package: 'text',
  'Odd name': 'text',
  at: 'timestamptz',
};

export const ROW: Readonly<Record<string, Cell>> = {
  id: '9007199254740993',
  user_id: '42',
  friend_id: '9007199254740992',
  amount: '12000.50',
  price: '-$1,234.56',
  type: 'transfer',
  country: 'DE  ',
  flag: 't',
  created_at: '2026-03-29 00:30:00.123456+00',
  born: '1999-12-31',
  session: '1 day 02:00:00',
  tags: '{new,"a b",NULL}',
  friend_ids: '{1,9007199254740993}',
  ip: '10.1.2.3',
  details: '{"a": 1}',
  package: 'gold',
  'Odd name': 'odd',
  at: '2020-01-01 00:00:00+00',
};

export const AT: Micros = Date.UTC(2026, 2, 29, 0, 30) * 1000;

export const LISTS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['trusted_users', new Set(['42', '9007199254740993'])],
  ['countries', new Set(['DE', 'FR'])],
  ['amounts', new Set(['12000.5'])],
]);

const LETS = [
  { name: 'tx_count', type: 'double' },
  { name: 'last_country', type: 'string' },
] as const satisfies readonly { name: string; type: ValueType }[];

export function columns(): ColumnPlan[] {
  return Object.entries(COLUMNS).map(([name, pgType]) => ({ name, pgType, type: valueTypeOf(pgType) }));
}

export function scope(options: { readonly old?: boolean } = {}): Scope {
  return scopeOf({ columns: columns(), old: options.old ?? true, lets: LETS, lists: LISTS });
}

export interface RowParts {
  readonly row?: Readonly<Record<string, Cell>>;
  readonly old?: Readonly<Record<string, Cell>> | null;
  readonly lets?: readonly Value[];
}

export function frame({ row = {}, old = null, lets = [11, 'FR'] }: RowParts = {}): Frame {
  const cellsOf = (values: Readonly<Record<string, Cell>>) =>
    Object.keys(COLUMNS).map((name) => values[name] ?? null);
  const times = { at: AT, commitAt: AT, watermark: 0, late: false };
  const place = { table: 0, op: 'update', position: '', roles: 1 } as const;
  return {
    row: { ...place, ...times, cells: cellsOf({ ...ROW, ...row }), old: old === null ? null : cellsOf(old) },
    lets,
    lists: [...LISTS.values()],
  };
}

export function compile(source: string, expected: ValueType | 'any' = 'any'): CelOk {
  const result = compileCel(source, scope(), expected);
  if (result.kind === 'ok') return result;
  throw new Error(`${source}: ${result.problems.map(({ message }) => message).join('; ')}`);
}

export function evaluate(source: string, parts: RowParts = {}): Value {
  return compile(source).run(frame(parts));
}

/** The mistakes of a condition; it must have some. */
export function problemsOf(source: string, expected: ValueType | 'any' = 'bool'): readonly CelProblem[] {
  const result = compileCel(source, scope({ old: false }), expected);
  if (result.kind === 'ok') throw new Error(`${source} has no mistake`);
  return result.problems;
}
