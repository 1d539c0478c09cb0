import type { PositionText } from '../events/position.ts';

interface Held {
  readonly to: PositionText;
  readonly bytes: number;
}

/**
 * Backpressure from the workers' commits to the source's socket: bytes are acquired when a batch goes into
 * the queue, and released when its partition has committed past it.
 * It never refuses, so it cannot deadlock: whoever sees `full` stops reading, and what was read still goes out.
 */
export class ByteBudget {
  readonly #limit: number;
  readonly #held = new Map<number, Held[]>();
  #outstanding = 0;
  #full = false;

  constructor(limitBytes: number) {
    if (!(limitBytes > 0)) throw new Error(`a byte budget must be above 0, not ${limitBytes}`);
    this.#limit = limitBytes;
  }

  /** Batches of one partition come in order of `to`. */
  acquire(partition: number, to: PositionText, bytes: number): void {
    const held = this.#held.get(partition);
    if (held === undefined) this.#held.set(partition, [{ to, bytes }]);
    else held.push({ to, bytes });
    this.#outstanding += bytes;
    if (this.#outstanding >= this.#limit) this.#full = true;
  }

  /** The partition has committed up to and with `position`. Returns the bytes that this gave back. */
  release(partition: number, position: PositionText): number {
    const held = this.#held.get(partition) ?? [];
    let released = 0;
    let count = 0;
    for (const batch of held) {
      if (batch.to > position) break;
      released += batch.bytes;
      count += 1;
    }
    held.splice(0, count);
    this.#give(released);
    return released;
  }

  /** A new epoch: nothing that was acquired will be committed as such. */
  clear(): void {
    this.#held.clear();
    this.#give(this.#outstanding);
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  /** From the limit on, until half of it is left: the socket is not paused and resumed for each batch. */
  get full(): boolean {
    return this.#full;
  }

  #give(bytes: number): void {
    this.#outstanding -= bytes;
    if (this.#outstanding <= this.#limit / 2) this.#full = false;
  }
}
