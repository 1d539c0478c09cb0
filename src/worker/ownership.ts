import type { Client } from 'pg';
import type { Logger } from 'pino';
import { lockSpace, MEMBERSHIP, readLocks } from '../store/partition-locks.ts';
import { Unowned } from '../store/unowned.ts';

export interface OwnershipChange {
  readonly gained: readonly number[];
  readonly surplus: readonly number[];
}

/** Whoever comes takes its share within a second or two. */
const TAKES_MS = 10_000;

/**
 * Who works on which partition: a session-level advisory lock each, so that a process that dies lets go by
 * dying. It keeps caches warm and is not what makes commits safe: the compare-and-swap on the position is.
 *
 * A crash here can leave a partition without an owner until the server sees the dead socket, never with two
 * owners that both commit.
 */
export class Ownership {
  readonly #client: Client;
  readonly #processorId: string;
  readonly #partitions: number;
  /** The first number of the advisory locks: the instance. */
  readonly #space: number;
  readonly #owned = new Set<number>();
  readonly #unowned = new Unowned();
  readonly #logger: Logger;

  constructor(client: Client, options: { processorId: string; partitions: number; logger: Logger }) {
    this.#client = client;
    this.#partitions = options.partitions;
    this.#processorId = options.processorId;
    this.#space = lockSpace(options.processorId);
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
    const { members, owners, self } = await readLocks(this.#client, this.#processorId);
    const share = Math.ceil(this.#partitions / Math.max(1, members.size));
    const surplus = [...this.#owned].sort((a, b) => b - a).slice(0, Math.max(0, this.#owned.size - share));
    const gained: number[] = [];
    for (let p = 0; p < this.#partitions && this.#owned.size < share; p += 1) {
      if (!owners.has(p) && (await this.#tryLock(p))) gained.push(p);
    }
    const has = (p: number): boolean => owners.has(p) || this.#owned.has(p);
    if (this.#standFree({ has })) {
      const held = [...owners.values()];
      const count = (pid: number): number => held.filter((owner) => owner === pid).length;
      for (const pid of members) if (pid !== self && count(pid) < share) await this.#endMember(pid);
    }
    return { gained, surplus };
  }

  #standFree(owned: { has(partition: number): boolean }): boolean {
    const look = { partitions: this.#partitions, nowMs: Date.now(), forMs: TAKES_MS };
    const free = this.#unowned.look(owned, look).length > 0;
    if (free) this.#unowned.clear();
    return free;
  }

  /**
   * Ends the session of a worker that has joined, so that others leave it its share, and does not take it: it hangs.
   * When it wakes it joins anew.
   */
  async #endMember(pid: number): Promise<void> {
    await this.#client.query('select pg_terminate_backend($1)', [pid]);
    this.#logger.warn({ pid }, 'a worker did not take its share of the partitions: ended its session');
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
