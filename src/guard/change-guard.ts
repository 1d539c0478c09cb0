import type { Client } from 'pg';
import { WeirError } from '../errors.ts';
import type { TableName } from '../source/catalog.ts';
import { transaction } from '../store/transaction.ts';
import { qualified } from './guard-script.ts';

/** Who asks for a lock waits so long, and the host's inserts behind it. */
export const LOCK_TIMEOUT = '5s';

/**
 * Installs or removes a guard: all of it in one transaction, whose one lock on the table is asked for last.
 *
 * A crash here can leave the guard as it was, never half of one.
 * @throws WeirError WEIR_GUARD_LOCK, with who holds the table.
 */
export async function changeGuard(
  client: Client,
  table: TableName,
  statements: readonly string[],
): Promise<void> {
  try {
    await transaction(client, async () => {
      await client.query(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
      for (const statement of statements) await client.query(statement);
    });
  } catch (error) {
    throw codeOf(error) === '55P03' ? await locked(client, table, error) : error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}

async function locked(client: Client, table: TableName, cause: unknown): Promise<WeirError> {
  const { rows } = await client.query<{ pid: number; mode: string; seconds: number }>(
    `select l.pid, l.mode, coalesce(extract(epoch from clock_timestamp() - a.xact_start), 0)::int as seconds
     from pg_locks l left join pg_stat_activity a using (pid)
     where l.relation = $1::regclass and l.granted and l.pid <> pg_backend_pid()
       and l.mode not in ('AccessShareLock', 'RowShareLock') order by 3 desc`,
    [qualified(table)],
  );
  const holders = rows.map(
    ({ pid, mode, seconds }) => `PID ${pid} holds ${mode}, its transaction is ${seconds} s old`,
  );
  return new WeirError({
    code: 'WEIR_GUARD_LOCK',
    message: `the trigger needs a lock (SHARE ROW EXCLUSIVE) on ${table.schema}.${table.name}, and did not get it within ${LOCK_TIMEOUT}: ${holders.join('; ') || 'whoever held it has ended'}`,
    hint: 'let those transactions end, and run it again: nothing was changed',
    retry: 'after-operator',
    cause,
  });
}
