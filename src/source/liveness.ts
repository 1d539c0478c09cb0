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
 * Returns why a new epoch is due; null: it is not. A queue that holds everything only waits for workers, and a worker
 * that gains a partition asks for an epoch itself.
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
