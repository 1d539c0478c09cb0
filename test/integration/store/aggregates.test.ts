import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fold } from '../../../src/engine/fold.ts';
import { PartitionState } from '../../../src/engine/partition-state.ts';
import type { Row } from '../../../src/events/row.ts';
import { commitBatch } from '../../../src/store/commit.ts';
import type { PartitionCommit } from '../../../src/store/partition-commit.ts';
import { type Arrival, rowsOf } from '../../unit/engine/support/stream.ts';
import { planOf } from '../../unit/rules/fixtures.ts';
import { closingOf, commitOf, START, StoreFixture, writer } from './fixture.ts';
import { random } from './random.ts';

const plan = planOf(`version: 1
events:
  payment: { table: public.payments, columns: { id: int8, country: text, amount: numeric, paid_at: timestamptz } }
  large: { from: payment, when: amount > 50 }
  login: { table: public.logins, columns: { id: int8, country: text } }
aggregates:
  - id: all
    event: '*'
    by: [event]
    every: 1m
    measures: { n: count, total: { sum: amount }, delay: latency }
  - id: by_country
    event: payment
    by: country
    every: 10s
    measures: { n: count, total: { sum: amount }, mean: { avg: amount }, least: { min: amount }, most: { max: amount }, last: { max: paid_at } }
  - id: large_ones
    event: large
    every: 1h
    measures: { n: count }
`);

const PARTITIONS = 4;
const SECOND = 1_000_000;
const BEGIN = 1_767_225_600 * SECOND;

/** Payments and logins of a few countries (some NULL) within some minutes, and a few rows that come late. */
function arrivals(next: () => number, count: number): Arrival[] {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
  return Array.from({ length: count }, (_, i): Arrival => {
    const at = BEGIN + i * 700_000;
    const country = pick(['DE', 'FR', 'ö "x"', null]);
    if (next() < 0.3) return { event: 'login', cells: [String(i), country], at, commitAt: at + 250_000 };
    const amount = pick(['0.1', '-12.50', '99999999999999999999.01', '70', null]);
    const paidAt = new Date(at / 1_000).toISOString();
    return { event: 'payment', cells: [String(i), country, amount, paidAt], at, commitAt: at + 250_000 };
  });
}

/** The rows of one partition, in batches cut anywhere, as commits. */
function commitsOf(partition: number, given: readonly Arrival[], next: () => number): PartitionCommit[] {
  const rows = rowsOf(plan, given, { partition, partitions: PARTITIONS });
  const state = new PartitionState(plan);
  const commits: PartitionCommit[] = [];
  for (let from = 0, n = 1; from < rows.length || n === 1; n++) {
    const to = from + 1 + Math.floor(next() * 40);
    const { outputs } = fold(plan, state, batch(rows.slice(from, to)));
    const { version: rulesVersion, scoring, aggregates } = plan;
    const place = { expected: n === 1 ? START : closingOf(n - 1), to: closingOf(n), segment: null };
    commits.push(commitOf(partition, { ...place, outputs, rulesVersion, scoring, aggregates }));
    from = to;
  }
  return commits;
}

function batch(rows: readonly Row[]) {
  return { rows, watermarks: plan.tables.map(() => -Infinity), commitAt: rows.at(-1)?.commitAt ?? 0 };
}

describe('aggregates', () => {
  let store: StoreFixture;
  let clients: Client[];
  beforeAll(async () => {
    store = await StoreFixture.start(18);
    clients = await Promise.all(Array.from({ length: PARTITIONS }, () => store.client()));
    await store.pool.query(
      'create table public.given (event text, country text, amount numeric, paid_at timestamptz, at float8, late boolean)',
    );
  });
  afterAll(() => store.close());
  beforeEach(async () => {
    await store.reset();
    await store.pool.query('truncate public.given');
  });

  it('are what SQL says of the same rows, however they are spread, cut and committed, each commit twice', async () => {
    const next = random(7);
    const given = arrivals(next, 600);
    await insertGiven(store, given);
    const perPartition = Array.from({ length: PARTITIONS }, (_, p) => commitsOf(p, given, next));
    await Promise.all(
      perPartition.map(async (commits, p) => {
        for (const commit of commits) {
          for (const owner of ['a', 'b'])
            await commitBatch(clients[p] as Client, [commit], writer(`${owner}${p}`));
        }
      }),
    );
    for (const [aggregate, sql] of Object.entries(SQL)) {
      const expected = sorted(await store.rows(sql));
      expect(expected.length).toBeGreaterThan(0);
      expect(sorted(await store.rows(stored(aggregate)))).toEqual(expected);
    }
    const windows = await store.rows(`
      select w as at, event, count(*)::int as n, sum(amount)::text as total
      from generate_series(timestamptz '2026-01-01 00:02:00+00', timestamptz '2026-01-01 00:12:00+00', '2 minutes') w
      join public.given on weir.at(at) >= w - interval '3 minutes' and weir.at(at) < w group by 1, 2`);
    expect(sorted(await slidingWindow(store, '3 minutes', '2 minutes'))).toEqual(sorted(windows));
    const [latency] = await store.rows<{ least: number; most: number }>(
      `select min((measures ->> 'delay')::float8) as least, max((measures ->> 'delay')::float8) as most
       from weir.aggregates where aggregate_id = 'all'`,
    );
    expect(latency).toEqual({ least: 0.25, most: 0.25 });
  });

  it('take the groups of several partitions that one transaction commits as one', async () => {
    const next = random(3);
    const given = arrivals(next, 100);
    await insertGiven(store, given);
    const first = Array.from({ length: PARTITIONS }, (_, p) => commitsOf(p, given, () => 0.999)[0]);
    await commitBatch(
      clients[0] as Client,
      first.filter((commit) => commit !== undefined),
      writer('a'),
    );
    const rows = await store.rows<{ n: number }>(
      `select sum(row_count)::int as n from weir.aggregates where aggregate_id = 'all'`,
    );
    expect(rows[0]?.n).toBeGreaterThan(80);
  });
});

function sorted(rows: readonly object[]): readonly string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

/** The last test but for this: its rows are there. */
async function slidingWindow(store: StoreFixture, size: string, slide: string) {
  return store.rows<{ at: Date; event: string; n: number; total: string | null }>(
    `select window_end as at, event, event_count::int as n, columns -> 'amount' ->> 'sum' as total
     from weir.sliding_window('${size}', '${slide}')`,
  );
}

async function insertGiven(store: StoreFixture, given: readonly Arrival[]): Promise<void> {
  await store.pool.query(
    'insert into public.given select * from unnest($1::text[], $2::text[], $3::numeric[], $4::timestamptz[], $5::float8[], $6::boolean[])',
    [
      given.map(({ event }) => event),
      given.map(({ cells }) => cells[1]),
      given.map(({ cells }) => cells[2] ?? null),
      given.map(({ cells }) => cells[3] ?? null),
      given.map(({ at }) => at),
      given.map(() => false),
    ],
  );
}

const stored = (
  aggregate: string,
) => `select bucket_start, key::text, row_count::int as n, (measures - 'delay')::text as measures
  from weir.aggregates where aggregate_id = '${aggregate}'`;

const SQL = {
  all: `select date_bin('1 minute', weir.at(at), 'epoch') as bucket_start, jsonb_build_object('event', event)::text as key,
      count(*)::int as n, jsonb_build_object('n', count(*), 'total', sum(amount))::text as measures
    from public.given group by 1, 2`,
  by_country: `select date_bin('10 seconds', weir.at(at), 'epoch') as bucket_start, jsonb_build_object('country', country)::text as key,
      count(*)::int as n,
      jsonb_build_object('n', count(*), 'total', sum(amount), 'mean', avg(amount)::float8, 'least', min(amount),
        'most', max(amount), 'last', to_char(max(paid_at) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text as measures
    from public.given where event = 'payment' group by 1, 2`,
  large_ones: `select date_bin('1 hour', weir.at(at), 'epoch') as bucket_start, '{}'::jsonb::text as key, count(*)::int as n,
      jsonb_build_object('n', count(*))::text as measures
    from public.given where event = 'payment' and amount > 50 group by 1, 2`,
};
