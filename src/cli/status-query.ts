import type pg from 'pg';
import { formatLsn, parsePosition } from '../events/position.ts';
import { readLocks } from '../store/partition-locks.ts';

export interface PartitionStatus {
  readonly partition: number;
  readonly position: string;
  /** WAL between it and the end of the source's WAL. */
  readonly behindBytes: number;
  readonly movedAt: Date;
  readonly status: string;
  /** The PostgreSQL session of the worker that owns it; null: nobody does. */
  readonly ownerPid: number | null;
}

/** A standby has no current WAL; what it has replayed is its end. */
const WAL_END =
  'case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end';

export async function partitionStatus(
  store: pg.Pool,
  source: pg.ClientBase,
  instance: string,
): Promise<readonly PartitionStatus[]> {
  const { rows } = await store.query<{ partition: number; position: string; moved: Date; status: string }>(
    `select partition, position, last_checkpoint_time as moved, status
     from weir.checkpoints where processor_id = $1 order by partition`,
    [instance],
  );
  const { owners } = await readLocks(store, instance);
  const lsns = rows.map((row) => formatLsn(parsePosition(row.position).lsn));
  const behind = await source.query<{ bytes: string }>(
    `select greatest(0, pg_wal_lsn_diff(${WAL_END}, lsn)) as bytes
     from unnest($1::pg_lsn[]) with ordinality as position (lsn, number) order by number`,
    [lsns],
  );
  return rows.map((row, index) => ({
    partition: row.partition,
    position: row.position,
    behindBytes: Number(behind.rows[index]?.bytes ?? 0),
    movedAt: row.moved,
    status: row.status,
    ownerPid: owners.get(row.partition) ?? null,
  }));
}

export interface Counts {
  readonly alertsLastHour: number;
  /** Nobody has seen to them yet. */
  readonly deadLetters: number;
  /** When the rule set in force at the acknowledgement was stored. */
  readonly rulesStoredAt: Date | null;
}

/** Each by an index: the tables may be large. */
export async function counts(store: pg.Pool, instance: string, rules: string): Promise<Counts> {
  const { rows } = await store.query<{ alerts: string; dead: string; stored: Date | null }>(
    `select (select count(*) from weir.alerts
         where processor_id = $1 and detected_at > now() - interval '1 hour') as alerts,
       (select count(*) from weir.dead_letters where processor_id = $1 and resolved_at is null) as dead,
       (select created_at from weir.rule_versions where version = $2) as stored`,
    [instance, rules],
  );
  const [row] = rows;
  return {
    alertsLastHour: Number(row?.alerts ?? 0),
    deadLetters: Number(row?.dead ?? 0),
    rulesStoredAt: row?.stored ?? null,
  };
}
