import type { Pool } from 'pg';
import type { PartitionState } from '../engine/partition-state.ts';
import type { PositionText } from '../events/position.ts';
import { PartitionLog, type PartitionLogOptions } from '../store/partition-log.ts';
import type { PartitionName } from '../store/segments.ts';
import { withClient } from '../store/transaction.ts';

/** Another owner has been here since: what is in memory is out of date, and is read again. */
export class LogOutdated extends Error {}

/** A partition's state in the store, as its owner sees it. */
export interface StateLog {
  readonly position: PositionText;
  readonly epoch: number;
  /** Which segment table takes the next segment. */
  readonly generation: 0 | 1;
  /** false: the partitions were re-sharded since it was opened. */
  isCurrent(): Promise<boolean>;
  /** The buckets in which partial matches may wait, and that are not in memory. */
  waiting(): number[];
  /** Brings these buckets into memory. */
  install(state: PartitionState, buckets: readonly number[]): Promise<void>;
  /** What a commit has appended. */
  committed(commit: { to: PositionText; epoch: number; buckets: Iterable<number>; bytes: number }): void;
  /** A small step of compaction, if one is due. */
  tidy(state: PartitionState): Promise<void>;
}

/** Buckets that nothing has touched for so many tidy-ups leave memory, if the store has all of them. */
const COLD_AFTER = 5_000;

/** The log on a pool: each of its transactions takes a session for itself. */
export class PooledStateLog implements StateLog {
  readonly #pool: Pool;
  readonly #log: PartitionLog;
  readonly #touched = new Map<number, number>();
  #tick = 0;

  private constructor(pool: Pool, log: PartitionLog) {
    this.#pool = pool;
    this.#log = log;
  }

  static async open(
    pool: Pool,
    name: PartitionName,
    options: PartitionLogOptions = {},
  ): Promise<PooledStateLog> {
    const log = await withClient(pool, (client) => PartitionLog.open(client, name, options));
    return new PooledStateLog(pool, log);
  }

  get position(): PositionText {
    return this.#log.position;
  }

  get epoch(): number {
    return this.#log.epoch;
  }

  get generation(): 0 | 1 {
    return this.#log.generation;
  }

  isCurrent(): Promise<boolean> {
    return withClient(this.#pool, (client) => this.#log.isCurrent(client));
  }

  waiting(): number[] {
    return [...this.#log.waiting].filter((bucket) => !this.#touched.has(bucket));
  }

  async install(state: PartitionState, buckets: readonly number[]): Promise<void> {
    const loaded = await withClient(this.#pool, (client) => this.#log.load(client, buckets));
    if (loaded === null) throw new LogOutdated();
    for (const [bucket, { snapshot, deltas }] of loaded) {
      state.install(bucket, snapshot, deltas);
      this.#touched.set(bucket, this.#tick);
    }
  }

  committed(commit: { to: PositionText; epoch: number; buckets: Iterable<number>; bytes: number }): void {
    this.#log.committed(commit);
    for (const bucket of commit.buckets) this.#touched.set(bucket, this.#tick);
  }

  async tidy(state: PartitionState): Promise<void> {
    this.#tick += 1;
    if (this.#tick % COLD_AFTER === 0) this.#evictCold(state);
    const due = this.#log.plan();
    if (due === null) return;
    const absent = due.filter((bucket) => !this.#touched.has(bucket));
    if (absent.length > 0) await this.install(state, absent);
    await this.#compact(state, due);
  }

  async #compact(state: PartitionState, due: readonly number[]): Promise<void> {
    const payloads = new Map(due.map((bucket) => [bucket, state.snapshot(bucket)]));
    const done = await withClient(this.#pool, (client) => this.#log.compact(client, payloads));
    if (done === 'fenced') throw new LogOutdated();
    for (const [bucket, payload] of payloads) if (payload === null) this.#evict(state, bucket);
  }

  #evictCold(state: PartitionState): void {
    for (const [bucket, tick] of this.#touched) {
      if (this.#tick - tick <= COLD_AFTER || !this.#log.isCovered(bucket)) continue;
      if (state.isEvictable(bucket)) this.#evict(state, bucket);
    }
  }

  #evict(state: PartitionState, bucket: number): void {
    state.evict(bucket);
    this.#touched.delete(bucket);
  }
}
