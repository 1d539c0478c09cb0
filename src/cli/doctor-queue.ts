import { Redis } from 'ioredis';
import pg from 'pg';
import type { Config } from '../config.ts';
import type { QueueFinding } from '../queue/finding.ts';
import { postgresFindings } from '../queue/postgres-checks.ts';
import { redisFindings } from '../queue/redis-checks.ts';
import { type Finding, failed } from '../source/finding.ts';
import { databaseOf, otherDatabase, withClient } from './connect.ts';
import { redisRefusal } from './redis-refusal.ts';

/** Looks and makes nothing. */
export async function examineQueue({ queue, slot }: Config): Promise<readonly Finding[]> {
  const found =
    queue.kind === 'redis' ? await examineRedis(queue.url) : await examinePostgres(queue.url, slot);
  return found.map((one) => ('measured' in one ? one : fromQueue(one)));
}

function fromQueue({ ok, code, subject, found, why, fix }: QueueFinding): Finding {
  return {
    id: code
      .replace(/^WEIR_/, '')
      .toLowerCase()
      .replaceAll('_', '-'),
    ok,
    severity: ok ? 'info' : 'error',
    measured: `${subject} is ${found}`,
    why,
    fix: fix ?? '',
    takes: 'none',
  };
}

async function examineRedis(url: string): Promise<readonly QueueFinding[]> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 5_000 });
  let last: unknown = null;
  redis.on('error', (error) => {
    last = error;
  });
  try {
    await redis.connect();
    return await redisFindings(redis);
  } catch (error) {
    throw redisRefusal(url, last ?? error);
  } finally {
    redis.disconnect();
  }
}

async function examinePostgres(url: string, slot: string): Promise<readonly (QueueFinding | Finding)[]> {
  const database = databaseOf(url);
  const target = { url: otherDatabase(url, 'postgres'), variable: 'WEIR_QUEUE_URL', slot };
  const { there, may } = await withClient(target, async (client) => {
    const { rows } = await client.query<{ there: boolean; may: boolean }>(
      `select exists (select from pg_database where datname = $1) as there,
         (select rolcreatedb or rolsuper from pg_roles where rolname = current_user) as may`,
      [database],
    );
    return rows[0] ?? { there: false, may: false };
  });
  if (!there) return [missing(database, may)];
  const pool = new pg.Pool({ connectionString: url, max: 1, connectionTimeoutMillis: 5_000 });
  pool.on('error', () => undefined);
  try {
    return await postgresFindings(pool);
  } finally {
    await pool.end();
  }
}

function missing(database: string, may: boolean): Finding {
  return failed({
    id: 'queue-database',
    severity: may ? 'warning' : 'error',
    measured: `database "${database}" does not exist`,
    why: may
      ? 'BullMQ keeps its jobs there; weir run will make it'
      : 'BullMQ keeps its jobs there, and this role may not make it',
    fix: '`weir init --apply`, or have a DBA run what `weir init` prints; or set REDIS_URL',
  });
}
