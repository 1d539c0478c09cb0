import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Site } from '../../support/site.ts';
import { until } from '../../support/until.ts';
import type { WeirProcess } from '../../support/weir-process.ts';
import { ALERTS, SHOP_SCHEMA } from './shop.ts';

const RULES = join(import.meta.dirname, 'reshard-rules');

/** What the rules say, in SQL: no row leaves a window while the test runs. */
const EXPECTED = `
with seen as (
  select id, user_id, device_id, row_number() over w as visits, sum(amount) over w as spent,
    lag(device_id) over w as before
  from transactions window w as (partition by user_id order by id)
), numbered as (select id, row_number() over (order by id) as n from transactions)
select 'visits' as rule, id as row from seen where visits > 5
union all select 'spent', id from seen where spent > 40.5
union all select 'returned', id from seen where before <> device_id
-- Patterns are told by their first row.
union all select 'seventh', id from seen s where visits % 7 = 1 and exists (
  select from seen o where o.user_id = s.user_id and o.visits = s.visits + 6)
union all select 'fiftieth', id from numbered where n % 50 = 1 and n + 49 <= (select max(n) from numbered)
union all select 'shared', id from seen s where 3 < (
  select count(distinct o.user_id) from transactions o where o.device_id = s.device_id and o.id <= s.id)`;

describe.each(['redis', 'postgres'] as const)('another number of partitions, queue on %s', (queue) => {
  let site: Site;
  let weir: WeirProcess;

  beforeAll(async () => {
    site = await Site.open({
      version: 18,
      queue,
      schema: SHOP_SCHEMA,
      rules: RULES,
      // So that state is in snapshots, and in segments of both generations.
      yaml: 'batch: { rows: 20 }\nstate: { segment_bytes: 2kB }\n',
    });
    weir = await site.weir('weir', ['run']);
    weir.start({ WEIR_PARTITIONS: '8' });
    await weir.ready();
    await write(site, 3);
    await judged(site);
  });

  afterAll(() => site?.close());

  it.each([
    ['SIGTERM', 3],
    ['SIGKILL', 16],
    ['SIGTERM', 5],
    ['SIGKILL', 8],
  ] as const)('keeps every window and partial match: after %s, %i', async (signal, partitions) => {
    await write(site, 1);
    await weir.end(signal);
    await write(site, 1);
    weir.start({ WEIR_PARTITIONS: String(partitions) });
    await until(`there are ${partitions}`, async () => (await standing(site)).length === partitions, 30_000);
    await write(site, 1);
    await judged(site);
    expect(await site.rows('select partitions from weir.instances')).toEqual([{ partitions }]);
    const buckets = await site.rows<{ wrong: number; all: number }>(
      `select count(*) filter (where partition <> bucket % $1)::int as wrong, count(*)::int as all from weir.state`,
      [partitions],
    );
    expect(buckets).toEqual([{ wrong: 0, all: expect.any(Number) }]);
    expect(buckets[0]?.all).toBeGreaterThan(0);
  });
});

function standing(site: Site): Promise<{ position: string }[]> {
  return site.rows('select position from weir.checkpoints');
}

/** Each of sixty users, so often; on one of two devices that he has with others. */
async function write(site: Site, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1)
    await site.rows(
      `insert into transactions (user_id, amount, device_id)
       select u, 5.5, 'device-' || (u + (select count(*) / 60 from transactions)) % 20 from generate_series(1, 60) u`,
    );
}

/** All that SQL asks for is there, and nothing else. */
async function judged(site: Site): Promise<void> {
  const expected = await lines(site, EXPECTED);
  await until(
    `${expected.length} alerts are there`,
    async () => (await lines(site, ALERTS)).length >= expected.length,
    30_000,
  );
  expect(await lines(site, ALERTS)).toEqual(expected);
}

async function lines(site: Site, alerts: string): Promise<string[]> {
  const found = await site.rows<{ line: string }>(
    `select rule || ' ' || row as line from (${alerts}) a order by row, rule`,
  );
  return found.map(({ line }) => line);
}
