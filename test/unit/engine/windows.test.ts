import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LetPlan, type Plan, WINDOW_FUNCTIONS } from '../../../src/rules/plan.ts';
import { valueToJson } from '../../../src/rules/value-format.ts';
import { foundText, oracle, thousandths } from './support/oracle.ts';
import { PlanBuilder, type WindowSpec } from './support/plan-builder.ts';
import { type Arrival, foldAll, rowsOf } from './support/stream.ts';

const COLUMNS = { id: 'int8', user_id: 'int4', device: 'text', amount: 'numeric', name: 'text' };
const OVER = 10;
const LATENESS = 4;

/** Every function, over a number and over a text where it can be, with and without the row itself. */
function windows(): Record<string, WindowSpec> {
  const specs: Record<string, WindowSpec> = {};
  for (const fn of WINDOW_FUNCTIONS) {
    const columns =
      fn === 'count' ? [undefined] : fn === 'sum' || fn === 'avg' ? ['amount'] : ['amount', 'name'];
    for (const of of columns) {
      for (const current of [true, false]) {
        const value = of === undefined ? {} : { of };
        specs[`${fn} ${of} ${current}`] = { fn, ...value, by: ['user_id'], over: OVER, current };
        specs[`${fn} ${of} ${current} short`] = { fn, ...value, by: ['user_id'], over: 3, current };
      }
    }
  }
  specs['two columns'] = { fn: 'sum', of: 'amount', by: ['user_id', 'device'], over: OVER };
  specs['of a view'] = { fn: 'previous', of: 'amount', event: 'named', by: ['user_id'], over: OVER };
  const condition = { id: 'x', condition: isX };
  specs['filtered'] = { fn: 'count', by: ['user_id'], over: OVER, when: condition };
  return specs;
}

function isX({ row }: { row: { cells: readonly unknown[] } }): boolean | null {
  return row.cells[2] === null ? null : row.cells[2] === 'x';
}

function planOf(): Plan {
  return new PlanBuilder()
    .table('transaction', {
      columns: COLUMNS,
      lateness: LATENESS,
      views: { named: ({ row }) => (row.cells[4] === null ? null : row.cells[4] !== '') },
    })
    .rule({ id: 'all', event: 'transaction', key: ['user_id'], lets: windows() })
    .build();
}

const amounts = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('0', '1', '1.0', '1.00', '-1', '0.1', '0.2', '12.50', '-0.001', '99'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('9007199254740993', '-9007199254740991.125', '123456789012345678901.5'),
  },
  { weight: 1, arbitrary: fc.constantFrom('NaN', 'Infinity', '-Infinity') },
  { weight: 1, arbitrary: fc.constant(null) },
);
const names = fc.constantFrom('', 'a', 'b', '\uffff', '\u{1f600}', null);

/** Time mostly moves on by little; some rows are earlier than those before, and some late. */
const steps = fc.record({
  forward: fc.constantFrom(0, 0, 0, 1, 1, 2, 7),
  back: fc.constantFrom(0, 0, 0, 1, 3, LATENESS, LATENESS + 1, 12),
  user: fc.constantFrom('1', '1', '1', '2', null),
  device: fc.constantFrom('x', 'y', null),
  amount: amounts,
  name: names,
});

const streams = fc.array(steps, { maxLength: 60, size: 'max' }).map((all) => {
  let now = 1000;
  return all.map((step, i): Arrival => {
    now += step.forward;
    return { cells: [String(i), step.user, step.device, step.amount, step.name], at: now - step.back };
  });
});

const plan = planOf();
const lets = plan.rules[0]?.lets ?? [];

describe.each([
  ['read through', { followFrom: Infinity }],
  ['followed by aggregates', { followFrom: 0 }],
  ['either, by their size', { followFrom: 4 }],
])('windows that are %s', (_, options) => {
  it('are what their definition says for every row', () => {
    fc.assert(
      fc.property(streams, (arrivals) => {
        const rows = rowsOf(plan, arrivals);
        const { hits, deadLetters } = foldAll(plan, rows, options);
        expect(deadLetters).toEqual([]);
        rows.forEach((row, i) => {
          const found = Object.entries(hits[i]?.let ?? {});
          const expected = lets.map((item) => [item.name, expectedOf(item, rows, i)]);
          expect({ row: row.cells[0], at: row.at, lets: found }).toEqual({
            row: row.cells[0],
            at: row.at,
            lets: expected,
          });
        });
      }),
      { numRuns: 100 },
    );
  });
});

/** As it is told: what a double does not hold, as PostgreSQL wrote it. */
function expectedOf(item: LetPlan, rows: Parameters<typeof oracle>[2], index: number): unknown {
  if (item.kind !== 'window') return undefined;
  const value = oracle(plan, item.window, rows, index);
  if (typeof value !== 'number' || !Number.isFinite(value)) return valueToJson(value, item.type);
  const text = foundText(plan, item.window, rows, index);
  return text === null || thousandths(text) === thousandths(String(value)) ? value : text;
}
