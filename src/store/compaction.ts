import type { PositionText } from '../events/position.ts';
import type { Generation } from './segments.ts';

export interface SnapshotSize {
  readonly position: PositionText;
  readonly bytes: number;
}

/** A commit, as far as the log of its partition needs to know. */
export interface Committed {
  readonly to: PositionText;
  readonly epoch: number;
  readonly buckets: Iterable<number>;
  /** Of the segment; 0: it had none. */
  readonly bytes: number;
}

interface Appended {
  readonly position: PositionText;
  readonly bytes: number;
  readonly buckets: Iterable<number>;
}

/** What one of the two segment tables holds. */
interface Contents {
  segments: number;
  bytes: number;
  /** By bucket: the position of its last delta here. */
  readonly last: Map<number, PositionText>;
}

const empty = (): Contents => ({ segments: 0, bytes: 0, last: new Map() });

/** What is written between two batches, so that no commit waits long for it. */
const STEP_BYTES = 256 * 1024;
const STEP_BUCKETS = 16;

/**
 * When to compact which buckets of a partition: decides, and does nothing. What is written stays in proportion
 * to what is committed: a generation has at least half as many bytes as the snapshots that its compaction may write.
 */
export class Compaction {
  readonly snapshots = new Map<number, SnapshotSize>();
  readonly #rotateBytes: number;
  readonly #generations: [Contents, Contents] = [empty(), empty()];
  #live: Generation = 0;
  /** Dirty buckets of the old generation when its compaction began. */
  #toCompact = 0;
  /** Bytes that the live generation has to have before the old one is truncated. */
  #truncateAt = 0;

  constructor(rotateBytes: number) {
    this.#rotateBytes = rotateBytes;
  }

  /** The generation that takes commits; the other one is empty, or being compacted. */
  get live(): Generation {
    return this.#live;
  }

  get #old(): Generation {
    return this.#live === 0 ? 1 : 0;
  }

  /** A segment that was there at the start. */
  found(generation: Generation, segment: Appended): void {
    const contents = this.#generations[generation];
    contents.segments++;
    contents.bytes += segment.bytes;
    for (const bucket of segment.buckets) contents.last.set(bucket, segment.position);
  }

  /** All that was there has been found. Whoever appends has seen all before it, so one generation is wholly newer. */
  resume(): void {
    this.#live = newest(this.#generations[1]) > newest(this.#generations[0]) ? 1 : 0;
    this.#toCompact = this.#dirty().length;
    this.#rotate();
  }

  appended(segment: Appended): void {
    this.found(this.#live, segment);
    this.#rotate();
  }

  /** The live generation has grown and the other is empty: it becomes the old one. */
  #rotate(): void {
    if (this.#generations[this.#old].segments > 0) return;
    if (this.#generations[this.#live].bytes <= this.#threshold()) return;
    this.#live = this.#old;
    this.#toCompact = this.#dirty().length;
    this.#truncateAt = 0;
  }

  #threshold(): number {
    return Math.max(this.#rotateBytes, this.sizes().snapshotBytes / 2);
  }

  sizes(): { readonly segmentBytes: number; readonly snapshotBytes: number } {
    let snapshotBytes = 0;
    for (const snapshot of this.snapshots.values()) snapshotBytes += snapshot.bytes;
    return { segmentBytes: this.#generations[0].bytes + this.#generations[1].bytes, snapshotBytes };
  }

  /** Has the bucket a delta that its snapshot does not cover? */
  isDirty(bucket: number): boolean {
    return this.#isDirtyIn(0, bucket) || this.#isDirtyIn(1, bucket);
  }

  #isDirtyIn(generation: Generation, bucket: number): boolean {
    const last = this.#generations[generation].last.get(bucket);
    return last !== undefined && last > (this.snapshots.get(bucket)?.position ?? '');
  }

  #dirty(): number[] {
    return [...this.#generations[this.#old].last.keys()].filter((bucket) =>
      this.#isDirtyIn(this.#old, bucket),
    );
  }

  /**
   * The buckets to give newer snapshots next; [] when only the TRUNCATE is left; null: nothing is due. The old
   * generation is done by the time the live one is half full, in small steps.
   */
  plan(): readonly number[] | null {
    if (this.#generations[this.#old].segments === 0) return null;
    const { bytes } = this.#generations[this.#live];
    const dirty = this.#dirty();
    if (dirty.length === 0) return bytes >= this.#truncateAt ? [] : null;
    const done = 1 - dirty.length / Math.max(this.#toCompact, dirty.length);
    return done >= (2 * bytes) / this.#threshold() ? null : this.#step(dirty);
  }

  #step(dirty: readonly number[]): readonly number[] {
    let bytes = 0;
    let taken = 0;
    for (const bucket of dirty) {
      bytes += this.snapshots.get(bucket)?.bytes ?? 0;
      if (taken > 0 && (bytes > STEP_BYTES || taken === STEP_BUCKETS)) break;
      taken++;
    }
    return dirty.slice(0, taken);
  }

  /** Are all buckets of the old generation covered, and it not yet truncated? */
  isDone(): boolean {
    return this.#generations[this.#old].segments > 0 && this.#dirty().length === 0;
  }

  truncated(): void {
    this.#generations[this.#old] = empty();
    this.#rotate();
  }

  /** The old generation could not be truncated now. */
  postpone(): void {
    this.#truncateAt = this.#generations[this.#live].bytes + this.#threshold() / 16;
  }
}

function newest(contents: Contents): PositionText {
  let newest = '';
  for (const position of contents.last.values()) if (position > newest) newest = position;
  return newest;
}
