import type { Micros, Row } from '../../events/row.ts';
import { MinHeap } from '../min-heap.ts';

/** A row that has come before its time: W has to reach it. */
export interface PendingRow {
  readonly row: Row;
  /** The bits of the steps that may take it. */
  readonly steps: number;
  readonly seq: number;
}

/** Rows that wait, by time, then by arrival. */
export class PendingRows {
  readonly #heap = new MinHeap<PendingRow>(comesBefore);

  get size(): number {
    return this.#heap.size;
  }

  /** Infinity: none waits. */
  get firstAt(): Micros {
    return this.#heap.first?.row.at ?? Number.POSITIVE_INFINITY;
  }

  push(row: PendingRow): void {
    this.#heap.push(row);
  }

  /** The first of them, if its time is at most `upTo`. */
  shift(upTo: Micros): PendingRow | null {
    return this.firstAt <= upTo ? (this.#heap.shift() ?? null) : null;
  }

  /** In the order of their arrival. */
  all(): PendingRow[] {
    return [...this.#heap.items].sort((a, b) => a.seq - b.seq);
  }
}

function comesBefore(a: PendingRow, b: PendingRow): boolean {
  return a.row.at < b.row.at || (a.row.at === b.row.at && a.seq < b.seq);
}
