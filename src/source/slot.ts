import { Client } from 'pg';
import { z } from 'zod';
import { WeirError } from '../errors.ts';
import { type Lsn, parseLsn } from '../events/position.ts';

type Queryable = Pick<Client, 'query'>;

const lsnText = z.string().transform(parseLsn).nullable();
const statusSchema = z.object({
  plugin: z.string(),
  database: z.string(),
  active_pid: z.number().nullable(),
  wal_status: z.enum(['reserved', 'extended', 'unreserved', 'lost']).nullable(),
  confirmed_flush_lsn: lsnText,
  restart_lsn: lsnText,
  safe_wal_size: z.coerce.number().nullable(),
  retained_bytes: z.coerce.number().nullable(),
});

export interface SlotStatus {
  readonly plugin: string;
  readonly database: string;
  /** Backend of whoever streams from it. */
  readonly activePid: number | null;
  /** `lost`: PostgreSQL has removed WAL that it needed. */
  readonly walStatus: 'reserved' | 'extended' | 'unreserved' | 'lost' | null;
  readonly confirmedFlushLsn: Lsn | null;
  readonly restartLsn: Lsn | null;
  /** WAL that can be written before it is lost; null: `max_slot_wal_keep_size` sets no limit. */
  readonly safeWalBytes: number | null;
  /** WAL that PostgreSQL keeps for it. */
  readonly retainedBytes: number | null;
}

/** https://www.postgresql.org/docs/current/view-pg-replication-slots.html; null: there is none of this name. */
export async function slotStatus(client: Queryable, slot: string): Promise<SlotStatus | null> {
  const result = await client.query(
    `SELECT plugin, database, active_pid, wal_status, confirmed_flush_lsn::text, restart_lsn::text,
       safe_wal_size::text,
       CASE WHEN pg_is_in_recovery() THEN NULL
            ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::text END AS retained_bytes
     FROM pg_replication_slots WHERE slot_name = $1`,
    [slot],
  );
  if (result.rows.length === 0) return null;
  const row = statusSchema.parse(result.rows[0]);
  return {
    plugin: row.plugin,
    database: row.database,
    activePid: row.active_pid,
    walStatus: row.wal_status,
    confirmedFlushLsn: row.confirmed_flush_lsn,
    restartLsn: row.restart_lsn,
    safeWalBytes: row.safe_wal_size,
    retainedBytes: row.retained_bytes,
  };
}

/** A session with a write transaction open, which the creation of a slot has to wait for. */
export interface Blocker {
  readonly pid: number;
  readonly user: string | null;
  readonly application: string | null;
  readonly state: string | null;
  readonly openSeconds: number;
  readonly query: string;
}

const blockerSchema = z.object({
  pid: z.number(),
  user: z.string().nullable(),
  application: z.string().nullable(),
  state: z.string().nullable(),
  openSeconds: z.number(),
  query: z.string(),
});

export async function openWriteTransactions(client: Queryable): Promise<readonly Blocker[]> {
  const result = await client.query(
    `SELECT a.pid, a.usename AS "user", a.application_name AS application, a.state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS "openSeconds", left(a.query, 200) AS query
     FROM pg_stat_activity a
     WHERE a.backend_xid IS NOT NULL AND a.pid <> pg_backend_pid()
     ORDER BY a.xact_start`,
  );
  return z.array(blockerSchema).parse(result.rows);
}

interface CreateOptions {
  readonly databaseUrl: string;
  readonly slot: string;
  readonly timeoutMs: number;
  /** Called about once a second while transactions hold it up. */
  readonly onWaiting?: (blockers: readonly Blocker[]) => void;
}

/**
 * Creates the slot, after the publications (which must exist at every place of the WAL that is decoded). It waits for
 * all write transactions that are open; a creation that times out leaves no slot.
 *
 * Returns the place to start from, as an acknowledgement: one below the slot's, since the first commit record can
 * start exactly there.
 */
export async function createSlot(options: CreateOptions): Promise<Lsn> {
  const { databaseUrl, slot, timeoutMs } = options;
  const creator = new Client({ connectionString: databaseUrl, application_name: `weir/${slot} create slot` });
  const watcher = new Client({ connectionString: databaseUrl, application_name: `weir/${slot} watch` });
  // The query at hand fails with it; without a listener it would end the process.
  for (const client of [creator, watcher]) client.on('error', () => undefined);
  let blockers: readonly Blocker[] = [];
  await Promise.all([creator.connect(), watcher.connect()]);
  const watch = setInterval(() => {
    openWriteTransactions(watcher).then(
      (found) => {
        blockers = found;
        if (found.length > 0) options.onWaiting?.(found);
      },
      () => undefined,
    );
  }, 1_000);
  try {
    await creator.query(`SET statement_timeout = ${Math.round(timeoutMs)}`);
    const made = await creator.query(
      "SELECT lsn::text FROM pg_create_logical_replication_slot($1, 'pgoutput')",
      [slot],
    );
    return acknowledgedBefore(parseLsn((made.rows as { lsn: string }[])[0]?.lsn ?? ''));
  } catch (error) {
    throw creationError(error, options, await openWriteTransactions(watcher).catch(() => blockers));
  } finally {
    clearInterval(watch);
    await Promise.allSettled([creator.end(), watcher.end()]);
  }
}

/** What has been acknowledged of a slot whose `confirmed_flush_lsn` this is. */
export function acknowledgedBefore(confirmedFlush: Lsn): Lsn {
  return (confirmedFlush - 1n) as Lsn;
}

function creationError(error: unknown, options: CreateOptions, blockers: readonly Blocker[]): unknown {
  if ((error as { code?: string }).code !== '57014') return error;
  const who = blockers.map(
    ({ pid, user, application, state, openSeconds }) =>
      `pid ${pid} (${user ?? '?'}, ${application || 'no application_name'}, ${state ?? '?'}, open for ${Math.round(openSeconds)} s)`,
  );
  return new WeirError({
    code: 'WEIR_SLOT_BLOCKED',
    message: `slot "${options.slot}" could not be created in ${options.timeoutMs / 1000} s: it waits for open write transactions${who.length === 0 ? '' : `: ${who.join('; ')}`}`,
    hint: 'let them end, or end one with `SELECT pg_terminate_backend(PID)`, and run this again; nothing was left behind',
    retry: 'after-operator',
    cause: error,
  });
}

/** Who streams from it must have let go. No error when there is none. */
export async function dropSlot(client: Queryable, slot: string): Promise<void> {
  await client.query(
    'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1',
    [slot],
  );
}
