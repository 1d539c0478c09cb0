import type pg from 'pg';
import { formatLsn, parsePosition } from '../events/position.ts';

export interface PartitionStatus {
  readonly partition: number;
  readonly position: string;
  /** WAL between it and the end of the source's WAL. */
  readonly behindBytes: number;
  readonly movedAt: Date;
  readonly status: string;
}

export interface SlotStatus {
  readonly active: boolean;
  readonly activePid: number | null;
  readonly walStatus: string | null;
  readonly confirmedFlushLsn: string | null;
  /** WAL that PostgreSQL keeps for it. */
  readonly retainedBytes: number | null;
  /** WAL that may still be written before it is lost; null: no limit is set. */
  readonly safeBytes: number | null;
}

/** null: there is no such slot. */
export async function slotStatus(source: pg.ClientBase, slot: string): Promise<SlotStatus | null> {
  const { rows } = await source.query<SlotRow>(
    `select active, active_pid, wal_status, confirmed_flush_lsn, safe_wal_size,
       pg_wal_lsn_diff(${WAL_END}, restart_lsn) as retained
     from pg_replication_slots where slot_name = $1 and database = current_database()`,
    [slot],
  );
  const [row] = rows;
  if (row === undefined) return null;
  return {
    active: row.active,
    activePid: row.active_pid,
    walStatus: row.wal_status,
    confirmedFlushLsn: row.confirmed_flush_lsn,
    retainedBytes: row.retained === null ? null : Number(row.retained),
    safeBytes: row.safe_wal_size === null ? null : Number(row.safe_wal_size),
  };
}

/** A standby has no current WAL; what it has replayed is its end. */
const WAL_END =
  'case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end';

interface SlotRow {
  readonly active: boolean;
  readonly active_pid: number | null;
  readonly wal_status: string | null;
  readonly confirmed_flush_lsn: string | null;
  readonly safe_wal_size: string | null;
  readonly retained: string | null;
}

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
