import type pg from 'pg';
import type { QueueFinding } from './finding.ts';

const MIN_VERSION = 140_000;
/** The pool, the listener, and one for a person. */
const SESSIONS = 7;
/** Not a reason to refuse a start: another process may be about to leave. */
export const SESSIONS_SHORT = 'WEIR_QUEUE_SESSIONS';

interface Settings {
  readonly version: string;
  readonly num: number;
  readonly free: number;
  readonly max: string;
  readonly database: string;
  readonly slots: readonly string[];
}

/** What Weir needs of the server that holds its queue. */
export async function postgresFindings(pool: pg.Pool): Promise<readonly QueueFinding[]> {
  const { rows } = await pool.query<Settings>(
    `SELECT current_setting('server_version') AS version,
            current_setting('server_version_num')::int AS num,
            current_setting('max_connections') AS max,
            current_setting('max_connections')::int
              - (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS free,
            current_database() AS database,
            ARRAY(SELECT slot_name::text FROM pg_replication_slots
                   WHERE database = current_database() AND slot_type = 'logical') AS slots`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('PostgreSQL returned no settings');
  return [versionFinding(row.version, row.num), sessionsFinding(row.free, row.max), captureFinding(row)];
}

/** A queue in a captured database would feed the stream that fills it. */
function captureFinding({ database, slots }: Settings): QueueFinding {
  const ok = slots.length === 0;
  return {
    ok,
    code: 'WEIR_QUEUE_CAPTURED',
    subject: `database ${database}`,
    found: ok ? 'not captured' : `captured by the slot ${slots.join(', ')}`,
    why: "the queue's own writes would go through that slot, several times the rows that they carry",
    fix: ok ? null : 'point WEIR_QUEUE_URL at a database of its own, such as weir_queue on the same server',
  };
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
    code: SESSIONS_SHORT,
    subject: 'free connections',
    found: `${free} of ${max}`,
    why: `the queue uses up to ${SESSIONS - 1} sessions a process`,
    fix: ok ? null : 'raise max_connections (restart), or set REDIS_URL',
  };
}
