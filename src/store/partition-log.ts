import type { ClientBase } from 'pg';
import { WITH_PARTIALS } from '../engine/state-codec.ts';
import type { PositionText } from '../events/position.ts';
import { failpoint } from '../failpoint.ts';
import { type Committed, Compaction } from './compaction.ts';
import { classify } from './fault.ts';
import {
  type Generation,
  listSnapshots,
  loadSnapshots,
  loadTail,
  lockPartition,
  type PartitionName,
  type Snapshot,
  tablesOf,
  truncateSegments,
  writeSnapshots,
} from './segments.ts';
import { transaction } from './transaction.ts';

/*
 * The state of one partition in the store: snapshots of buckets, and above them two tables of segments. One takes
 * the commits; the other is compacted: each bucket with a delta in it gets a newer snapshot, then it is truncated, and
 * it takes the commits once the first has grown.
 *
 * A crash here can leave deltas that a snapshot covers already (they are skipped by their position), or a table
 * that waits for its TRUNCATE; never a delta that is in no segment and in no snapshot.
 */

/** What the store has of a bucket: `PartitionState.install` takes it. */
export interface StoredBucket {
  readonly snapshot: string | null;
  /** Above the snapshot, oldest first. */
  readonly deltas: readonly string[];
}

/** A compacted bucket in which nothing is left; it has a row still, whose position covers old deltas. */
const EMPTY = '';

export interface PartitionLogOptions {
  /** A generation of segments is compacted from this size on; default 4 MB. */
  readonly rotateBytes?: number;
}

const ROTATE_BYTES = 4 * 1024 * 1024;

/** One owner at a time; what another has done meanwhile shows as a fence, and then this log is of no more use. */
export class PartitionLog {
  readonly name: PartitionName;
  readonly #compaction: Compaction;
  /** Deltas of buckets that were not loaded yet. */
  readonly #tail = new Map<number, { readonly position: PositionText; readonly delta: string }[]>();
  readonly #waiting = new Set<number>();
  #position: PositionText = '';
  #epoch = 0;
  #tables: string | null = null;

  private constructor(name: PartitionName, options: PartitionLogOptions) {
    this.name = name;
    this.#compaction = new Compaction(options.rotateBytes ?? ROTATE_BYTES);
  }

  /** Reads the tail, in a transaction of its own, under the partition's fence. */
  static open(
    client: ClientBase,
    name: PartitionName,
    options: PartitionLogOptions = {},
  ): Promise<PartitionLog> {
    const log = new PartitionLog(name, options);
    return transaction(client, async () => {
      const { position, epoch } = await lockPartition(client, name);
      log.#position = position;
      log.#epoch = epoch;
      log.#tables = await tablesOf(client, name);
      await log.#read(client);
      return log;
    });
  }

  /** false: the partitions were re-sharded, so that this log is of other buckets, although it stands where it stood. */
  async isCurrent(client: ClientBase): Promise<boolean> {
    return (await tablesOf(client, this.name)) === this.#tables;
  }

  async #read(client: ClientBase): Promise<void> {
    for (const [bucket, { begins, ...size }] of await listSnapshots(client, this.name, WITH_PARTIALS)) {
      this.#compaction.snapshots.set(bucket, size);
      if (begins) this.#waiting.add(bucket);
    }
    for await (const { generation, position, bytes, deltas } of loadTail(client, this.name)) {
      this.#compaction.found(generation, { position, bytes, buckets: deltas.keys() });
      for (const [bucket, delta] of deltas) this.#keep(bucket, { position, delta });
    }
    this.#compaction.resume();
    for (const deltas of this.#tail.values()) deltas.sort((a, b) => (a.position < b.position ? -1 : 1));
  }

  #keep(bucket: number, entry: { readonly position: PositionText; readonly delta: string }): void {
    const snapshot = this.#compaction.snapshots.get(bucket);
    if (snapshot !== undefined && entry.position <= snapshot.position) return;
    if (entry.delta.startsWith(WITH_PARTIALS)) this.#waiting.add(bucket);
    const deltas = this.#tail.get(bucket);
    if (deltas === undefined) this.#tail.set(bucket, [entry]);
    else deltas.push(entry);
  }

  get position(): PositionText {
    return this.#position;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Those in which partial matches of patterns may wait, as the store was when the log was opened. */
  get waiting(): ReadonlySet<number> {
    return this.#waiting;
  }

  /** The table that the next commit's segment goes to. */
  get generation(): Generation {
    return this.#compaction.live;
  }

  /** Bytes in segments and in snapshots. */
  sizes(): { readonly segmentBytes: number; readonly snapshotBytes: number } {
    return this.#compaction.sizes();
  }

  /**
   * What the store has of these buckets, each of which is given out once; when `isCovered` says so it may be asked
   * for again. null: another owner has been here, open the log anew.
   */
  async load(
    client: ClientBase,
    buckets: readonly number[],
  ): Promise<ReadonlyMap<number, StoredBucket> | null> {
    const stored = buckets.filter((bucket) => this.#compaction.snapshots.has(bucket));
    const snapshots = stored.length === 0 ? NONE : await loadSnapshots(client, this.name, stored);
    // Only an owner writes snapshots, and this one has not written any but those that the log knows.
    const moved = stored.some(
      (bucket) => snapshots.get(bucket)?.position !== this.#compaction.snapshots.get(bucket)?.position,
    );
    if (moved) return null;
    return new Map(
      buckets.map((bucket) => {
        const payload = snapshots.get(bucket)?.payload ?? EMPTY;
        return [bucket, { snapshot: payload === EMPTY ? null : payload, deltas: this.#take(bucket) }];
      }),
    );
  }

  #take(bucket: number): readonly string[] {
    const deltas = this.#tail.get(bucket);
    if (deltas === undefined && !this.isCovered(bucket)) {
      throw new Error(`bucket ${bucket} was loaded before, and its last deltas are in no snapshot`);
    }
    this.#tail.delete(bucket);
    return deltas?.map(({ delta }) => delta) ?? [];
  }

  /** All of its deltas are in its snapshot: its state may leave memory, and be loaded again. */
  isCovered(bucket: number): boolean {
    return !this.#compaction.isDirty(bucket);
  }

  /** The partition has moved, by a commit with these buckets' deltas in its segment, or (bytes 0) with no segment. */
  committed(commit: Committed): void {
    this.#position = commit.to;
    this.#epoch = commit.epoch;
    if (commit.bytes > 0) this.#compaction.appended({ ...commit, position: commit.to });
  }

  /**
   * The buckets whose snapshots `compact` wants next; [] when it only has a table to truncate; null: nothing is due.
   */
  plan(): readonly number[] | null {
    return this.#compaction.plan();
  }

  /**
   * Writes snapshots of loaded buckets as they are at the log's position (null: nothing is left in it), and truncates
   * the old generation once all of its buckets are covered. `fenced`: open the log anew.
   */
  async compact(
    client: ClientBase,
    payloads: ReadonlyMap<number, string | null>,
  ): Promise<'done' | 'fenced'> {
    if (payloads.size > 0 && !(await this.#snapshot(client, payloads))) return 'fenced';
    return this.#compaction.isDone() ? this.#truncate(client) : 'done';
  }

  async #snapshot(client: ClientBase, payloads: ReadonlyMap<number, string | null>): Promise<boolean> {
    const position = this.#position;
    const texts = new Map([...payloads].map(([bucket, payload]) => [bucket, payload ?? EMPTY]));
    const written = await this.#underFence(client, () =>
      writeSnapshots(client, this.name, { position, payloads: texts }),
    );
    if (!written) return false;
    failpoint('compaction.snapshot');
    for (const [bucket, { length }] of texts) {
      this.#compaction.snapshots.set(bucket, { position, bytes: length });
    }
    return true;
  }

  async #truncate(client: ClientBase): Promise<'done' | 'fenced'> {
    const old: Generation = this.generation === 0 ? 1 : 0;
    try {
      if (!(await this.#underFence(client, () => truncateSegments(client, this.name, old)))) return 'fenced';
    } catch (error) {
      if (classify(error).code !== '55P03') throw error;
      this.#compaction.postpone(); // somebody reads the table
      return 'done';
    }
    failpoint('compaction.truncated');
    this.#compaction.truncated();
    return 'done';
  }

  /** false: the partition does not stand where this log does, and nothing was written. */
  #underFence(client: ClientBase, write: () => Promise<void>): Promise<boolean> {
    return transaction(client, async () => {
      const stands = await lockPartition(client, this.name);
      if (stands.position !== this.#position || stands.epoch !== this.#epoch) return false;
      await write();
      return true;
    });
  }
}

const NONE: ReadonlyMap<number, Snapshot> = new Map();
