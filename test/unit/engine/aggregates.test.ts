import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Tally } from '../../../src/engine/aggregations/tally.ts';
import { PartitionState } from '../../../src/engine/partition-state.ts';
import { planOf } from '../rules/fixtures.ts';
import { foldAll, foldInto, rowsOf, SavedBuckets } from './support/stream.ts';

const MINUTE = 60_000_000;

const plan = planOf(`version: 1
events:
  payment: { table: public.payments, time: paid_at, lateness: 10s, columns: { id: int8, country: text, amount: numeric, paid_at: timestamptz } }
  half: { from: payment, when: int(country) > 0 }
aggregates:
  - { id: by_country, event: payment, by: country, every: 1m, measures: { n: count, total: { sum: amount }, mean: { avg: amount }, last: { max: paid_at } } }
  - { id: halves, event: half, every: 1h, measures: { n: count } }
`);

const row = (at: number, country: string | null, amount: string | null) => ({
  cells: ['1', country, amount, new Date(at / 1_000).toISOString()],
  at,
});

const tallied = (rows: ReturnType<typeof rowsOf>, id = 'by_country') =>
  foldAll(plan, rows).aggregates.filter(({ aggregate }) => aggregate === id);

it('a late row is in no group, and NULL is a group of its own', () => {
  const rows = rowsOf(plan, [
    row(MINUTE, 'DE', '1.50'),
    row(MINUTE + 1, null, null),
    row(0, 'DE', '7'),
    row(2 * MINUTE, 'DE', '2'),
    row(MINUTE, 'DE', '9'),
  ]);
  expect(tallied(rows).map(({ bucket, group, tally }) => [bucket / MINUTE, group, tally.rows])).toEqual([
    [1, ['DE'], 1],
    [1, [null], 1],
    [2, ['DE'], 1],
  ]);
});

it('a row on which the condition of its view fails is a dead letter of the aggregate, and not counted', () => {
  const { aggregates, deadLetters } = foldAll(plan, rowsOf(plan, [row(0, 'DE', '0'), row(1, '7', '1')]));
  expect(aggregates.filter(({ aggregate }) => aggregate === 'halves')).toMatchObject([
    { tally: { rows: 1 } },
  ]);
  expect(deadLetters).toMatchObject([{ rule: 'halves', event: 'half' }]);
});

const arrivals = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 3 * MINUTE }),
    country: fc.constantFrom('DE', 'FR', null),
    amount: fc.constantFrom('1', '-0.25', '12345678901234567890.123', 'NaN', null),
  }),
  { maxLength: 30 },
);

/** What is told in the end, by bucket and group. */
function merged(all: readonly ReturnType<typeof tallied>[]): Record<string, string> {
  const tallies = new Map<string, Tally>();
  const [aggregate] = plan.aggregates;
  if (aggregate === undefined) throw new Error('there is no aggregate');
  for (const { bucket, group, tally } of all.flat()) {
    const key = `${bucket / MINUTE} ${group}`;
    const sum = tallies.get(key) ?? new Tally(aggregate);
    sum.merge(tally);
    tallies.set(key, sum);
  }
  return Object.fromEntries([...tallies].map(([key, tally]) => [key, tally.measuresJson()]).sort());
}

it('however rows are split into batches, saved and added up, the measures are the same', () => {
  fc.assert(
    fc.property(arrivals, fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), (given, cuts) => {
      const rows = rowsOf(
        plan,
        given.map(({ at, country, amount }) => row(at, country, amount)),
      );
      const state = new PartitionState(plan);
      const saved = new SavedBuckets();
      const ends = [...new Set([...cuts.filter((cut) => cut < rows.length), rows.length])].sort(
        (a, b) => a - b,
      );
      const parts = ends.map((to, index) => {
        const { outputs } = foldInto(state, saved, { rows, from: ends[index - 1] ?? 0, to });
        return outputs.aggregates.filter(({ aggregate }) => aggregate === 'by_country');
      });
      expect(merged(JSON.parse(JSON.stringify(parts)))).toEqual(merged([tallied(rows)]));
    }),
  );
});

it('measures have every digit, and none where there are no values', () => {
  const rows = rowsOf(plan, [
    row(0, 'DE', '0.10'),
    row(1, 'DE', '99999999999999999999.90'),
    row(2, null, null),
  ]);
  expect(merged([tallied(rows)])).toEqual({
    '0 ': '{"n":1,"total":null,"mean":null,"last":"1970-01-01T00:00:00.000Z"}',
    '0 DE':
      '{"n":2,"total":100000000000000000000.00,"mean":50000000000000000000,"last":"1970-01-01T00:00:00.000Z"}',
  });
});
