import { describe, expect, it } from 'vitest';
import { PartitionState } from '../../../src/engine/partition-state.ts';
import type { Over } from '../../../src/rules/over.ts';
import { partsOf } from '../../../src/rules/panes.ts';
import { type Plan, WINDOW_FUNCTIONS } from '../../../src/rules/plan.ts';
import { PlanBuilder, type WindowSpec } from './support/plan-builder.ts';
import { type Arrival, foldAll, foldInto, rowsOf, SavedBuckets } from './support/stream.ts';

const ROWS = 1_200;
const LATENESS = 50;

const OVERS: readonly Over[] = [
  { kind: 'sliding', over: 900 },
  { kind: 'hopping', size: 900, every: 150 },
  { kind: 'hopping', size: 700, every: 700 },
  { kind: 'session', gap: 8, within: 800 },
  { kind: 'rows', rows: 600, within: 1_500 },
];
const HOPPING = OVERS.filter(({ kind }) => kind === 'hopping');
const OF_AMOUNTS = ['sum', 'stddev', 'min', 'max', 'distinct', 'first_seen'] as const;

function windows(): Record<string, WindowSpec> {
  const specs: Record<string, WindowSpec> = {};
  for (const over of OVERS) {
    const where = { of: 'amount', by: ['user_id'], over };
    for (const fn of OF_AMOUNTS) specs[`${fn} ${JSON.stringify(over)}`] = { fn, ...where };
    specs[`percentile ${JSON.stringify(over)}`] = { fn: 'percentile', percent: 90, ...where };
    specs[`count ${JSON.stringify(over)}`] = { fn: 'count', by: ['user_id'], over };
  }
  return specs;
}

const COLUMNS = { id: 'int8', user_id: 'int4', amount: 'numeric' };

function planOf(lets: Record<string, WindowSpec>): Plan {
  return new PlanBuilder()
    .table('transaction', { columns: COLUMNS, lateness: LATENESS })
    .rule({ id: 'all', event: 'transaction', key: ['user_id'], lets })
    .build();
}

/** Time moves by 0 to 3, rests now and then, and every tenth row is out of order. */
function arrivals(): Arrival[] {
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (seed >>> 16) % below;
  };
  let now = 10_000;
  return Array.from({ length: ROWS }, (_, i) => {
    now += i % 400 === 0 ? 9 : random(4);
    const back = random(10) === 0 ? random(LATENESS) : 0;
    const amount = random(20) === 0 ? null : `${random(2_000)}.${random(100)}`;
    return { cells: [String(i), '1', amount], at: now - back, commitAt: now };
  });
}

describe('windows of a busy key', () => {
  it('are the same followed by aggregates as read through', () => {
    const plan = planOf(windows());
    const rows = rowsOf(plan, arrivals());
    const lets = (followFrom: number) => foldAll(plan, rows, { followFrom }).hits.map((hit) => hit.let);
    const [followed, read] = [lets(8), lets(Infinity)];
    expect(followed).toHaveLength(ROWS);
    expect(followed.findIndex((one, i) => JSON.stringify(one) !== JSON.stringify(read[i]))).toBe(-1);
  });

  it('are the same by panes as by rows, and a pane is one entry', () => {
    const hopping = (panes: boolean): Record<string, WindowSpec> => {
      const functions = WINDOW_FUNCTIONS.filter((fn) => partsOf(fn).length > 0);
      const where = { of: 'amount', by: ['user_id'], panes };
      const specs = HOPPING.flatMap((over) =>
        functions.map((fn) => [`${fn} ${JSON.stringify(over)}`, { fn, ...where, over }] as const),
      );
      return Object.fromEntries(specs);
    };
    const [byPanes, byRows] = [true, false].map((panes) => {
      const plan = planOf(hopping(panes));
      const state = new PartitionState(plan);
      const rows = rowsOf(plan, arrivals());
      const { outputs } = foldInto(state, new SavedBuckets(), { rows, from: 0, to: ROWS });
      state.sweep(10);
      return { lets: outputs.hits.map((hit) => hit.let), entries: state.stats().entries };
    });
    expect(byPanes?.lets).toEqual(byRows?.lets);
    // Of two stores, and each with the rows that others may still come among: those of twice the lateness.
    expect(byRows?.entries).toBeGreaterThan(500);
    expect(byPanes?.entries).toBeLessThan(200);
  });

  it('count the rows for which a list holds the newest values only', () => {
    const plan = new PlanBuilder()
      .table('transaction', { columns: { id: 'int8', user_id: 'int4', amount: 'numeric' } })
      .rule({
        id: 'listing',
        event: 'transaction',
        key: ['user_id'],
        lets: { all: { fn: 'list', of: 'amount', by: ['user_id'], over: 5_000 } },
        when: () => false,
      })
      .build();
    const of = (count: number) =>
      rowsOf(
        plan,
        Array.from({ length: count }, (_, i) => ({ cells: [String(i), '1', '5'], at: i })),
      );
    expect(foldAll(plan, of(1_000)).cutLists).toEqual([]);
    expect(foldAll(plan, of(1_003)).cutLists).toEqual([{ rule: 'listing', rows: 3 }]);
  });
});
