import type { Change } from './change.ts';

/** What came since the last `take`: changes with the bytes that each was on the wire. */
export interface Received {
  readonly changes: readonly Change[];
  readonly sizes: readonly number[];
}

interface Valve {
  pause(): void;
  resume(): void;
}

/**
 * Between the socket, which pushes, and the reader, which pulls. Bounded: over `highWaterBytes` it pauses the
 * socket until the reader has taken what is there, so a reader that waits for the byte budget pauses it too.
 */
export class Inbox {
  readonly #valve: Valve;
  readonly #highWaterBytes: number;
  #changes: Change[] = [];
  #sizes: number[] = [];
  #bytes = 0;
  #paused = false;
  #interrupted = false;
  #ended: { readonly error: Error | null } | null = null;
  #wake: (() => void) | null = null;

  constructor(valve: Valve, highWaterBytes: number) {
    this.#valve = valve;
    this.#highWaterBytes = highWaterBytes;
  }

  get paused(): boolean {
    return this.#paused;
  }

  push(change: Change, size: number): void {
    if (this.#ended !== null) return;
    this.#changes.push(change);
    this.#sizes.push(size);
    this.#bytes += size;
    if (this.#bytes >= this.#highWaterBytes && !this.#paused) {
      this.#paused = true;
      this.#valve.pause();
    }
    this.#signal();
  }

  /** The stream is over; what was pushed before can no longer be taken when there is an error. */
  end(error: Error | null): void {
    this.#ended ??= { error };
    this.#signal();
  }

  /** Whoever waits is given what there is, be it nothing: a drain. */
  interrupt(): void {
    this.#interrupted = true;
    this.#signal();
  }

  /** null: the stream has ended. */
  async take(): Promise<Received | null> {
    for (;;) {
      if (this.#ended !== null && (this.#ended.error !== null || this.#changes.length === 0)) {
        if (this.#ended.error !== null) throw this.#ended.error;
        return null;
      }
      if (this.#changes.length > 0 || this.#interrupted) return this.#drain();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #drain(): Received {
    this.#interrupted = false;
    const received = { changes: this.#changes, sizes: this.#sizes };
    this.#changes = [];
    this.#sizes = [];
    this.#bytes = 0;
    if (this.#paused) {
      this.#paused = false;
      this.#valve.resume();
    }
    return received;
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
