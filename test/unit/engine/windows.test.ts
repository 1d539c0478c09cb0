import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outputs } from '../../../src/engine/outputs.ts';
import { PartitionState } from '../../../src/engine/partition-state.ts';
import type { Row } from '../../../src/events/row.ts';
import type { Over } from '../../../src/rules/over.ts';
import { partsOf } from '../../../src/rules/panes.ts';
import { type LetPlan, type Plan, WINDOW_FUNCTIONS, type WindowFunction } from '../../../src/rules/plan.ts';
import { valueToJson } from '../../../src/rules/value-format.ts';
import { foundText, oracle } from './support/oracle.ts';
import { PlanBuilder, type WindowSpec } from './support/plan-builder.ts';
import { type Arrival, foldAll, foldInto, joined, rowsOf, SavedBuckets } from './support/stream.ts';
import { thousandths } from './support/thousandths.ts';

const COLUMNS = {
  ...{ id: 'int8', user_id: 'int4', device: 'text', amount: 'numeric', name: 'text' },
  ...{ lat: 'float8', lon: 'float8' },
};
const LATENESS = 4;

/** Two of each kind: they share stores, which keep what both need. */
const KINDS: Readonly<Record<string, readonly Over[]>> = {
  sliding: [
    { kind: 'sliding', over: 10 },
    { kind: 'sliding', over: 3 },
  ],
  tumbling: [
    { kind: 'hopping', size: 10, every: 10 },
    { kind: 'hopping', size: 3, every: 3 },
  ],
  hopping: [
    { kind: 'hopping', size: 10, every: 2 },
    { kind: 'hopping', size: 6, every: 3 },
  ],
  'panes that roll up': [
    { kind: 'hopping', size: 8, every: 2 },
    { kind: 'hopping', size: 4, every: 2 },
    { kind: 'hopping', size: 5, every: 5 },
  ],
  session: [
    { kind: 'session', gap: 3, within: 20 },
    { kind: 'session', gap: 2, within: 6 },
  ],
  rows: [
    { kind: 'rows', rows: 4, within: 1000 },
    { kind: 'rows', rows: 2, within: 12 },
  ],
  'rows beside sliding': [
    { kind: 'rows', rows: 3, within: 30 },
    { kind: 'sliding', over: 7 },
  ],
};

/** What a function is of: a number and a text where it can be. */
function subjects(fn: WindowFunction): readonly Pick<WindowSpec, 'of' | 'percent'>[] {
  switch (fn) {
    case 'count':
      return [{}];
    case 'sum':
    case 'avg':
    case 'stddev':
      return [{ of: 'amount' }];
    case 'percentile':
      return [0, 37.5, 95, 100].map((percent) => ({ of: 'amount', percent }));
    case 'speed_kmh':
      return [{ of: ['lat', 'lon'] }];
    default:
      return [{ of: 'amount' }, { of: 'name' }];
  }
}

/** Every function, with and without the row itself. */
function windows(extents: readonly Over[], panes: boolean): Record<string, WindowSpec> {
  const specs: Record<string, WindowSpec> = {};
  for (const over of extents) {
    for (const fn of WINDOW_FUNCTIONS) {
      if (panes && partsOf(fn).length === 0) continue;
      for (const subject of subjects(fn)) {
        for (const current of [true, false]) {
          const name = [fn, subject.of, subject.percent, JSON.stringify(over), current].join(' ');
          specs[name] = { fn, ...subject, by: ['user_id'], over, current, panes };
        }
      }
    }
    const [first, by] = [JSON.stringify(over), ['user_id', 'device']];
    specs[`two columns ${first}`] = { fn: 'sum', of: 'amount', by, over };
    specs[`of a view ${first}`] = { fn: 'previous', of: 'amount', event: 'named', by: ['user_id'], over };
    specs[`new in a view ${first}`] = { fn: 'first_seen', of: 'name', event: 'named', by: ['user_id'], over };
    const condition = { id: 'x', condition: isX };
    specs[`filtered ${first}`] = { fn: 'count', by: ['user_id'], over, when: condition, panes };
    specs[`filtered sum ${first}`] = {
      fn: 'sum',
      of: 'amount',
      by: ['user_id'],
      over,
      when: condition,
      panes,
    };
  }
  return specs;
}

function isX({ row }: { row: { cells: readonly unknown[] } }): boolean | null {
  return row.cells[2] === null ? null : row.cells[2] === 'x';
}

function planOf(extents: readonly Over[], panes: boolean): Plan {
  return new PlanBuilder()
    .table('transaction', {
      columns: COLUMNS,
      lateness: LATENESS,
      views: { named: ({ row }) => (row.cells[4] === null ? null : row.cells[4] !== '') },
    })
    .rule({ id: 'all', event: 'transaction', key: ['user_id'], lets: windows(extents, panes) })
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
  back: fc.constantFrom(0, 0, 0, 1, 3, LATENESS, LATENESS + 1, 12, -Infinity),
  user: fc.constantFrom('1', '1', '1', '2', null),
  device: fc.constantFrom('x', 'y', null),
  amount: amounts,
  name: names,
  lat: fc.constantFrom('52.5', '52.5', '-90', null),
  lon: fc.constantFrom('13.4', '13.4', '180', null),
});

const streams = fc.array(steps, { maxLength: 60, size: 'max' }).map((all) => {
  let now = 1000;
  return all.map(({ forward, back, user, device, amount, name, lat, lon }, i): Arrival => {
    now += forward;
    return { cells: [String(i), user, device, amount, name, lat, lon], at: now - back, commitAt: now };
  });
});

describe.each(Object.entries(KINDS))('windows: %s', (name, extents) => {
  const plan = planOf(extents, name.startsWith('panes'));
  const lets = plan.rules[0]?.lets ?? [];

  it('are what their definition says for every row, read through or followed by aggregates', () => {
    fc.assert(
      fc.property(streams, fc.constantFrom(Infinity, 0, 4), fc.boolean(), (arrivals, followFrom, sweep) => {
        const rows = rowsOf(plan, arrivals);
        const { hits, deadLetters } = sweep
          ? foldAndSweep(plan, rows, { followFrom })
          : foldAll(plan, rows, { followFrom });
        expect(deadLetters).toEqual([]);
        const wrong = rows.flatMap((row, i) =>
          lets.flatMap((item) => {
            const [found, expected] = [hits[i]?.let[item.name], expectedOf(plan, item, rows, i)];
            return same(found, expected) ? [] : [{ row: row.cells[0], let: item.name, found, expected }];
          }),
        );
        expect(wrong).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

/** What can be forgotten, or become one, does so after each row. */
function foldAndSweep(plan: Plan, rows: readonly Row[], options: { followFrom: number }): Outputs {
  const [state, saved] = [new PartitionState(plan, options), new SavedBuckets()];
  const outputs = rows.map((_, i) => {
    const { outputs: of } = foldInto(state, saved, { rows, from: i, to: i + 1 });
    state.sweep(100);
    return of;
  });
  return joined(outputs);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** As it is told: what a double does not hold, as PostgreSQL wrote it. */
function expectedOf(plan: Plan, item: LetPlan, rows: Parameters<typeof oracle>[2], index: number): unknown {
  if (item.kind !== 'window') return undefined;
  const value = oracle(plan, item.window, rows, index);
  if (typeof value !== 'number' || !Number.isFinite(value)) return valueToJson(value, item.type);
  const text = foundText(plan, item.window, rows, index);
  return text === null || thousandths(text) === thousandths(String(value)) ? value : text;
}
