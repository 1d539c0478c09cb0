/** Whoever has not looked for so long (it was paused, or idle) cannot say that nothing happened meanwhile. */
const BREAK_MS = 3_000;

/** For how long partitions have had no owner, by one who looks every second. */
export class Unowned {
  readonly #since = new Map<number, number>();
  #lookedMs = Number.NEGATIVE_INFINITY;

  /** `owned`: the partitions that have an owner now. Returns those that have had none for `forMs`. */
  look(
    owned: { has(partition: number): boolean },
    { partitions, nowMs, forMs }: { partitions: number; nowMs: number; forMs: number },
  ): readonly number[] {
    if (nowMs - this.#lookedMs > BREAK_MS) this.#since.clear();
    this.#lookedMs = nowMs;
    const found: number[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      if (owned.has(partition)) this.#since.delete(partition);
      else if (!this.#since.has(partition)) this.#since.set(partition, nowMs);
      else if (nowMs - (this.#since.get(partition) ?? nowMs) >= forMs) found.push(partition);
    }
    return found;
  }

  /** What has been done about them is given its time. */
  clear(): void {
    this.#since.clear();
  }
}
