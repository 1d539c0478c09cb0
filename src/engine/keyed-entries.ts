import type { Micros } from '../events/row.ts';
import type { StorePlan } from '../rules/plan.ts';
import type { Meter } from './meter.ts';
import { Entries } from './windows/entries.ts';
import { PACK_BELOW, pack, packedFirst, packedSize, unpack } from './windows/packed.ts';
import { Panes } from './windows/panes.ts';

/** Of the map's entry and the objects' heads. */
const KEY_BYTES = 80;

type Kept = Pick<StorePlan, 'values' | 'keep' | 'lateness' | 'rows' | 'panes'>;

/** A store's keys in one bucket, and what this batch appended to them. */
export class KeyedEntries {
  readonly id: string;
  readonly width: number;
  /** How long before W its entries are kept at the most: also known where no rule uses the store at present. */
  keep: Micros;
  #kept: Kept | null = null;
  #panes: Panes | null = null;
  /** key, time and cells of each entry, in turn: of the next delta. */
  appended: (string | number | null)[] = [];
  /** Few entries are packed. */
  readonly #keys = new Map<string, Entries | string>();
  readonly #meter: Meter;

  constructor(store: { id: string; width: number; keep: Micros }, meter: Meter) {
    this.id = store.id;
    this.width = store.width;
    this.keep = store.keep;
    this.#meter = meter;
  }

  /** null: no rule uses the store at present. */
  use(plan: Kept | null): void {
    this.#kept = plan;
    this.#panes = plan?.panes ? new Panes(plan.panes, plan.values) : null;
    if (plan !== null) this.keep = Math.max(plan.keep, plan.rows?.keep ?? 0);
  }

  keys(): IterableIterator<string> {
    return this.#keys.keys();
  }

  /** To be looked at only, before the next `append`; null: there are none. */
  entries(key: string): Entries | null {
    const held = this.#keys.get(key);
    if (held === undefined) return null;
    return typeof held === 'string' ? unpack(held, this.width) : held;
  }

  /** Forgets what is over at W, now that the row is in. Returns the entries, to be looked at only. */
  append(key: string, row: { time: Micros; cells: readonly (string | null)[]; watermark: Micros }): Entries {
    this.appended.push(key, row.time);
    for (const cell of row.cells) this.appended.push(cell);
    return this.change(key, (entries) => {
      entries.insert(row.time, row.cells);
      if (this.#panes?.worthIt(entries, this.#settledAt(row.watermark)) === true)
        this.#panes.rollUp(entries, this.#settledAt(row.watermark));
      this.#forgetIn(entries, row.watermark);
    });
  }

  /** No row asks what was at this time or earlier, but a late one. */
  #settledAt(watermark: Micros): Micros {
    return watermark - (this.#kept?.lateness ?? 0);
  }

  /** Changes the key's entries, which are kept while there are any. */
  change(key: string, change: (entries: Entries) => void): Entries {
    const held = this.#keys.get(key);
    if (held !== undefined) this.#count(key, held, -1);
    const entries = this.entries(key) ?? new Entries(this.width);
    change(entries);
    this.#hold(key, entries);
    return entries;
  }

  /** Forgets of the key what is over at W. */
  forget(key: string, watermark: Micros): void {
    const held = this.#keys.get(key);
    if (held === undefined || (typeof held === 'string' && this.#isYoung(held, watermark))) return;
    this.change(key, (entries) => {
      this.#panes?.rollUp(entries, this.#settledAt(watermark));
      this.#forgetIn(entries, watermark);
    });
  }

  /** Whether nothing of it is over, as far as that is seen without unpacking it. */
  #isYoung(held: string, watermark: Micros): boolean {
    const { keep, rows } = this.#kept ?? { keep: this.keep, rows: null };
    const first = packedFirst(held);
    if (this.#panes !== null) return first > this.#settledAt(watermark);
    if (first > watermark - keep) return true;
    return rows !== null && first > watermark - rows.keep && packedSize(held) <= rows.count;
  }

  #forgetIn(entries: Entries, watermark: Micros): void {
    const { keep, rows } = this.#kept ?? { keep: this.keep, rows: null };
    const bound = watermark - keep;
    if (rows === null) entries.forget(bound);
    else
      entries.forgetButLast(rows.count, {
        bound,
        settled: this.#settledAt(watermark),
        oldest: watermark - rows.keep,
      });
  }

  #hold(key: string, entries: Entries): void {
    if (entries.size === 0) {
      this.#keys.delete(key);
      return;
    }
    const held = entries.size < PACK_BELOW ? pack(entries) : entries;
    this.#keys.set(key, held);
    this.#count(key, held, 1);
  }

  #count(key: string, held: Entries | string, sign: 1 | -1): void {
    const packed = typeof held === 'string';
    this.#meter.keys += sign;
    this.#meter.entries += sign * (packed ? packedSize(held) : held.size);
    this.#meter.bytes += sign * (KEY_BYTES + key.length + (packed ? held.length : held.bytes));
  }
}
