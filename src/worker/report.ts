import type { BatchReport } from '../queue/queue.ts';

/** A batch that had no effect of its own. */
export function report(outcome: BatchReport['outcome']): BatchReport {
  return { outcome, hits: 0, alerts: 0, deadLetters: 0 };
}
