const FIRST_MS = 100;
const MAX_MS = 5_000;
/** What has run so long is no attempt that failed. */
const HEALTHY_MS = 30_000;

/** Waits between attempts: doubling, with jitter so that many do not come back at once. */
export class Backoff {
  #attempt = 0;

  /** `ranMs`: how long the attempt that failed had been running. */
  nextMs(ranMs: number, random: () => number = Math.random): number {
    if (ranMs >= HEALTHY_MS) this.#attempt = 0;
    const ceiling = Math.min(MAX_MS, FIRST_MS * 2 ** this.#attempt);
    this.#attempt++;
    return ceiling / 2 + (random() * ceiling) / 2;
  }

  reset(): void {
    this.#attempt = 0;
  }
}
