import type { Cell } from '../../events/row.ts';
import type { Entries, Follower } from './entries.ts';

/**
 * An aggregate over the entries `[lo, hi)` of a key, which follows the window from row to row: an entry enters
 * and leaves once, so a row costs the same however many entries the window holds. A row out of order moves it
 * there and back.
 */
export abstract class RunningAggregate implements Follower {
  readonly #value: number;
  #lo = 0;
  #hi = 0;

  /** `value`: which cell of the entries. */
  constructor(value: number) {
    this.#value = value;
  }

  protected abstract enter(cell: Cell): void;
  protected abstract leave(cell: Cell): void;
  protected abstract clear(): void;

  moveTo(entries: Entries, lo: number, hi: number): void {
    const moved = Math.abs(lo - this.#lo) + Math.abs(hi - this.#hi);
    if (moved > hi - lo) {
      this.clear();
      this.#lo = lo;
      this.#hi = lo;
    }
    while (this.#hi < hi) this.enter(entries.cell(this.#hi++, this.#value));
    while (this.#lo > lo) this.enter(entries.cell(--this.#lo, this.#value));
    while (this.#hi > hi) this.leave(entries.cell(--this.#hi, this.#value));
    while (this.#lo < lo) this.leave(entries.cell(this.#lo++, this.#value));
  }

  inserted(entries: Entries, index: number): void {
    if (index >= this.#hi) return;
    this.#hi += 1;
    if (index < this.#lo) this.#lo += 1;
    else this.enter(entries.cell(index, this.#value));
  }

  dropBefore(entries: Entries, index: number): void {
    while (this.#lo < Math.min(index, this.#hi)) this.leave(entries.cell(this.#lo++, this.#value));
    this.#lo = Math.max(this.#lo, index);
    this.#hi = Math.max(this.#hi, index);
  }

  shift(by: number): void {
    this.#lo -= by;
    this.#hi -= by;
  }
}
