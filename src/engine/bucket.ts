import type { Micros } from '../events/row.ts';
import type { StoreProgram } from './program.ts';
import { Entries } from './windows/entries.ts';

/** What a partition holds in memory, counted as it changes. */
export interface Meter {
  keys: number;
  entries: number;
  /** Approximate. */
  bytes: number;
}

const KEY_BYTES = 250;
const ENTRY_BYTES = 16;
const CELL_BYTES = 24;

/** A store's keys in one bucket, and what this batch appended to them. */
export class KeyedEntries {
  readonly id: string;
  readonly width: number;
  /** How long before W its entries are kept: also known where no rule uses the store at present. */
  keep: Micros;
  readonly keys = new Map<string, Entries>();
  /** key, time and cells of each entry, in turn: of the next delta. */
  appended: (string | number | null)[] = [];
  readonly #meter: Meter;

  constructor(store: { id: string; width: number; keep: Micros }, meter: Meter) {
    this.id = store.id;
    this.width = store.width;
    this.keep = store.keep;
    this.#meter = meter;
  }

  append(key: string, time: Micros, cells: readonly (string | null)[]): Entries {
    this.appended.push(key, time);
    for (const cell of cells) this.appended.push(cell);
    return this.load(key, time, cells);
  }

  /** As `append`, of what is in the store already. */
  load(key: string, time: Micros, cells: readonly (string | null)[]): Entries {
    let entries = this.keys.get(key);
    if (entries === undefined) {
      entries = new Entries(this.width);
      this.keys.set(key, entries);
      this.#meter.keys += 1;
      this.#meter.bytes += KEY_BYTES + key.length;
    }
    entries.insert(time, cells);
    this.#meter.entries += 1;
    this.#meter.bytes += ENTRY_BYTES;
    for (const cell of cells) this.#meter.bytes += cellBytes(cell);
    return entries;
  }

  prune(entries: Entries, bound: Micros): void {
    const { head, times } = entries;
    let end = head;
    while (end < times.length && (times[end] as number) <= bound) end += 1;
    if (end === head) return;
    this.#meter.entries -= end - head;
    this.#meter.bytes -= (end - head) * ENTRY_BYTES;
    for (let i = head; i < end; i++) {
      for (let value = 0; value < this.width; value++) this.#meter.bytes -= cellBytes(entries.cell(i, value));
    }
    entries.dropBefore(end);
  }

  /** Forgets a key. */
  drop(key: string, entries: Entries): void {
    this.prune(entries, Infinity);
    this.keys.delete(key);
    this.#meter.keys -= 1;
    this.#meter.bytes -= KEY_BYTES + key.length;
  }
}

function cellBytes(cell: unknown): number {
  return typeof cell === 'string' ? CELL_BYTES + cell.length : 8;
}

/** Until when a rule's actions are silent, by key, and what this batch changed of it. */
export class Cooldowns {
  readonly rule: string;
  readonly until = new Map<string, Micros>();
  readonly changed = new Map<string, Micros>();
  readonly #meter: Meter;

  constructor(rule: string, meter: Meter) {
    this.rule = rule;
    this.#meter = meter;
  }

  start(key: string, until: Micros): void {
    this.load(key, until);
    this.changed.set(key, until);
  }

  load(key: string, until: Micros): void {
    if (!this.until.has(key)) {
      this.#meter.keys += 1;
      this.#meter.bytes += COOLDOWN_BYTES + key.length;
    }
    this.until.set(key, until);
  }

  drop(key: string): void {
    if (!this.until.delete(key)) return;
    this.#meter.keys -= 1;
    this.#meter.bytes -= COOLDOWN_BYTES + key.length;
  }
}

const COOLDOWN_BYTES = 80;

/** All state of the keys of one bucket. Stores and rules that the plan does not know keep what they have. */
export class Bucket {
  readonly number: number;
  readonly stores = new Map<string, KeyedEntries>();
  readonly cooldowns = new Map<string, Cooldowns>();
  /** By index of the plan's stores: `stores` again, without a look-up by id. */
  #active: (KeyedEntries | undefined)[] = [];
  readonly #meter: Meter;
  /** Something was appended or changed since the last delta. */
  dirty = false;

  constructor(number: number, meter: Meter) {
    this.number = number;
    this.#meter = meter;
  }

  usePlan(stores: readonly StoreProgram[]): void {
    this.#active = stores.map(({ plan }) => this.stores.get(plan.id));
    stores.forEach(({ plan }, index) => {
      const active = this.#active[index];
      if (active === undefined) return;
      if (active.width !== plan.values.length)
        throw new Error(`store ${plan.id} holds other values than before`);
      active.keep = plan.keep;
    });
  }

  existing(store: number): KeyedEntries | undefined {
    return this.#active[store];
  }

  store({ index, plan }: StoreProgram): KeyedEntries {
    const known = this.#active[index];
    if (known !== undefined) return known;
    const made = this.storeById({ id: plan.id, width: plan.values.length, keep: plan.keep });
    this.#active[index] = made;
    return made;
  }

  storeById(store: { id: string; width: number; keep: Micros }): KeyedEntries {
    const known = this.stores.get(store.id);
    if (known !== undefined) return known;
    const made = new KeyedEntries(store, this.#meter);
    this.stores.set(store.id, made);
    return made;
  }

  cooldownsOf(rule: string): Cooldowns {
    const known = this.cooldowns.get(rule);
    if (known !== undefined) return known;
    const made = new Cooldowns(rule, this.#meter);
    this.cooldowns.set(rule, made);
    return made;
  }

  /** Forgets everything in it. */
  clear(): void {
    for (const store of this.stores.values())
      for (const [key, entries] of store.keys) store.drop(key, entries);
    for (const cooldowns of this.cooldowns.values())
      for (const key of cooldowns.until.keys()) cooldowns.drop(key);
  }
}
