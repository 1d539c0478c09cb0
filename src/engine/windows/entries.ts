import type { Cell, Micros } from '../../events/row.ts';

/** The entries of a window: `[lo, hi)`. */
export interface Range {
  lo: number;
  hi: number;
  /** They are those before `hi` with a time after it; null: a window of rows, whose first may share its time with others. */
  lower: Micros | null;
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

/** So many entries that were dropped wait for their place to be freed. */
const COMPACT_FROM = 8;
const ENTRY_BYTES = 16;
const CELL_BYTES = 24;

/** The rows that a store keeps of one key: times and cells, in the order of (time, arrival). */
export class Entries {
  /** The first entry that is not pruned. */
  head = 0;
  times: number[] = [];
  /** `width` cells an entry. */
  #cells: Cell[] = [];
  readonly width: number;
  /** Of memory, approximately. */
  bytes = 0;
  /** In a store of panes: where those end that are rolled up, but for entries that were put in before it since. */
  rolledTo = 0;
  /** By aggregate of the store; made on first use, and again when the plan has changed. */
  followers: Followers | null = null;

  constructor(width: number) {
    this.width = width;
  }

  static of(width: number, times: Micros[], cells: Cell[]): Entries {
    const entries = new Entries(width);
    entries.times = times;
    entries.#cells = cells;
    entries.bytes = entries.#bytesOf(0, times.length);
    return entries;
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
    const index = end === 0 || (times[end - 1] as number) <= time ? end : this.upper(time);
    if (index === end) {
      times.push(time);
      for (const cell of cells) this.#cells.push(cell);
    } else {
      times.splice(index, 0, time);
      this.#cells.splice(index * this.width, 0, ...cells);
      for (const follower of this.followers?.list ?? []) follower?.inserted(this, index);
    }
    this.bytes += this.#bytesOf(index, index + 1);
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

  /** Forgets the entries at or before this time. */
  forget(bound: Micros): void {
    this.forgetTo(this.#after(bound));
  }

  /** Forgets those at or before `bound` but the last `count` of what is at or before `settled`, and those at or before `oldest`. */
  forgetButLast(count: number, times: { bound: Micros; settled: Micros; oldest: Micros }): void {
    const rows = Math.max(this.#after(times.oldest), this.upper(times.settled) - count);
    this.forgetTo(Math.min(this.upper(times.bound), rows));
  }

  /** The index after the entries at or before a time; from the start, where those are that are forgotten. */
  #after(time: Micros): number {
    const { head, times } = this;
    let end = head;
    while (end < times.length && (times[end] as number) <= time) end += 1;
    return end;
  }

  /** Forgets the entries before an index. */
  forgetTo(end: number): void {
    const { head, times } = this;
    if (end <= head) return;
    for (const follower of this.followers?.list ?? []) follower?.dropBefore(this, end);
    this.bytes -= this.#bytesOf(head, end);
    this.head = end;
    if (end >= COMPACT_FROM && end * 2 >= times.length) this.#compact();
  }

  /** Puts others in the place of those before an index: who follows begins anew. */
  replaceBefore(end: number, times: readonly Micros[], cells: readonly Cell[]): void {
    this.times = times.concat(this.times.slice(end));
    this.#cells = cells.concat(this.#cells.slice(end * this.width));
    this.head = 0;
    this.rolledTo = times.length;
    this.followers = null;
    this.bytes = this.#bytesOf(0, this.times.length);
  }

  #compact(): void {
    const { head } = this;
    this.rolledTo = Math.max(0, this.rolledTo - head);
    for (const follower of this.followers?.list ?? []) follower?.shift(head);
    this.times = this.times.slice(head);
    this.#cells = this.#cells.slice(head * this.width);
    this.head = 0;
  }

  #bytesOf(from: number, to: number): number {
    let bytes = (to - from) * ENTRY_BYTES;
    for (let i = from * this.width; i < to * this.width; i++) {
      const cell = this.#cells[i];
      bytes += typeof cell === 'string' ? CELL_BYTES + cell.length : 8;
    }
    return bytes;
  }
}
