import { type BackendFactory, type IQueueBackend, type PgPool, PostgresQueueBackend } from 'bullmq';
import pg from 'pg';
import type { Logger } from 'pino';
import type { BatchQueue, BullBackend } from './bullmq-backend.ts';
import { refuseUnfit } from './finding.ts';
import { postgresFindings, SESSIONS_SHORT } from './postgres-checks.ts';
import { prepareDatabase, sessionConfig } from './postgres-database.ts';
import { Listener } from './postgres-listener.ts';
import { isLost, lost } from './postgres-lost.ts';

/** Sessions of a process, besides the one that listens. More of them wait on one another's commits. */
const POOL_SIZE = 5;
/**
 * Each job leaves half a dozen dead rows, which every look for the next one then steps over: autovacuum comes once a
 * minute at best, and in that minute a batch's way through the queue grows tenfold.
 */
const VACUUM_EVERY_MS = 5_000;

/** BullMQ on PostgreSQL: one small pool and one LISTEN session for all queues and workers of the process. */
export async function openPostgresBackend(url: string, logger: Logger): Promise<BullBackend> {
  await prepareDatabase(url);
  const config = sessionConfig(url);
  const pool = new pg.Pool({ ...config, max: POOL_SIZE, idleTimeoutMillis: 60_000 });
  pool.on('error', () => undefined); // an idle session ended: the next query tells
  try {
    refuseUnfit(
      'PostgreSQL',
      (await postgresFindings(pool)).filter((finding) => finding.code !== SESSIONS_SHORT),
    );
  } catch (error) {
    await pool.end();
    throw error;
  }
  const vacuuming = setInterval(() => void vacuum(pool), VACUUM_EVERY_MS);
  const listener = new Listener({ ...config, application_name: 'weir-queue-listen' });
  const seen = new Watched(pool, logger);

  const factory: BackendFactory<IQueueBackend, unknown> = (name, options) => {
    const connection = listener.view(seen.facade());
    return new PostgresQueueBackend(connection, name, { ...options, connection: seen.facade() });
  };

  return {
    kind: 'postgres',
    factory,
    depths: (queues) => depths(pool, queues),
    check: () => postgresFindings(pool),
    close: async () => {
      clearInterval(vacuuming);
      await listener.close();
      await pool.end();
    },
  };
}

/** Where there is something to do, and nobody else is doing it. What fails is tried again soon enough. */
async function vacuum(pool: pg.Pool): Promise<void> {
  const due = await pool
    .query<{ table: string }>(
      `SELECT relid::regclass::text AS table FROM pg_stat_user_tables
       WHERE schemaname = current_schema AND relname IN ('job', 'event') AND n_dead_tup > 1000`,
    )
    .catch(() => null);
  for (const { table } of due?.rows ?? []) {
    await pool.query(`VACUUM (SKIP_LOCKED, TRUNCATE false) ${table}`).catch(() => undefined);
  }
}

/** BullMQ's own counts read every job of a queue; this reads the indexes of what is not done. */
async function depths(pool: pg.Pool, queues: readonly BatchQueue[]): Promise<readonly number[]> {
  const names = queues.map((queue) => queue.name);
  const { rows } = await pool.query<{ queue: string; jobs: number }>(
    `SELECT queue, count(*)::int AS jobs FROM job
      WHERE queue = ANY($1) AND state IN ('waiting', 'active') GROUP BY queue`,
    [names],
  );
  const jobs = new Map(rows.map((row) => [row.queue, row.jobs]));
  return names.map((name) => jobs.get(name) ?? 0);
}

/** The pool as BullMQ sees it: lost connections in BullMQ's words, and told to the log once a change. */
class Watched {
  readonly #pool: pg.Pool;
  readonly #logger: Logger;
  #away = false;

  constructor(pool: pg.Pool, logger: Logger) {
    this.#pool = pool;
    this.#logger = logger;
  }

  /** Each of BullMQ's connections hangs listeners on its pool, and never takes them off: here they go nowhere. */
  facade(): PgPool {
    const facade: PgPool = {
      query: (text, params) => this.#query(text, params),
      connect: () => Promise.reject(new Error('BullMQ took a session of its own')),
      end: async () => undefined,
      on: () => facade,
      removeAllListeners: () => facade,
    };
    return facade;
  }

  async #query(text: string, params: readonly unknown[] = []): Promise<pg.QueryResult> {
    try {
      const result = await this.#pool.query(text, [...params]);
      if (this.#away) this.#logger.info("the queue's PostgreSQL is back");
      this.#away = false;
      return result;
    } catch (error) {
      if (!isLost(error)) throw error;
      if (!this.#away) this.#logger.warn({ err: error }, "the queue's PostgreSQL is away: batches wait");
      this.#away = true;
      throw lost(error);
    }
  }
}
