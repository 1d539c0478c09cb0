import type { ClientBase, Pool } from 'pg';
import { transaction, withClient } from './transaction.ts';

/** What the source and `weir init` do with the lists in the store. */
export interface ListControl {
  /**
   * The revision that a message of transaction `xid` of the source names; null: none. `settled` false: the store may
   * not see that transaction yet, though the stream has brought it (it waits for a synchronous standby).
   */
  listRevision(
    token: string,
    xid: number,
  ): Promise<{ readonly revision: number | null; readonly settled: boolean }>;
  /** The last revision; null: no list was ever made. */
  lastLists(): Promise<{ readonly revision: number; readonly token: string } | null>;
  /** Makes the lists that are not in the store, with what the rule files put into them. Others stay as they are. */
  seedLists(seeds: Seeds): Promise<void>;
}

/** By the list's name. */
export type Seeds = ReadonlyMap<string, ReadonlySet<string>>;

export function openListControl(pool: Pool, processorId: string): ListControl {
  return {
    listRevision: async (token, xid) => {
      const { rows } = await pool.query<{ revision: string | null; settled: boolean }>(NAMED, [
        processorId,
        token,
        xid,
      ]);
      const [found] = rows;
      const revision = found?.revision ?? null;
      return { revision: revision === null ? null : Number(revision), settled: found?.settled ?? true };
    },
    lastLists: async () => {
      const { rows } = await pool.query<{ revision: string; token: string }>(LAST);
      const [last] = rows;
      return last === undefined ? null : { revision: Number(last.revision), token: last.token };
    },
    seedLists: async (seeds) => {
      if (seeds.size === 0) return;
      await withClient(pool, (client) => transaction(client, () => seedLists(client, seeds)));
    },
  };
}

/** A 32-bit transaction id is made whole by the epoch that is nearest to now. */
const NAMED = `with stand as (
    select ($3::bigint - n.xmax % 4294967296 + 6442450944) % 4294967296 - 2147483648 + n.xmax as xid
    from (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xmax) n
  )
  select (select r.revision from weir.list_revisions r where r.token = $2) as revision,
    not weir.streams_here(i) or pg_visible_in_snapshot(greatest(s.xid, 0)::text::xid8, pg_current_snapshot()) as settled
  from weir.instances i, stand s where i.processor_id = $1`;
const LAST = `select r.revision, r.token from weir.list_clock c join weir.list_revisions r using (revision)`;

/** 0: no list was ever made. */
export async function lastRevision(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ revision: string }>('select revision from weir.list_clock');
  return Number(rows[0]?.revision ?? 0);
}

/** In the caller's transaction, which then holds the lock of all who edit lists, if it has made one. */
export async function seedLists(client: ClientBase, seeds: Seeds): Promise<void> {
  const known = await client.query<{ name: string }>('select name from weir.lists');
  const missing = [...seeds].filter(([name]) => known.rows.every((list) => list.name !== name));
  if (missing.length === 0) return;
  await client.query("select set_config('weir.on_behalf_of', 'rules', true)");
  for (const [name, values] of missing) {
    const made = await client.query(
      'insert into weir.lists (name) values ($1) on conflict (name) do nothing',
      [name],
    );
    if (made.rowCount === 0) continue; // by another who has just started
    await client.query('insert into weir.list_entries (list_name, value) select $1, unnest($2::text[])', [
      name,
      [...values],
    ]);
  }
}
