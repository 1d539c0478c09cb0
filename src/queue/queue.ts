import type { Batch } from '../events/batch.ts';

/** What a worker says of a batch it has committed or dropped; shown on the board. */
export interface BatchReport {
  readonly outcome: 'committed' | 'no-op' | 'stale-epoch' | 'gap' | 'lost';
  readonly hits: number;
  readonly alerts: number;
  readonly deadLetters: number;
}

/** The source's side: one BullMQ queue a partition. The queue is a fast path, never the truth. */
export interface BatchProducer {
  /** In order, for each partition; resolves when the queue has them. */
  add(batches: readonly Batch[]): Promise<void>;
  /** Removes every job of every partition: the start of an epoch. */
  empty(): Promise<void>;
  /** Jobs waiting or active, by partition. */
  depths(): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Never throws; retries inside until it has committed or lost its right to. */
export type BatchHandler = (batch: Batch) => Promise<BatchReport>;

/** The workers' side: batches of one partition, one at a time, in the queue's order. */
export interface BatchConsumer {
  start(partition: number, handler: BatchHandler): Promise<void>;
  /** Resolves when the batch at hand is done. */
  stop(partition: number): Promise<void>;
  close(): Promise<void>;
}
