/** Half of the time that a partition may stand still although it has work. */
const LOOK_AGAIN_MS = 7_500;

interface Seen {
  readonly position: string;
  /** Since when it has stood there, or was last looked at more closely. */
  readonly sinceMs: number;
  readonly hadWork: boolean;
}

/**
 * Which partitions of others hang: they had work twice, 7.5 seconds apart, and have stood still for 15. One that
 * merely had nothing to do (its source was away) is not ended in the moment that work comes.
 */
export class HungPartitions {
  readonly #seen = new Map<number, Seen>();

  /** Those that have stood still for long enough to ask whether they have work. */
  suspects(positions: readonly string[], nowMs: number): readonly number[] {
    return positions.flatMap((position, partition) => {
      const seen = this.#seen.get(partition);
      if (seen?.position === position) return nowMs - seen.sinceMs > LOOK_AGAIN_MS ? [partition] : [];
      this.#seen.set(partition, { position, sinceMs: nowMs, hadWork: false });
      return [];
    });
  }

  /** Of a suspect: it hangs. What is ended is given its time anew. */
  hangs(partition: number, hasWork: boolean, nowMs: number): boolean {
    const seen = this.#seen.get(partition);
    if (seen === undefined) return false;
    const hangs = hasWork && seen.hadWork;
    this.#seen.set(partition, { ...seen, sinceMs: nowMs, hadWork: hasWork && !hangs });
    return hangs;
  }
}
