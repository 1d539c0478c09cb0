import type { ClientBase } from 'pg';
import type { PositionText } from '../events/position.ts';
import { classify } from './fault.ts';
import { GenerationIndex, type SnapshotSize } from './generation.ts';
import {
  type Generation,
  listSnapshots,
  loadSnapshots,
  loadTail,
  lockPartition,
  type PartitionName,
  truncateSegments,
  writeSnapshots,
} from './segments.ts';

/*
 * The state of one partition in the store: snapshots of buckets, and above them two tables of segments. One takes
 * the commits; the other is compacted: each bucket with a delta in it gets a newer snapshot, then it is truncated, and
 * it takes the commits as soon as the first has grown.
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

/** A generation is compacted when it has more bytes than this and than half of the snapshots. */
const ROTATE_BYTES = 4 * 1024 * 1024;
/** Between two batches. */
const STEP_BYTES = 256 * 1024;
const STEP_BUCKETS = 16;

export interface PartitionLogOptions {
  readonly rotateBytes?: number;
}

/** One owner at a time; what another has done meanwhile shows as a fence, and then this log is of no more use. */
export class PartitionLog {
  readonly name: PartitionName;
  readonly #rotateBytes: number;
  #epoch: number;
  #position: PositionText;
  #generations: readonly [GenerationIndex, GenerationIndex] = [new GenerationIndex(), new GenerationIndex()];
  #live: Generation = 0;
  readonly #snapshots = new Map<number, SnapshotSize>();
  /** Deltas of buckets that were not loaded yet. */
  readonly #tail = new Map<number, { readonly position: PositionText; readonly delta: string }[]>();
  /** Dirty buckets of the old generation when its compaction began. */
  #toCompact = 0;
  /** Someone reads the old generation's table: not before the live one has so many bytes. */
  #truncateAt = 0;

  private constructor(
    name: PartitionName,
    stands: { position: PositionText; epoch: number },
    options: PartitionLogOptions,
  ) {
    this.name = name;
    this.#position = stands.position;
    this.#epoch = stands.epoch;
    this.#rotateBytes = options.rotateBytes ?? ROTATE_BYTES;
  }

  /** Reads the tail, in one transaction of its own, under the partition's fence. */
  static async open(
    client: ClientBase,
    name: PartitionName,
    options: PartitionLogOptions = {},
  ): Promise<PartitionLog> {
    await client.query('begin');
    try {
      const log = new PartitionLog(name, await lockPartition(client, name), options);
      await log.#read(client);
      return log;
    } finally {
      await client.query('rollback'); // it only read
    }
  }

  async #read(client: ClientBase): Promise<void> {
    for (const [bucket, size] of await listSnapshots(client, this.name)) this.#snapshots.set(bucket, size);
    const newest: [PositionText, PositionText] = ['', ''];
    for await (const { generation, position, bytes, deltas } of loadTail(client, this.name)) {
      this.#generations[generation].add({ position, bytes, buckets: deltas.keys() });
      newest[generation] = position;
      for (const [bucket, delta] of deltas) this.#keep(bucket, { position, delta });
    }
    // Whoever appends has seen all that is above it, so that one generation is wholly newer than the other.
    this.#live = newest[1] > newest[0] ? 1 : 0;
    for (const deltas of this.#tail.values()) deltas.sort((a, b) => (a.position < b.position ? -1 : 1));
    this.#toCompact = this.#old.dirtyBuckets(this.#snapshots).length;
    this.#rotate();
  }

  #keep(bucket: number, entry: { readonly position: PositionText; readonly delta: string }): void {
    const snapshot = this.#snapshots.get(bucket);
    if (snapshot !== undefined && entry.position <= snapshot.position) return;
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

  /** The table that the next commit's segment goes to. */
  get generation(): Generation {
    return this.#live;
  }

  get #old(): GenerationIndex {
    return this.#generations[this.#live === 0 ? 1 : 0];
  }

  get #current(): GenerationIndex {
    return this.#generations[this.#live];
  }

  /** Bytes in segments and in snapshots. */
  sizes(): { readonly segmentBytes: number; readonly snapshotBytes: number } {
    const segmentBytes = this.#generations[0].bytes + this.#generations[1].bytes;
    return { segmentBytes, snapshotBytes: this.#snapshotBytes() };
  }

  #snapshotBytes(): number {
    let bytes = 0;
    for (const snapshot of this.#snapshots.values()) bytes += snapshot.bytes;
    return bytes;
  }

  /**
   * What the store has of these buckets, each of which is given out once; after `isCovered` it may be asked for again.
   * null: another owner has been here, open the log anew.
   */
  async load(
    client: ClientBase,
    buckets: readonly number[],
  ): Promise<ReadonlyMap<number, StoredBucket> | null> {
    const stored = buckets.filter((bucket) => this.#snapshots.has(bucket));
    const snapshots = stored.length === 0 ? new Map() : await loadSnapshots(client, this.name, stored);
    const loaded = new Map<number, StoredBucket>();
    for (const bucket of buckets) {
      const { position, payload } = snapshots.get(bucket) ?? { position: '', payload: EMPTY };
      // Only the owner writes snapshots, and this one has not written any above the log's own.
      if (position !== (this.#snapshots.get(bucket)?.position ?? '')) return null;
      loaded.set(bucket, { snapshot: payload === EMPTY ? null : payload, deltas: this.#take(bucket) });
    }
    return loaded;
  }

  #take(bucket: number): readonly string[] {
    const deltas = this.#tail.get(bucket) ?? [];
    if (deltas.length === 0 && !this.isCovered(bucket)) {
      throw new Error(`bucket ${bucket} was loaded before, and its last deltas are in no snapshot`);
    }
    this.#tail.delete(bucket);
    return deltas.map(({ delta }) => delta);
  }

  /** All of its deltas are in its snapshot: it may leave memory. */
  isCovered(bucket: number): boolean {
    return !this.#generations.some((generation) => generation.isDirty(bucket, this.#snapshots));
  }

  /** The partition has moved, by a commit of these buckets' deltas or with none. */
  committed(commit: {
    readonly to: PositionText;
    readonly epoch: number;
    readonly buckets: Iterable<number>;
    /** Bytes of the segment; 0: none was written. */
    readonly bytes: number;
  }): void {
    this.#position = commit.to;
    this.#epoch = commit.epoch;
    if (commit.bytes === 0) return;
    this.#current.add({ position: commit.to, bytes: commit.bytes, buckets: commit.buckets });
    this.#rotate();
  }

  /** The live generation has grown and the other is empty: it becomes the old one. */
  #rotate(): void {
    if (this.#old.rows > 0 || this.#current.bytes <= this.#threshold()) return;
    this.#live = this.#live === 0 ? 1 : 0;
    this.#toCompact = this.#old.dirtyBuckets(this.#snapshots).length;
    this.#truncateAt = 0;
  }

  #threshold(): number {
    return Math.max(this.#rotateBytes, this.#snapshotBytes() / 2);
  }

  /**
   * The buckets to give to `compact` next; [] when all are done and the table is to be truncated. null: nothing is
   * due. The old generation is done by the time the live one is half full, in small steps.
   */
  plan(): readonly number[] | null {
    if (this.#old.rows === 0) return null;
    const dirty = this.#old.dirtyBuckets(this.#snapshots);
    const filled = this.#current.bytes / this.#threshold();
    if (dirty.length === 0) return this.#current.bytes >= this.#truncateAt ? [] : null;
    const done = 1 - dirty.length / Math.max(this.#toCompact, dirty.length);
    return done >= 2 * filled ? null : this.#step(dirty);
  }

  #step(dirty: readonly number[]): readonly number[] {
    let bytes = 0;
    let taken = 0;
    for (const bucket of dirty) {
      bytes += this.#snapshots.get(bucket)?.bytes ?? 0;
      if (taken > 0 && (bytes > STEP_BYTES || taken === STEP_BUCKETS)) break;
      taken++;
    }
    return dirty.slice(0, taken);
  }

  /**
   * Writes snapshots of buckets as they are at the log's position (null: nothing is left in it), and truncates the old
   * generation once all of its buckets are covered. `fenced`: open the log anew.
   */
  async compact(
    client: ClientBase,
    payloads: ReadonlyMap<number, string | null>,
  ): Promise<'done' | 'fenced'> {
    const texts = new Map([...payloads].map(([bucket, payload]) => [bucket, payload ?? EMPTY]));
    if (texts.size > 0) {
      const written = await this.#underFence(client, () =>
        writeSnapshots(client, this.name, { position: this.#position, payloads: texts }),
      );
      if (!written) return 'fenced';
      for (const [bucket, text] of texts) {
        this.#snapshots.set(bucket, { position: this.#position, bytes: Buffer.byteLength(text) });
        this.#tail.delete(bucket);
      }
    }
    if (this.#old.rows === 0 || this.#old.dirtyBuckets(this.#snapshots).length > 0) return 'done';
    return this.#truncate(client);
  }

  async #truncate(client: ClientBase): Promise<'done' | 'fenced'> {
    const old: Generation = this.#live === 0 ? 1 : 0;
    try {
      if (!(await this.#underFence(client, () => truncateSegments(client, this.name, old)))) return 'fenced';
    } catch (error) {
      if (classify(error).code !== '55P03') throw error;
      this.#truncateAt = this.#current.bytes + this.#threshold() / 16;
      return 'done';
    }
    this.#generations =
      this.#live === 0 ? [this.#current, new GenerationIndex()] : [new GenerationIndex(), this.#current];
    this.#rotate();
    return 'done';
  }

  /** false: the partition does not stand where this log does, and nothing was written. */
  async #underFence(client: ClientBase, write: () => Promise<void>): Promise<boolean> {
    await client.query('begin');
    try {
      const stands = await lockPartition(client, this.name);
      if (stands.position !== this.#position || stands.epoch !== this.#epoch) {
        await client.query('rollback');
        return false;
      }
      await write();
      await client.query('commit');
      return true;
    } catch (error) {
      await client.query('rollback').catch(() => undefined); // the first error is the one to tell
      throw error;
    }
  }
}
