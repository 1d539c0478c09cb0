import type { Value } from '../../rules/plan-parts.ts';
import { type ReadValue, readCell } from '../value.ts';
import type { Entries } from './entries.ts';
import { compareValues } from './order.ts';

const BLOCK = 256;

/**
 * The least or greatest value of any range of entries: by blocks whose own is remembered, so that a row out of
 * order in a key of 100,000 entries reads some hundreds. Rows come in near the end, so few blocks are ever redone.
 */
export class BlockExtreme {
  readonly #value: number;
  readonly #read: ReadValue;
  /** 1: the greatest. -1: the least. */
  readonly #sign: 1 | -1;
  /** Of the entries [i * BLOCK, (i + 1) * BLOCK); undefined: not asked for yet. */
  #blocks: (Value | undefined)[] = [];

  constructor(value: number, read: ReadValue, sign: 1 | -1) {
    this.#value = value;
    this.#read = read;
    this.#sign = sign;
  }

  /** Of the entries [lo, hi); null where none has a value. */
  over(entries: Entries, lo: number, hi: number): Value {
    const first = Math.ceil(lo / BLOCK);
    const end = Math.floor(hi / BLOCK);
    if (first >= end) return this.#scan(entries, lo, hi);
    let best = this.#better(this.#scan(entries, lo, first * BLOCK), this.#scan(entries, end * BLOCK, hi));
    for (let block = first; block < end; block++) best = this.#better(best, this.#block(entries, block));
    return best;
  }

  /** Whether a takes the place of b, which is no better. */
  beats(a: Value, b: Value): boolean {
    return compareValues(a, b) * this.#sign > 0;
  }

  /** An entry was put in at `index`. */
  inserted(index: number): void {
    this.#blocks.length = Math.min(this.#blocks.length, Math.floor(index / BLOCK));
  }

  clear(): void {
    this.#blocks.length = 0;
  }

  #block(entries: Entries, block: number): Value {
    let best = this.#blocks[block];
    if (best === undefined) {
      best = this.#scan(entries, block * BLOCK, (block + 1) * BLOCK);
      while (this.#blocks.length < block) this.#blocks.push(undefined);
      this.#blocks[block] = best;
    }
    return best;
  }

  #scan(entries: Entries, lo: number, hi: number): Value {
    let best: Value = null;
    for (let i = lo; i < hi; i++)
      best = this.#better(best, readCell(entries.cell(i, this.#value), this.#read));
    return best;
  }

  #better(best: Value, value: Value): Value {
    if (value === null) return best;
    return best === null || this.beats(value, best) ? value : best;
  }
}
