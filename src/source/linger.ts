/** How long rows may wait for company when the queue is busy: it takes them no sooner anyway. */
const MAX_WAIT_MS = 25;
const BUSY_RETRY_MS = 2;
const SOON_MS = 1;
/** What the rate forgets at each flush. */
const SMOOTHING = 0.2;

interface LingerOptions {
  readonly lingerMs: number;
  readonly rows: () => number;
  readonly flush: () => void;
  /** The queue has not yet taken what was flushed before. */
  readonly busy: () => boolean;
  readonly now?: () => number;
}

/**
 * When rows that wait for company go without it. At a few rows a second waiting gathers nothing, so they go in a
 * millisecond; from some hundreds on, twice `lingerMs` halves the jobs; while the queue is busy, they wait for it.
 */
export class Linger {
  readonly #options: LingerOptions;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;
  #armedMs = 0;
  #flushedMs: number;
  #rowsPerMs = 0;

  constructor(options: LingerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#flushedMs = this.#now();
  }

  /** After each piece of the stream. */
  touch(): void {
    if (this.#timer !== null || this.#options.rows() === 0) return;
    this.#armedMs = this.#now();
    this.#timer = setTimeout(() => this.#fire(), lingerFor(this.#rowsPerMs, this.#options.lingerMs));
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #fire(): void {
    const nowMs = this.#now();
    if (this.#options.busy() && nowMs - this.#armedMs < MAX_WAIT_MS) {
      this.#timer = setTimeout(() => this.#fire(), BUSY_RETRY_MS);
      return;
    }
    this.#timer = null;
    const rate = this.#options.rows() / Math.max(1, nowMs - this.#flushedMs);
    this.#rowsPerMs += SMOOTHING * (rate - this.#rowsPerMs);
    this.#flushedMs = nowMs;
    this.#options.flush();
  }
}

/** Waiting pays when it gathers two rows or more. */
export function lingerFor(rowsPerMs: number, lingerMs: number): number {
  const longest = 2 * lingerMs;
  return rowsPerMs * longest < 2 ? Math.min(SOON_MS, lingerMs) : longest;
}
