import type { Micros } from '../../events/row.ts';
import type { Entries, Follower } from './entries.ts';

/**
 * Where the sessions of a key begin: at entries that come `gap` or more after the one before them. So the session of a
 * row is found without a walk through it.
 */
export class Sessions implements Follower {
  readonly #gap: Micros;
  /** Indexes of entries, ascending. What is before the key's first entry may be among them. */
  #starts: number[] = [];
  /** Entries before it have been looked at. */
  #hi = 0;

  constructor(gap: Micros) {
    this.#gap = gap;
  }

  /** Where the session begins that the entry at `index` is in. */
  startOf(entries: Entries, index: number): number {
    for (; this.#hi <= index; this.#hi++) if (this.#begins(entries, this.#hi)) this.#starts.push(this.#hi);
    const at = this.#after(index) - 1;
    return Math.max(entries.head, this.#starts[at] ?? entries.head);
  }

  inserted(entries: Entries, index: number): void {
    if (index >= this.#hi) return;
    const from = this.#after(index - 1);
    for (let i = from; i < this.#starts.length; i++) this.#starts[i] = (this.#starts[i] as number) + 1;
    this.#hi += 1;
    // The entry itself, and the one after it, whose place has moved.
    const moved = this.#starts[from] === index + 1 ? 1 : 0;
    const begin = [index, index + 1].filter((i) => i < this.#hi && this.#begins(entries, i));
    this.#starts.splice(from, moved, ...begin);
  }

  dropBefore(_entries: Entries, index: number): void {
    this.#hi = Math.max(this.#hi, index);
  }

  shift(by: number): void {
    this.#starts = this.#starts.slice(this.#after(by - 1)).map((start) => start - by);
    this.#hi -= by;
  }

  #begins({ times, head }: Entries, index: number): boolean {
    return index <= head || (times[index] as number) - (times[index - 1] as number) >= this.#gap;
  }

  /** How many starts are at `index` or before. */
  #after(index: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as number) <= index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The same by a walk, for few entries. */
export function sessionStart({ times, head }: Entries, index: number, gap: Micros): number {
  let start = index;
  while (start > head && (times[start] as number) - (times[start - 1] as number) < gap) start -= 1;
  return start;
}
