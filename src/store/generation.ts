import type { PositionText } from '../events/position.ts';

export interface SnapshotSize {
  readonly position: PositionText;
  readonly bytes: number;
}

/** What one of the two segment tables of a partition holds, as far as compaction needs to know. */
export class GenerationIndex {
  /** Segments. */
  rows = 0;
  bytes = 0;
  /** By bucket: the position of its last delta here. */
  readonly #last = new Map<number, PositionText>();

  add(segment: {
    readonly position: PositionText;
    readonly bytes: number;
    readonly buckets: Iterable<number>;
  }): void {
    this.rows++;
    this.bytes += segment.bytes;
    for (const bucket of segment.buckets) this.#last.set(bucket, segment.position);
  }

  /** Has the bucket a delta here that its snapshot does not cover? */
  isDirty(bucket: number, snapshots: ReadonlyMap<number, SnapshotSize>): boolean {
    const last = this.#last.get(bucket);
    if (last === undefined) return false;
    const snapshot = snapshots.get(bucket);
    return snapshot === undefined || snapshot.position < last;
  }

  dirtyBuckets(snapshots: ReadonlyMap<number, SnapshotSize>): number[] {
    return [...this.#last.keys()].filter((bucket) => this.isDirty(bucket, snapshots));
  }
}
