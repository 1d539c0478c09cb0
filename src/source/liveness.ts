import { Unowned } from '../store/unowned.ts';

/** What the source sees of the work that it has handed out. */
export interface Outstanding {
  readonly nowMs: number;
  /** When a position last moved, or there began to be work. */
  readonly movedMs: number;
  /** Batches closed and not committed, by partition. */
  readonly batches: readonly number[];
  /** Jobs that the queue holds, waiting or active, by partition. */
  readonly queued: readonly number[];
}

export const STALL_MS = 5_000;

/**
 * Invariant 9: work is outstanding, no position has moved for 5 seconds, and the queue holds less than what is
 * outstanding: it has lost some (FLUSHALL, an eviction, a Redis that came back empty), so nobody will ever commit it.
 * Returns why a new epoch is due; null: it is not. A queue that holds everything only waits for workers: see Ownerless.
 */
export function stalled(seen: Outstanding): string | null {
  if (seen.nowMs - seen.movedMs < STALL_MS) return null;
  const lost = seen.batches.flatMap((batches, partition) =>
    (seen.queued[partition] ?? 0) < batches ? [partition] : [],
  );
  if (lost.length === 0) return null;
  const [first] = lost;
  return `liveness: the queue of partition ${first} holds ${seen.queued[first as number] ?? 0} of ${seen.batches[first as number]} batches, and nothing moved for ${Math.round((seen.nowMs - seen.movedMs) / 1000)} s`;
}

/**
 * The other half of invariant 9: partitions that have work, and have had no owner for 5 seconds. No epoch of the
 * source's gives them one; the worker that takes one asks for an epoch itself. So the source says so until then, and
 * the workers see to it that nobody leaves its share lying (src/worker/ownership.ts).
 */
export class Ownerless {
  readonly #unowned = new Unowned();
  readonly #told = new Set<number>();

  /** Every second while there is work. One that has been told stays until it has an owner. */
  look(seen: {
    readonly owned: ReadonlySet<number>;
    readonly batches: readonly number[];
    readonly nowMs: number;
  }): readonly number[] {
    const { owned, batches, nowMs } = seen;
    const free = this.#unowned.look(owned, { partitions: batches.length, nowMs, forMs: STALL_MS });
    for (const partition of free) if ((batches[partition] ?? 0) > 0) this.#told.add(partition);
    for (const partition of this.#told) if (owned.has(partition)) this.#told.delete(partition);
    return [...this.#told].sort((a, b) => a - b);
  }
}
