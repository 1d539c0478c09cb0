/** However far behind the workers are, rows go into the queue after so long: it keeps them in order too. */
const MAX_WAIT_MS = 100;
const SOON_MS = 1;
/** What the rate forgets at each flush. */
const SMOOTHING = 0.2;

interface LingerOptions {
  readonly lingerMs: number;
  /** Rows that are in no batch yet. */
  readonly rows: () => number;
  /** Closes the batches of partitions that have room for one, or of all. */
  readonly flush: (all: boolean) => void;
  readonly now?: () => number;
}

/**
 * When rows that wait for company go without it. At a few rows a second waiting gathers nothing, so they go in a
 * millisecond; from some hundreds on, twice `lingerMs` halves the jobs. A partition with batches on their way already
 * waits for their commit, so that jobs grow with the load instead of their number.
 */
export class Linger {
  readonly #options: LingerOptions;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;
  #armedMs = 0;
  #flushedMs: number;
  #rowsPerMs = 0;
  /** The linger is over; what is left waits for room. */
  #over = false;

  constructor(options: LingerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#flushedMs = this.#now();
  }

  /** After each piece of the stream. */
  touch(): void {
    if (this.#timer !== null || this.#options.rows() === 0) return;
    this.#armedMs = this.#now();
    this.#over = false;
    this.#arm(lingerFor(this.#rowsPerMs, this.#options.lingerMs));
  }

  /** A partition has committed: there may be room for what waits. */
  room(): void {
    if (this.#over) this.#fire();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#over = false;
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => this.#fire(), ms);
  }

  #fire(): void {
    const nowMs = this.#now();
    if (!this.#over) this.#measure(nowMs);
    this.stop();
    const waitedMs = nowMs - this.#armedMs;
    this.#options.flush(waitedMs >= MAX_WAIT_MS);
    if (this.#options.rows() === 0) return;
    this.#over = true;
    this.#arm(Math.max(SOON_MS, MAX_WAIT_MS - waitedMs));
  }

  #measure(nowMs: number): void {
    const rate = this.#options.rows() / Math.max(1, nowMs - this.#flushedMs);
    this.#rowsPerMs += SMOOTHING * (rate - this.#rowsPerMs);
    this.#flushedMs = nowMs;
  }
}

/** Waiting pays when it gathers two rows or more. */
export function lingerFor(rowsPerMs: number, lingerMs: number): number {
  const longest = 2 * lingerMs;
  return rowsPerMs * longest < 2 ? Math.min(SOON_MS, lingerMs) : longest;
}
