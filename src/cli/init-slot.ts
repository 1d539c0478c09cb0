import type pg from 'pg';
import { escapeLiteral } from 'pg';
import { WeirError } from '../errors.ts';
import { type Lsn, parseLsn } from '../events/position.ts';
import { connect } from './connect.ts';

/*
 * A crash here can leave the slot that was asked for, never half of one: PostgreSQL removes a slot whose making was
 * interrupted.
 */

const POLL_MS = 500;

export function slotSql(slot: string): string {
  return `SELECT pg_create_logical_replication_slot(${escapeLiteral(slot)}, 'pgoutput');`;
}

export interface SlotMade {
  /** The first commit record that the slot sends starts here or later. */
  readonly startsAt: Lsn;
  readonly made: boolean;
}

/** The slot where it is there already: of our plugin, of this database; else null. */
export async function existingSlot(client: pg.ClientBase, slot: string): Promise<SlotMade | null> {
  const { rows } = await client.query<SlotRow>(
    `select plugin, database, active_pid, confirmed_flush_lsn, database = current_database() as here
     from pg_replication_slots where slot_name = $1`,
    [slot],
  );
  const [row] = rows;
  if (row === undefined) return null;
  if (row.plugin !== 'pgoutput' || row.here !== true || row.confirmed_flush_lsn === null)
    throw new WeirError({
      code: 'WEIR_SLOT_FOREIGN',
      message: `slot "${slot}" is there and is not Weir's: plugin ${row.plugin ?? 'none (physical)'}, database ${row.database ?? 'none'}`,
      hint: 'choose another name with WEIR_SLOT or --slot',
      retry: 'after-operator',
    });
  return { startsAt: parseLsn(row.confirmed_flush_lsn), made: false };
}

interface SlotRow {
  readonly plugin: string | null;
  readonly database: string | null;
  readonly here: boolean | null;
  readonly confirmed_flush_lsn: string | null;
}

/**
 * Makes the slot, which waits for every transaction that runs now and has written; `waits` is told for whom, each
 * time that changes.
 */
export async function makeSlot(
  url: string,
  slot: string,
  waits: (forWhom: readonly string[]) => void,
): Promise<SlotMade> {
  const target = { url, slot, variable: 'DATABASE_URL' };
  const [maker, watcher] = [await connect({ ...target, statementTimeoutMs: 0 }), await connect(target)];
  const done = new AbortController();
  try {
    const watching = watch(watcher, await backendPid(maker), { waits, done: done.signal });
    const { rows } = await maker.query<{ lsn: string }>(
      "select lsn from pg_create_logical_replication_slot($1, 'pgoutput')",
      [slot],
    );
    done.abort();
    await watching;
    const [row] = rows;
    if (row === undefined) throw new Error('pg_create_logical_replication_slot returned no row');
    return { startsAt: parseLsn(row.lsn), made: true };
  } finally {
    done.abort();
    await maker.end();
    await watcher.end();
  }
}

async function backendPid(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const [row] = rows;
  if (row === undefined) throw new Error('pg_backend_pid returned no row');
  return row.pid;
}

async function watch(
  client: pg.ClientBase,
  pid: number,
  { waits, done }: { readonly waits: (forWhom: readonly string[]) => void; readonly done: AbortSignal },
): Promise<void> {
  let told = '';
  while (!done.aborted) {
    const blockers = await blockersOf(client, pid).catch(() => []);
    const now = blockers.join('\n');
    if (now !== told && blockers.length > 0) waits(blockers);
    told = now;
    await pause(POLL_MS, done);
  }
}

/** pg_blocking_pids says 0 for a prepared transaction, which has no backend. */
async function blockersOf(client: pg.ClientBase, pid: number): Promise<readonly string[]> {
  const { rows } = await client.query<{ who: string }>(
    `select format('PID %s (%s, %s, transaction open for %s): %s', a.pid, a.usename,
         coalesce(nullif(a.application_name, ''), 'no application name'), date_trunc('second', now() - a.xact_start),
         left(regexp_replace(a.query, '\\s+', ' ', 'g'), 80)) as who
       from pg_stat_activity a where a.pid = any (pg_blocking_pids($1))
     union all
     select format('prepared transaction %s of %s, since %s', gid, owner, date_trunc('second', prepared))
       from pg_prepared_xacts where 0 = any (pg_blocking_pids($1))`,
    [pid],
  );
  return rows.map((row) => row.who);
}

function pause(ms: number, done: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    done.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
