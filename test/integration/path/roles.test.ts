import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Site } from '../../support/site.ts';
import { until } from '../../support/until.ts';
import type { WeirProcess } from '../../support/weir-process.ts';
import { ALERTS, EXAMPLE_RULES, SHOP_SCHEMA } from './shop.ts';

describe.each(['redis', 'postgres'] as const)('a source and two workers, queue on $0', (queue) => {
  let site: Site;
  let source: WeirProcess;
  let standby: WeirProcess;
  let workers: readonly [WeirProcess, WeirProcess];

  beforeAll(async () => {
    site = await Site.open({ version: 18, queue, schema: SHOP_SCHEMA, rules: EXAMPLE_RULES });
    source = await site.weir('source', ['run', '--role', 'source']);
    standby = await site.weir('standby', ['run', '--role', 'source']);
    workers = [
      await site.weir('worker-a', ['run', '--role', 'worker']),
      await site.weir('worker-b', ['run', '--role', 'worker']),
    ];
    for (const process of [source, ...workers]) process.start();
    for (const process of [source, ...workers]) await process.ready();
  });

  afterAll(() => site?.close());

  it('share the partitions evenly', async () => {
    await until('each worker has four', async () => (await owned(workers)).join() === '4,4');
    await write(site, 20);
    await completed(site, 20);
  });

  it('hand over the partitions of a worker that is killed', async () => {
    const [a, b] = workers;
    await Promise.all([write(site, 20), b.end('SIGKILL')]);
    await write(site, 20);
    await until('the other has all eight', async () => (await a.metric('weir_partitions_owned')) === 8);
    await completed(site, 60);
  });

  it('share them again with a worker that comes, and complete what is under way', async () => {
    const [, b] = workers;
    b.start();
    await Promise.all([write(site, 20), b.ready()]);
    await until('each has four again', async () => (await owned(workers)).join() === '4,4', 20_000);
    await write(site, 20);
    await completed(site, 100);
  });

  it('go on with the standby when the source is killed', async () => {
    standby.start();
    await standby.ready();
    await Promise.all([write(site, 20), source.end('SIGKILL')]);
    await write(site, 20);
    await completed(site, 140);
    expect(await standby.metric('weir_epochs_total')).toBe(1);
  });

  it('follow a source that comes with another number of partitions', async () => {
    await write(site, 20);
    await standby.end('SIGTERM');
    expect(standby.exitCode).toBe(0);
    source.start({ WEIR_PARTITIONS: '3' });
    await Promise.all([write(site, 20), source.ready()]);
    await until('they have three', async () => (await owned(workers)).sort().join() === '1,2', 20_000);
    await write(site, 20);
    await completed(site, 200);
  });

  it('keep their partitions while a standby asks for another number, until it takes over', async () => {
    standby.start({ WEIR_PARTITIONS: '5' });
    await standby.ready();
    await write(site, 20);
    await completed(site, 220);
    await site.caughtUp(30_000);
    expect(await site.rows('select partitions from weir.instances')).toEqual([{ partitions: 3 }]);
    expect((await owned(workers)).sort().join()).toBe('1,2');
    await source.end('SIGTERM');
    await until('they have five', async () => (await owned(workers)).sort().join() === '2,3', 20_000);
    await write(site, 20);
    await completed(site, 240);
  });
});

function owned(workers: readonly WeirProcess[]): Promise<(number | null)[]> {
  return Promise.all(workers.map((worker) => worker.metric('weir_partitions_owned')));
}

/** Large amounts of users who are in all partitions, a transaction each. */
async function write(site: Site, count: number): Promise<void> {
  await site.withClient(async (client) => {
    for (let i = 0; i < count; i += 1)
      await client.query(
        `insert into transactions (user_id, amount) select coalesce(max(id), 0) + 1, 10001 from transactions`,
      );
  });
}

/** Each row has its one alert, in the order of the rows. */
async function completed(site: Site, rows: number): Promise<void> {
  const alerts = (): Promise<{ rule: string; row: number }[]> => site.rows(ALERTS);
  await until(`${rows} alerts are there`, async () => (await alerts()).length >= rows, 30_000);
  expect((await alerts()).map(({ rule, row }) => `${rule} ${row}`)).toEqual(
    Array.from({ length: rows }, (_, i) => `large_amount ${i + 1}`),
  );
}
