import type { Batch } from '../events/batch.ts';
import type { PositionText } from '../events/position.ts';
import type { ByteBudget } from '../queue/byte-budget.ts';

/** Batches that were closed and are not yet committed, by partition; and whoever waits for room. */
export class InFlight {
  readonly #budget: ByteBudget;
  /** The `to` of each, in order. */
  readonly #held: PositionText[][];
  readonly #positions: PositionText[];
  #movedMs: number;
  #wake: (() => void) | null = null;

  constructor(budget: ByteBudget, positions: readonly PositionText[], nowMs: number) {
    budget.clear();
    this.#budget = budget;
    this.#held = positions.map(() => []);
    this.#positions = [...positions];
    this.#movedMs = nowMs;
  }

  add(batch: Batch, nowMs: number): void {
    // The clock of liveness starts when there is something that could move.
    if (this.batches === 0) this.#movedMs = nowMs;
    this.#budget.acquire(batch.partition, batch.to, batch.bytes);
    this.#held[batch.partition]?.push(batch.to);
  }

  /** What the workers have committed: where all partitions stand. */
  moved(positions: readonly PositionText[], nowMs: number): void {
    positions.forEach((position, partition) => {
      this.committed(partition, position, nowMs);
    });
  }

  /** Positions only go up; what is known already changes nothing. */
  committed(partition: number, position: PositionText, nowMs: number): void {
    if (position <= (this.#positions[partition] as PositionText)) return;
    this.#positions[partition] = position;
    this.#movedMs = nowMs;
    this.#budget.release(partition, position);
    const held = this.#held[partition] as PositionText[];
    let done = 0;
    while (done < held.length && (held[done] as PositionText) <= position) done++;
    held.splice(0, done);
    if (!this.#budget.full) this.wake();
  }

  /** Batches outstanding of a partition. */
  count(partition: number): number {
    return this.#held[partition]?.length ?? 0;
  }

  get batches(): number {
    return this.#held.reduce((sum, held) => sum + held.length, 0);
  }

  /** Batches outstanding, by partition. */
  get depths(): readonly number[] {
    return this.#held.map((held) => held.length);
  }

  get bytes(): number {
    return this.#budget.outstanding;
  }

  get full(): boolean {
    return this.#budget.full;
  }

  /** When a position last moved, or there began to be something that could move. */
  get movedMs(): number {
    return this.#movedMs;
  }

  /** Resolves when there may be room again; who waits looks once more. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  wake(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
