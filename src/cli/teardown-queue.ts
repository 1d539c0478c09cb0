import { Redis } from 'ioredis';
import type pg from 'pg';
import { escapeIdentifier as ident } from 'pg';
import pino from 'pino';
import { DEFAULTS, type QueueConfig } from '../config.ts';
import { queueName } from '../queue/batch-job.ts';
import { openQueues } from '../queue/connect.ts';
import { QUEUE_SCHEMA } from '../queue/postgres-database.ts';
import type { Instance } from '../store/control.ts';
import { connect, databaseOf, otherDatabase, withClient } from './connect.ts';
import { queueInstance } from './queue-instance.ts';
import { shownUrl } from './redact.ts';
import { redisRefusal } from './redis-refusal.ts';
import type { Step } from './step.ts';

export interface QueueRemoval {
  readonly queue: QueueConfig;
  readonly slot: string;
  /** Their names in the configuration. */
  readonly webhooks: readonly string[];
  /** null: the store does not know it. */
  readonly instance: Instance | null;
  /** What its queues are named by; null: neither the store nor the source can say. */
  readonly named: string | null;
  /** Other instances may have their queues in the same database. */
  readonly shared: boolean;
}

export function queueRemoval(removal: QueueRemoval): Step {
  const { queue } = removal;
  return queue.kind === 'redis' ? keysRemoval(removal) : databaseRemoval(removal);
}

function keysRemoval({ queue, named }: QueueRemoval): Step {
  const pattern = named === null ? null : keyPattern(named);
  return {
    title: 'queues in Redis',
    why: 'Batches that nobody will read; the WAL was the truth.',
    where: shownUrl(queue.url),
    script:
      pattern === null
        ? `-- (nothing knows the names of its queues; of every Weir: ${UNLINK_ALL})`
        : `-- ${unlinkCommand(pattern)}`,
    run: async () =>
      pattern === null
        ? `left, as nothing knows their names; of every Weir: ${UNLINK_ALL}`
        : unlink(queue.url, pattern),
  };
}

/** For a shell: no password in it, nothing of the pattern is the shell's. */
function unlinkCommand(pattern: string): string {
  const cli = 'redis-cli -u "$REDIS_URL"';
  return `${cli} --scan --pattern '${pattern}' | xargs -r ${cli} UNLINK`;
}

const UNLINK_ALL = unlinkCommand('bull:weir-*');

/**
 * Of all partitions (`p0`), also of those that there were before a re-sharding, and of all webhooks (`w-NAME`). Signs of
 * the pattern language are literal.
 */
function keyPattern(named: string): string {
  const first = `bull:${queueName(named, 0)}`;
  return `${first.replace(/p0$/, '').replace(/[*?[\]\\]/g, '\\$&')}[pw][-0-9]*:*`;
}

/** BullMQ's `obliterate` leaves each queue's `meta`. */
async function unlink(url: string, pattern: string): Promise<string> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 5_000 });
  let last: unknown = null;
  redis.on('error', (error) => {
    last = error;
  });
  let keys = 0;
  try {
    await redis.connect();
    for await (const found of redis.scanStream({ match: pattern, count: 1_000 }) as AsyncIterable<string[]>)
      if (found.length > 0) keys += await redis.unlink(...found);
  } catch (error) {
    throw redisRefusal(url, last ?? error);
  } finally {
    redis.disconnect();
  }
  return `removed ${keys} keys`;
}

/** A database that only Weir uses goes whole; in one that somebody else named, only what is Weir's. */
function databaseRemoval(removal: QueueRemoval): Step {
  const { url } = removal.queue;
  const database = databaseOf(url);
  const whole = database === DEFAULTS.queueDatabase && !removal.shared;
  const schema = `DROP SCHEMA IF EXISTS ${ident(QUEUE_SCHEMA)} CASCADE;`;
  return {
    title: whole ? `database ${database}` : `queues in database ${database}`,
    why: 'Batches that nobody will read; the WAL was the truth.',
    where: whole ? `database postgres of ${shownUrl(url)}` : shownUrl(url),
    script: removal.shared
      ? `-- other instances use it too: weir teardown --apply removes the jobs of ${removal.slot} alone`
      : whole
        ? `DROP DATABASE IF EXISTS ${ident(database)};`
        : schema,
    run: async () => {
      if (!(await databaseIsThere(removal))) return notThere(removal);
      if (removal.shared) return obliterate(removal);
      if (whole) return dropDatabase(removal, database);
      await withClient(target(removal, url), (client) => client.query(schema));
      return `dropped schema ${QUEUE_SCHEMA}`;
    },
  };
}

/** An instance that is known has had a queue: without a database it was on Redis, and REDIS_URL is not set now. */
function notThere({ instance }: QueueRemoval): string {
  if (instance === null) return 'not there';
  const command = unlinkCommand(keyPattern(queueInstance(instance)));
  return `not there; if the queue was on Redis, its keys are left:\n  ${command}`;
}

async function obliterate({ queue, instance, webhooks }: QueueRemoval): Promise<string> {
  if (instance === null) return 'not there';
  const { partitions } = instance;
  const logger = pino({ level: 'silent' });
  const queues = await openQueues(queue, {
    ...{ instance: queueInstance(instance), partitions, webhooks, logger },
  });
  try {
    await queues.producer.empty();
    for (const deliveries of queues.deliveries) await deliveries.queue.obliterate({ force: true });
    return `removed the jobs of ${partitions} partitions and ${webhooks.length} webhooks`;
  } finally {
    await queues.close();
  }
}

async function databaseIsThere(removal: QueueRemoval): Promise<boolean> {
  return withMaintenance(removal, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [
      databaseOf(removal.queue.url),
    ]);
    return rowCount === 1;
  });
}

function dropDatabase(removal: QueueRemoval, database: string): Promise<string> {
  return withMaintenance(removal, async (client) => {
    await client.query(`DROP DATABASE ${ident(database)}`);
    return 'dropped';
  });
}

async function withMaintenance<Result>(
  removal: QueueRemoval,
  work: (client: pg.ClientBase) => Promise<Result>,
): Promise<Result> {
  const client = await connect(target(removal, otherDatabase(removal.queue.url, 'postgres')));
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function target({ slot }: QueueRemoval, url: string) {
  return { url, slot, variable: 'WEIR_QUEUE_URL' };
}
