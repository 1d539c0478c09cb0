import { type Batch, encodeRow } from '../../../src/events/batch.ts';
import { positionText } from '../../../src/events/position.ts';
import type { BatchReport } from '../../../src/queue/queue.ts';

export const COMMITTED: BatchReport = { outcome: 'committed', hits: 2, alerts: 1, deadLetters: 0 };

interface BatchOptions {
  readonly epoch?: number;
  readonly partition?: number;
  readonly rows?: number;
}

/** The n-th batch of its partition's chain. */
export function batch(n: number, { epoch = 1, partition = 0, rows = 3 }: BatchOptions = {}): Batch {
  const at = (ordinal: number) => positionText('0'.repeat(16), ordinal);
  const events = Array.from({ length: rows }, (_, i) => [
    ...encodeRow({
      table: 0,
      op: 0,
      late: false,
      transaction: 0,
      ordinal: i,
      at: 1,
      watermark: -Infinity,
      roles: 3,
      cells: [String(i), '12.50', null],
      old: null,
    }),
  ]);
  return {
    v: 1,
    epoch,
    partition,
    from: at(n),
    to: at(n + 1),
    rules: 'r1',
    lists: 0,
    rows,
    bytes: rows * 60,
    commitAt: 1,
    watermarks: [null],
    transactions: [['0'.repeat(16), 1]],
    events,
  };
}

export function batches(from: number, count: number, options: BatchOptions = {}): Batch[] {
  return Array.from({ length: count }, (_, i) => batch(from + i, options));
}
