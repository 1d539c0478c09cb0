import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import type { Logger } from 'pino';

/** Beside the partitions' own numbers: every live worker process holds this one shared. */
const MEMBERSHIP = 1_000_000;

export interface OwnershipChange {
  readonly gained: readonly number[];
  readonly surplus: readonly number[];
}

/**
 * Who works on which partition: a session-level advisory lock each, so that a process that dies lets go by
 * dying. It keeps caches warm and is not what makes commits safe: the compare-and-swap on the position is.
 *
 * A crash here can leave a partition without an owner until the server sees the dead socket, never with two
 * owners that both commit.
 */
export class Ownership {
  readonly #client: Client;
  readonly #partitions: number;
  /** The first number of the advisory locks: the instance. */
  readonly #space: number;
  readonly #owned = new Set<number>();
  readonly #logger: Logger;

  constructor(client: Client, options: { processorId: string; partitions: number; logger: Logger }) {
    this.#client = client;
    this.#partitions = options.partitions;
    this.#space = createHash('sha256').update(`weir/${options.processorId}`).digest().readInt32BE(0);
    this.#logger = options.logger;
  }

  get owned(): ReadonlySet<number> {
    return this.#owned;
  }

  async join(): Promise<void> {
    await this.#client.query('select pg_advisory_lock_shared($1, $2)', [this.#space, MEMBERSHIP]);
  }

  /** Takes free partitions up to the fair share; names those above it, for the caller to stop and `release`. */
  async balance(): Promise<OwnershipChange> {
    const share = Math.ceil(this.#partitions / Math.max(1, await this.#members()));
    const surplus = [...this.#owned].sort((a, b) => b - a).slice(0, Math.max(0, this.#owned.size - share));
    const gained: number[] = [];
    for (let p = 0; p < this.#partitions && this.#owned.size < share; p += 1) {
      if (!this.#owned.has(p) && (await this.#tryLock(p))) gained.push(p);
    }
    return { gained, surplus };
  }

  async release(partition: number): Promise<void> {
    this.#owned.delete(partition);
    await this.#client.query('select pg_advisory_unlock($1, $2)', [this.#space, partition]);
  }

  /** Ends the session that holds a partition which does not move although it has work: a process that hangs. */
  async endHolder(partition: number): Promise<void> {
    const ended = await this.#client.query(
      `select pid, pg_terminate_backend(pid) from pg_locks
       where locktype = 'advisory' and classid = $1::oid and objid = $2::oid and objsubid = 2 and granted
         and database = (select oid from pg_database where datname = current_database())
         and pid <> pg_backend_pid()`,
      [this.#space >>> 0, partition],
    );
    for (const row of ended.rows as { pid: number }[]) {
      this.#logger.warn(
        { partition, pid: row.pid },
        'the owner did not move its partition: ended its session',
      );
    }
  }

  async #members(): Promise<number> {
    const counted = await this.#client.query(
      `select count(*)::int as members from pg_locks
       where locktype = 'advisory' and classid = $1::oid and objid = $2::oid and objsubid = 2 and granted
         and database = (select oid from pg_database where datname = current_database())`,
      [this.#space >>> 0, MEMBERSHIP],
    );
    return (counted.rows as { members: number }[])[0]?.members ?? 1;
  }

  async #tryLock(partition: number): Promise<boolean> {
    const tried = await this.#client.query('select pg_try_advisory_lock($1, $2) as taken', [
      this.#space,
      partition,
    ]);
    const taken = (tried.rows as { taken: boolean }[])[0]?.taken === true;
    if (taken) this.#owned.add(partition);
    return taken;
  }
}
