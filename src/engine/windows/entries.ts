import type { Cell, Micros } from '../../events/row.ts';

/** The entries of a window: `[lo, hi)`, which are those with time after `lower`. */
export interface Range {
  readonly lo: number;
  readonly hi: number;
  readonly lower: Micros;
}

/** What follows a key's entries, and hears of changes that are not at its end. */
export interface Follower {
  /** An entry was put in at `index`, before others. */
  inserted(entries: Entries, index: number): void;
  /** The entries before `index` are about to go. */
  dropBefore(entries: Entries, index: number): void;
  /** Entries now begin `by` places earlier. */
  shift(by: number): void;
}

export interface Followers {
  /** What they were made from. */
  readonly specs: unknown;
  readonly list: (Follower | null)[];
}

/** Up to here arrays are made to measure: most keys hold few entries, and `push` reserves 17 places. */
const SMALL = 8;
const NO_CELLS: readonly Cell[] = [];

/** The rows that a store keeps of one key: times and cells, in the order of (time, arrival). */
export class Entries {
  /** The first entry that is not pruned. */
  head = 0;
  times: number[] = [];
  /** `width` cells an entry. */
  #cells: readonly Cell[] | Cell[] = NO_CELLS;
  readonly width: number;
  /** By aggregate of the store; made on first use, and again when the plan has changed. */
  followers: Followers | null = null;

  constructor(width: number) {
    this.width = width;
  }

  get end(): number {
    return this.times.length;
  }

  get size(): number {
    return this.times.length - this.head;
  }

  cell(index: number, value: number): Cell {
    return this.#cells[index * this.width + value] ?? null;
  }

  /** After all entries of its time or earlier: it arrived last. */
  insert(time: Micros, cells: readonly Cell[]): void {
    const { times } = this;
    const end = times.length;
    if (end === 0 || (times[end - 1] as number) <= time) {
      if (end < SMALL) this.#grow(time, cells);
      else this.#push(time, cells);
      return;
    }
    const index = this.upper(time);
    times.splice(index, 0, time);
    if (this.width > 0) (this.#cells as Cell[]).splice(index * this.width, 0, ...cells);
    for (const follower of this.followers?.list ?? []) follower?.inserted(this, index);
  }

  /** The index after the last entry with time at or before `time`; from the end, where it mostly is. */
  upper(time: Micros): number {
    const { times, head } = this;
    const end = times.length;
    if (end === head || (times[end - 1] as number) <= time) return end;
    let step = 1;
    while (end - step > head && (times[end - step] as number) > time) step *= 2;
    let low = Math.max(head, end - step);
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((times[middle] as number) <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Forgets the entries before `head`. */
  dropBefore(head: number): void {
    for (const follower of this.followers?.list ?? []) follower?.dropBefore(this, head);
    this.head = head;
    if (head >= SMALL && head * 2 >= this.times.length) this.#compact();
  }

  #compact(): void {
    const { head } = this;
    for (const follower of this.followers?.list ?? []) follower?.shift(head);
    this.#replace(this.times.slice(head), this.#cells.slice(head * this.width));
    this.head = 0;
  }

  #grow(time: Micros, cells: readonly Cell[]): void {
    const { times, width } = this;
    const end = times.length;
    const grown = new Array<number>(end + 1);
    for (let i = 0; i < end; i++) grown[i] = times[i] as number;
    grown[end] = time;
    this.times = grown;
    if (width === 0) return;
    const all = new Array<Cell>((end + 1) * width);
    for (let i = 0; i < end * width; i++) all[i] = this.#cells[i] as Cell;
    for (let i = 0; i < width; i++) all[end * width + i] = cells[i] as Cell;
    this.#cells = all;
  }

  #push(time: Micros, cells: readonly Cell[]): void {
    this.times.push(time);
    for (const cell of cells) (this.#cells as Cell[]).push(cell);
  }

  #replace(times: number[], cells: readonly Cell[]): void {
    this.times = times;
    this.#cells = this.width === 0 ? NO_CELLS : cells;
  }
}
