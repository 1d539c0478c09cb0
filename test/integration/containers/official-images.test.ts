import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { RedisContainer } from '@testcontainers/redis';
import { getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';
import { describe, expect, it } from 'vitest';
import { type Servers, Site } from '../../support/site.ts';
import { until } from '../../support/until.ts';
import { ALERTS, EXAMPLE_RULES, SHOP_SCHEMA } from '../path/shop.ts';

/** The images may have to be fetched first. */
const TIMEOUT_MS = 600_000;

describe.each(['redis', 'postgres'] as const)(
  'weir run on the official image of PostgreSQL 18, queue on %s',
  (queue) => {
    it(
      'writes the alert of a large amount, and nothing twice after a SIGKILL',
      async ({ skip }) => {
        const missing = await dockerMissing();
        skip(missing !== null, `no Docker engine answers here: ${missing}`);
        const containers: StartedTestContainer[] = [];
        try {
          const servers = await start(queue, containers);
          const site = await Site.openOn(servers, { schema: SHOP_SCHEMA, rules: EXAMPLE_RULES });
          await judge(site).finally(() => site.close());
        } finally {
          for (const container of containers) await container.stop();
        }
      },
      TIMEOUT_MS,
    );
  },
);

/** Why there is none; null: one answers. */
async function dockerMissing(): Promise<string | null> {
  try {
    await getContainerRuntimeClient();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function start(queue: 'redis' | 'postgres', containers: StartedTestContainer[]): Promise<Servers> {
  const postgres = await new PostgreSqlContainer('postgres:18')
    .withCommand(['postgres', '-c', 'wal_level=logical'])
    .start();
  containers.push(postgres);
  const databaseUrl = postgres.getConnectionUri();
  if (queue === 'postgres') return { databaseUrl, redisUrl: null };
  // Without a setting of its own it never evicts.
  const redis = await new RedisContainer('redis:7').start();
  containers.push(redis);
  return { databaseUrl, redisUrl: redis.getConnectionUrl() };
}

async function judge(site: Site): Promise<void> {
  const weir = await site.weir('weir', ['run']);
  weir.start();
  await weir.ready();
  await site.rows('insert into transactions (user_id, amount) values (7, 10000.01), (7, 10000)');
  await until('the alert is there', async () => (await site.rows(ALERTS)).length > 0);
  await weir.end('SIGKILL');
  await site.rows('insert into transactions (user_id, amount) values (8, 20000)');
  weir.start();
  await until('the second alert is there', async () => (await site.rows(ALERTS)).length > 1, 60_000);
  expect(await site.rows(ALERTS)).toMatchObject([
    { rule: 'large_amount', row: 1, message: '10000.01 moved at once by user 7' },
    { rule: 'large_amount', row: 3, message: '20000 moved at once by user 8' },
  ]);
  expect(await site.rows('select entity_id, score from weir.decisions order by position')).toMatchObject([
    { entity_id: '1', score: '80' },
    { entity_id: '3', score: '80' },
  ]);
}
