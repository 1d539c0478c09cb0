import { createHash } from 'node:crypto';
import type { Client, Pool } from 'pg';

/** Beside the partitions' own numbers: every live worker process holds this one shared. */
export const MEMBERSHIP = 1_000_000;

/** The first number of an instance's advisory locks; the second is a partition, or MEMBERSHIP. */
export function lockSpace(processorId: string): number {
  return createHash('sha256').update(`weir/${processorId}`).digest().readInt32BE(0);
}

export interface PartitionLocks {
  /** The session of each partition's owner; a partition that is not here has none. */
  readonly owners: ReadonlyMap<number, number>;
  /** The sessions of all live workers, the asking one among them. */
  readonly members: ReadonlySet<number>;
  /** The asking session. */
  readonly self: number;
}

/** Who works on which partition, by the advisory locks that the workers hold. */
export async function readLocks(store: Client | Pool, processorId: string): Promise<PartitionLocks> {
  const { rows } = await store.query<{ lock: number; pid: number; self: number }>(LOCKS, [
    lockSpace(processorId) >>> 0,
  ]);
  const owners = new Map<number, number>();
  const members = new Set<number>();
  for (const { lock, pid } of rows) {
    if (lock === MEMBERSHIP) members.add(pid);
    else owners.set(lock, pid);
  }
  return { owners, members, self: rows[0]?.self ?? -1 };
}

const LOCKS = `select objid::int4 as lock, pid, pg_backend_pid() as self from pg_locks
  where locktype = 'advisory' and classid = $1::oid and objsubid = 2 and granted
    and database = (select oid from pg_database where datname = current_database())`;
