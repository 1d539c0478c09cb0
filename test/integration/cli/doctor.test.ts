import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { queueInstance } from '../../../src/cli/queue-instance.ts';
import { openQueues } from '../../../src/queue/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { runCaptured } from '../../unit/cli/run-captured.ts';

const RULES = `version: 1
events:
  transaction: { table: public.transactions }
rules:
  - { id: large, event: transaction, when: amount > 100, score: 80, actions: [alert] }
`;

let postgres: TestPostgres;
let redis: TestRedis;
let cwd: string;
beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres({ version: 14 }), startRedis()]);
  cwd = mkdtempSync(join(tmpdir(), 'weir-doctor-'));
  writeFileSync(join(cwd, 'r.yaml'), RULES);
  await sql('create table transactions (id int primary key, amount numeric)');
}, 60_000);
afterAll(() => Promise.all([postgres.close(), redis.close()]));

async function sql(text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(postgres.url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

function weir(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const all = { DATABASE_URL: postgres.url, WEIR_RULES: 'r.yaml', WEIR_PARTITIONS: '2', ...env };
  return runCaptured(COMMANDS, argv, { env: all, cwd });
}

async function findings(env: Readonly<Record<string, string>> = {}) {
  const { exit, stdout } = await weir(['doctor', '--json'], env);
  const all = JSON.parse(stdout).findings as { id: string; ok: boolean; severity: string; fix: string }[];
  return { exit, errors: all.filter(({ ok, severity }) => !ok && severity === 'error'), all };
}

describe.each(['postgres', 'redis'] as const)('with BullMQ on %s', (kind) => {
  const env = (): Record<string, string> => (kind === 'redis' ? { REDIS_URL: redis.url } : {});

  test('before init doctor says what is missing, after it nothing; every finding has a reason, every error a fix', async () => {
    const before = await findings(env());
    expect(before.exit).toBe(1);
    expect(before.errors.map(({ id }) => id).sort()).toEqual(['instance-missing', 'schema']);
    expect((await weir(['init', '--apply'], env())).exit).toBe(0);
    const after = await findings(env());
    expect([after.exit, after.errors]).toEqual([0, []]);
    expect(after.all.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        'wal-level',
        'replication-right',
        'slot-position',
        'publications',
        'rules',
        'durability',
      ]),
    );
    expect([...before.errors].filter(({ fix }) => fix === '')).toEqual([]);
    expect((await weir(['doctor'], env())).stdout).toMatch(/0 errors, \d+ warnings, \d+ fine/);
    await weir(['teardown', '--apply'], env());
  }, 60_000);
});

test('a time without a zone is a warning where TimeZone is not UTC, whatever its name', async () => {
  await sql('create table visits (visitor int, at timestamp)');
  writeFileSync(
    join(cwd, 'visits.yaml'),
    `version: 1
events:
  visit: { table: visits, time: at, lateness: 5s }
rules:
  - { id: often, event: visit, let: { n: { count: visit, by: visitor, over: 1m } }, when: n > 9, actions: [alert] }
`,
  );
  const told = async (zone: string) => {
    await sql(`alter role postgres set timezone = '${zone}'`);
    const { all } = await findings({ WEIR_RULES: 'visits.yaml' });
    return all.filter(({ id, ok }) => !ok && /^(time|table|rules)-/.test(id)).map(({ id }) => id);
  };
  try {
    expect(await told('Europe/London')).toEqual(['time-visit']);
    expect(await told('Etc/Zulu')).toEqual([]);
  } finally {
    await sql('alter role postgres reset timezone');
  }
});

test('a slot that another program has moved, and a publication that was made anew, are found with the command that mends them', async () => {
  await weir(['init', '--apply']);
  await sql('insert into transactions values (1, 1)');
  await sql(`select pg_replication_slot_advance('weir', pg_current_wal_lsn())`);
  await sql('drop publication weir_insert');
  await sql('create publication weir_insert for table transactions');
  const { exit, errors } = await findings();
  expect(exit).toBe(1);
  expect(errors.map(({ id }) => id).sort()).toEqual(['publications', 'slot-moved']);
  expect(errors.every(({ fix }) => fix.includes('weir init --apply --adopt-slot'))).toBe(true);
  expect((await weir(['init', '--apply'])).exit).toBe(2);
  expect((await weir(['init', '--apply', '--adopt-slot'])).exit).toBe(0);
  expect((await findings()).errors).toEqual([]);
  await weir(['teardown', '--apply']);
}, 60_000);

test('a Redis that evicts is found, and one that is away exits 3', async () => {
  const evicting = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
  try {
    const { errors } = await findings({ REDIS_URL: evicting.url });
    expect(errors.find(({ id }) => id === 'redis-evicts')?.fix).toContain('noeviction');
  } finally {
    await evicting.close();
  }
  const away = await weir(['doctor'], { REDIS_URL: 'redis://:hunter2@127.0.0.1:1' });
  expect(away.exit).toBe(3);
  expect(away.stdout).toContain('redis://:***@127.0.0.1:1 does not answer');
  expect(away.stdout).toContain('✓ source wal-level');
  const down = await weir(['teardown', '--apply', '--json'], { REDIS_URL: 'redis://:hunter2@127.0.0.1:1' });
  expect([down.exit, JSON.parse(down.stderr).error]).toEqual([
    3,
    {
      code: 'WEIR_REDIS_UNREACHABLE',
      message: expect.stringMatching(
        /^Redis at redis:\/\/:\*\*\*@127.0.0.1:1 does not answer: .*ECONNREFUSED/,
      ),
      hint: expect.stringContaining('REDIS_URL'),
    },
  ]);
});

test('teardown without REDIS_URL tells the command that removes the keys, and once more with it removes them', async () => {
  await weir(['init', '--apply'], { REDIS_URL: redis.url });
  const queues = await openQueues(
    { kind: 'redis', url: redis.url },
    { instance: queueInstance(await identity()), partitions: 2, logger: pino({ level: 'silent' }) },
  );
  const add = () => Promise.all(queues.queues.map((queue) => queue.add('batch', { v: 1 })));
  const client = new Redis(redis.url);
  await client.set('mine', '1');
  await add();
  const { stdout } = await weir(['teardown', '--apply']);
  const command = stdout.split('\n').find((line) => line.includes('redis-cli')) ?? '';
  execFileSync('sh', ['-c', command], { env: { ...process.env, REDIS_URL: redis.url } });
  expect(await client.keys('*')).toEqual(['mine']);
  await add();
  expect((await weir(['teardown', '--apply'], { REDIS_URL: redis.url })).stdout).toMatch(/removed \d+ keys/);
  expect(await client.keys('*')).toEqual(['mine']);
  await queues.close();
  await client.del('mine');
  client.disconnect();
}, 60_000);

test("teardown leaves no key in Redis that is ours, and another instance's where they are", async () => {
  const env = { REDIS_URL: redis.url };
  const client = new Redis(redis.url);
  await client.set('mine', '1');
  await weir(['init', '--apply'], env);
  const queues = await openQueues(
    { kind: 'redis', url: redis.url },
    { instance: queueInstance(await identity()), partitions: 2, logger: pino({ level: 'silent' }) },
  );
  for (const queue of queues.queues) await queue.add('batch', { v: 1 });
  await queues.close();
  const status = JSON.parse((await weir(['status', '--json'], env)).stdout);
  expect(status.queue).toEqual({ kind: 'redis', depths: [1, 1], problem: null, unreachable: false });
  const down = await weir(['teardown', '--apply'], env);
  expect([down.exit, down.stderr]).toEqual([0, '']);
  expect(await client.keys('*')).toEqual(['mine']);
  client.disconnect();
}, 60_000);

async function identity() {
  const [row] = await sql(
    `select system_identifier::text as "systemIdentifier", current_database()::text as database from pg_control_system()`,
  );
  return { slot: 'weir', ...(row as { systemIdentifier: string; database: string }) };
}
