import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openQueues } from '../../../src/queue/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';
import { batch, COMMITTED } from './batches.ts';
import { recordingLogger } from './servers.ts';

describe('the queue in PostgreSQL', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres({ version: 18 });
  }, 60_000);
  afterAll(async () => {
    await postgres.close();
  });

  function url(database: string, user = 'postgres'): string {
    const made = new URL(postgres.url);
    made.pathname = `/${database}`;
    made.username = user;
    return made.toString();
  }

  async function open(to: string) {
    const { logger, messages } = recordingLogger();
    const queues = await openQueues({ kind: 'postgres', url: to }, { instance: 'i', partitions: 2, logger });
    onTestFinished(() => queues.close());
    return { ...queues, messages };
  }

  async function sql<R extends pg.QueryResultRow>(database: string, text: string): Promise<R[]> {
    const client = new pg.Client(url(database));
    await client.connect();
    try {
      return (await client.query<R>(text)).rows;
    } finally {
      await client.end();
    }
  }

  test('processes that start at once make one database and one schema between them', async () => {
    const opened = await Promise.all([1, 2, 3, 4].map(() => open(url('made_at_once'))));
    const [one, , , four] = opened;
    await one?.producer.add([batch(0)]);
    expect(await four?.producer.depths()).toEqual([1, 0]);
  }, 30_000);

  test('batches write next to no WAL, and a crash of the server leaves an empty queue that works', async () => {
    const { producer, consumer } = await open(url('no_wal'));
    const lsn = async () => {
      const [row] = await sql<{ bytes: string }>('postgres', "SELECT pg_current_wal_lsn() - '0/0' AS bytes");
      return Number(row?.bytes);
    };
    let handled = 0;
    await consumer.start(0, async () => {
      handled += 1;
      return COMMITTED;
    });
    const before = await lsn();
    for (let n = 0; n < 50; n += 1) await producer.add([batch(n, { rows: 2_000 })]);
    await until('all handled', () => handled === 50);
    expect((await lsn()) - before).toBeLessThan(500_000); // of 5 MB of rows
    await producer.add([batch(0, { partition: 1 })]);
    await postgres.stop('immediate');
    await postgres.start();
    await until('the server is back', () =>
      producer.depths().then(
        () => true,
        () => false,
      ),
    );
    expect(await producer.depths()).toEqual([0, 0]);
    await producer.add([batch(0, { epoch: 2 })]);
    await until('the next epoch', () => handled === 51);
  }, 40_000);

  test('a role that may not create the database is told the SQL', async () => {
    await sql('postgres', 'CREATE ROLE poor LOGIN');
    await expect(open(url('not there', 'poor'))).rejects.toMatchObject({
      code: 'WEIR_QUEUE_DATABASE_MISSING',
      message: `the queue's database "not there" does not exist, and role "poor" may not create it`,
      hint: 'as a superuser: CREATE DATABASE "not there" OWNER "poor";',
    });
    await sql('postgres', 'CREATE DATABASE "not there" OWNER poor');
    const { producer } = await open(url('not there', 'poor'));
    await producer.add([batch(0)]);
  });

  test('a role that may not create the schema is told the SQL', async () => {
    await sql('postgres', 'CREATE ROLE guest LOGIN');
    await sql('postgres', 'CREATE DATABASE lent');
    await expect(open(url('lent', 'guest'))).rejects.toMatchObject({
      code: 'WEIR_QUEUE_SCHEMA_REFUSED',
      hint: expect.stringContaining('GRANT CREATE ON DATABASE "lent" TO "guest";'),
    });
  });

  test('a database that is captured is refused', async () => {
    await sql('postgres', 'CREATE DATABASE shop');
    await sql('shop', "SELECT pg_create_logical_replication_slot('weir', 'pgoutput')");
    await expect(open(url('shop'))).rejects.toMatchObject({
      code: 'WEIR_QUEUE_CAPTURED',
      message: expect.stringContaining('database shop is captured by the slot weir'),
      hint: expect.stringContaining('WEIR_QUEUE_URL'),
    });
  });

  test('no server there is told as unreachable', async () => {
    await expect(open('postgres://postgres@127.0.0.1:1/weir_queue')).rejects.toMatchObject({
      code: 'WEIR_QUEUE_UNREACHABLE',
      exit: 3,
    });
  });

  test('eight partitions listen on one session, and sessions do not wait for the disk', async () => {
    const { logger } = recordingLogger();
    const queues = await openQueues(
      { kind: 'postgres', url: url('sessions') },
      { instance: 'i', partitions: 8, logger },
    );
    onTestFinished(() => queues.close());
    const seen: number[] = [];
    for (let partition = 0; partition < 8; partition += 1) {
      await queues.consumer.start(partition, async (b) => {
        seen.push(b.partition);
        return COMMITTED;
      });
    }
    await queues.producer.add(Array.from({ length: 8 }, (_, partition) => batch(0, { partition })));
    await until('each got its batch', () => seen.length === 8);
    const sessions = await sql<{ application_name: string; n: number }>(
      'postgres',
      `SELECT application_name, count(*)::int AS n FROM pg_stat_activity
        WHERE datname = 'sessions' AND application_name LIKE 'weir%' GROUP BY 1`,
    );
    const count = new Map(sessions.map((row) => [row.application_name, row.n]));
    expect(count.get('weir-queue-listen')).toBe(1);
    expect(count.get('weir-queue')).toBeLessThanOrEqual(5);
  }, 20_000);

  test('a worker whose LISTEN session is cut listens on a new one', async () => {
    const { producer, consumer } = await open(url('cut'));
    const took: number[] = [];
    let added = 0;
    await consumer.start(0, async () => {
      took.push(performance.now() - added);
      return COMMITTED;
    });
    await producer.add([batch(0)]);
    await until('the first', () => took.length === 1);
    const listeners = `FROM pg_stat_activity WHERE datname = 'cut' AND application_name = 'weir-queue-listen'`;
    const listening = () => sql<{ pid: number }>('postgres', `SELECT pid ${listeners}`);
    await until('it listens', async () => (await listening()).length === 1);
    const [old] = await listening();
    await sql('postgres', `SELECT pg_terminate_backend(${old?.pid})`);
    await until('it listens again', async () => {
      const [now] = await listening();
      return now !== undefined && now.pid !== old?.pid;
    });
    added = performance.now();
    await producer.add([batch(1)]);
    await until('the second', () => took.length === 2, 2_000);
  });
});
