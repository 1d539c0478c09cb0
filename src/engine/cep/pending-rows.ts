import type { Micros, Row } from '../../events/row.ts';

/** A row that has come before its time: W has to reach it. */
export interface PendingRow {
  readonly row: Row;
  /** The bits of the steps that may take it. */
  readonly steps: number;
  readonly seq: number;
}

/** Rows that wait, as a binary heap by time, then by arrival. */
export class PendingRows {
  readonly #heap: PendingRow[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** Infinity: none waits. */
  get firstAt(): Micros {
    return this.#heap[0]?.row.at ?? Number.POSITIVE_INFINITY;
  }

  push(row: PendingRow): void {
    const heap = this.#heap;
    let index = heap.push(row) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as PendingRow;
      if (comesBefore(above, row)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = row;
  }

  /** The first of them, if its time is at most `upTo`. */
  shift(upTo: Micros): PendingRow | null {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.row.at > upTo) return null;
    const last = heap.pop() as PendingRow;
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  /** In the order of their arrival. */
  all(): PendingRow[] {
    return [...this.#heap].sort((a, b) => a.seq - b.seq);
  }

  #sink(row: PendingRow): void {
    const heap = this.#heap;
    let index = 0;
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      const right = heap[child + 1];
      if (right !== undefined && comesBefore(right, heap[child] as PendingRow)) child += 1;
      const below = heap[child] as PendingRow;
      if (comesBefore(row, below)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = row;
  }
}

function comesBefore(a: PendingRow, b: PendingRow): boolean {
  return a.row.at < b.row.at || (a.row.at === b.row.at && a.seq < b.seq);
}
