import type { Micros } from '../../events/row.ts';
import type { Value } from '../../rules/plan-parts.ts';
import { type ReadValue, readCell } from '../value.ts';
import { BlockExtreme } from './block-extreme.ts';
import type { Entries, Follower, Range } from './entries.ts';

/**
 * The least or greatest value of a window that ends at the newest entry: a deque of the values that no later one
 * beats, best first, by time. Entries out of order find their place in it; a window that ends before the newest
 * entry, begins before an earlier one did, or begins among entries of one time, is read by blocks.
 */
export class RunningExtreme implements Follower {
  readonly #value: number;
  readonly #read: ReadValue;
  readonly #blocks: BlockExtreme;
  #times: Micros[] = [];
  #values: Value[] = [];
  #first = 0;
  /** Entries before it have been taken in. */
  #hi = 0;
  #lower = -Infinity;

  /** `sign` 1: the greatest. -1: the least. */
  constructor(value: number, read: ReadValue, sign: 1 | -1) {
    this.#value = value;
    this.#read = read;
    this.#blocks = new BlockExtreme(value, read, sign);
  }

  /** Of the entries of the range; null where none has a value. */
  query(entries: Entries, { lo, hi, lower }: Range): Value {
    if (lower === null || hi < this.#hi || lower < this.#lower) return this.#blocks.over(entries, lo, hi);
    this.#lower = lower;
    for (; this.#hi < hi; this.#hi++) this.#take(entries, this.#hi);
    while (this.#first < this.#times.length && (this.#times[this.#first] as number) <= lower)
      this.#first += 1;
    if (this.#first > 64 && this.#first * 2 > this.#times.length) this.#compact();
    return this.#first < this.#values.length ? (this.#values[this.#first] as Value) : null;
  }

  inserted(entries: Entries, index: number): void {
    this.#blocks.inserted(index);
    if (index >= this.#hi) return;
    this.#hi += 1;
    this.#take(entries, index);
  }

  dropBefore(_entries: Entries, index: number): void {
    this.#hi = Math.max(this.#hi, index);
  }

  shift(by: number): void {
    this.#hi -= by;
    this.#blocks.clear();
  }

  #take(entries: Entries, index: number): void {
    const value = readCell(entries.cell(index, this.#value), this.#read);
    if (value === null) return;
    const time = entries.times[index] as number;
    let place = this.#times.length;
    while (place > this.#first && (this.#times[place - 1] as number) > time) place -= 1;
    if (place < this.#times.length && !this.#blocks.beats(value, this.#values[place] as Value)) return;
    let from = place;
    while (from > this.#first && !this.#blocks.beats(this.#values[from - 1] as Value, value)) from -= 1;
    if (place === this.#times.length) {
      this.#times.length = from;
      this.#values.length = from;
      this.#times.push(time);
      this.#values.push(value);
    } else {
      this.#times.splice(from, place - from, time);
      this.#values.splice(from, place - from, value);
    }
  }

  #compact(): void {
    this.#times = this.#times.slice(this.#first);
    this.#values = this.#values.slice(this.#first);
    this.#first = 0;
  }
}
