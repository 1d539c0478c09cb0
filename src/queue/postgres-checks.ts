import type pg from 'pg';
import type { QueueFinding } from './bullmq-backend.ts';

const MIN_VERSION = 140_000;
/** The pool, the listener, and one for a person. */
const SESSIONS = 7;

/** What Weir needs of the server that holds its queue. */
export async function postgresFindings(pool: pg.Pool): Promise<readonly QueueFinding[]> {
  const { rows } = await pool.query<{ version: string; num: number; free: number; max: string }>(
    `SELECT current_setting('server_version') AS version,
            current_setting('server_version_num')::int AS num,
            current_setting('max_connections') AS max,
            current_setting('max_connections')::int
              - (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS free`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('PostgreSQL returned no settings');
  return [versionFinding(row.version, row.num), sessionsFinding(row.free, row.max)];
}

function versionFinding(version: string, num: number): QueueFinding {
  const ok = num >= MIN_VERSION;
  return {
    ok,
    code: 'WEIR_QUEUE_POSTGRES_TOO_OLD',
    subject: 'server_version',
    found: version,
    why: "BullMQ's functions are tested from PostgreSQL 14 on",
    fix: ok ? null : 'point WEIR_QUEUE_URL at PostgreSQL 14 or later, or set REDIS_URL',
  };
}

function sessionsFinding(free: number, max: string): QueueFinding {
  const ok = free >= SESSIONS;
  return {
    ok,
    code: 'WEIR_QUEUE_SESSIONS',
    subject: 'free connections',
    found: `${free} of ${max}`,
    why: `the queue uses up to ${SESSIONS - 1} sessions a process`,
    fix: ok ? null : 'raise max_connections (restart), or set REDIS_URL',
  };
}
