import type { Batch } from '../events/batch.ts';
import type { BatchReport } from '../queue/queue.ts';
import type { Mode } from '../rules/plan-parts.ts';

/** What a worker tells the monitor. Seconds and counts, in Prometheus' base units. */
export interface WorkerMetrics {
  batch(batch: Batch, report: BatchReport): void;
  hit(rule: string, mode: Mode): void;
  alert(rule: string, severity: string): void;
  timedOut(pattern: string, mode: Mode): void;
  /** Of patterns, alive after a commit. */
  partials(partition: number, alive: number): void;
  /** Partial matches that the cap of a key has cost: must be zero. */
  evicted(pattern: string, partials: number): void;
  /** Rows for which the list of a rule's window did not hold all of its values. */
  listCut(rule: string, rows: number): void;
  deadLetter(rule: string): void;
  late(event: string): void;
  /** From a transaction's commit to the commit of what it caused. */
  commitToEffect(seconds: number): void;
  /** One store transaction, of so many partitions. */
  commit(seconds: number, partitions: number): void;
  owned(partitions: number): void;
}
