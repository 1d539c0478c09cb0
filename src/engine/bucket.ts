import type { Micros } from '../events/row.ts';
import { widthOf } from '../rules/plan.ts';
import type { HotLanes } from './hot-lanes.ts';
import { KeyedEntries } from './keyed-entries.ts';
import { Lanes, type SavedLanes } from './lanes.ts';
import type { Meter } from './meter.ts';
import type { PatternProgram, StoreProgram } from './program.ts';

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
  /** By `PatternPlan.state`. Those of patterns that the plan does not know are dropped. */
  readonly lanes = new Map<string, Lanes>();
  /** By index of the plan's patterns: `lanes` again, without a look-up by state. */
  #lanesAt: (Lanes | undefined)[] = [];
  /** Patterns whose saved state is over. */
  readonly dropped = new Set<string>();
  /** By index of the plan's stores: `stores` again, without a look-up by id. */
  #active: (KeyedEntries | undefined)[] = [];
  readonly #meter: Meter;
  readonly #hot: HotLanes;
  /** Something was appended or changed since the last delta. */
  dirty = false;

  constructor(number: number, { meter, hot }: { meter: Meter; hot: HotLanes }) {
    this.number = number;
    this.#meter = meter;
    this.#hot = hot;
  }

  usePlan(stores: readonly StoreProgram[]): void {
    for (const store of this.stores.values()) store.use(null);
    this.#active = stores.map(({ plan }) => this.stores.get(plan.id));
    stores.forEach(({ plan }, index) => {
      const active = this.#active[index];
      if (active === undefined) return;
      if (active.width !== widthOf(plan)) throw new Error(`store ${plan.id} holds other values than before`);
      active.use(plan);
    });
  }

  /** The rules have changed: a pattern of the same state goes on under its new definition. */
  usePatterns(patterns: readonly PatternProgram[]): void {
    this.#lanesAt = [];
    for (const [state, before] of [...this.lanes]) {
      const saved = before.snapshot();
      before.clear();
      this.lanes.delete(state);
      const pattern = patterns.find(({ plan }) => plan.state === state);
      if (pattern === undefined) this.dropped.add(state);
      else this.lanesOf(pattern).load([saved]);
    }
  }

  /** Of patterns of the plan; others' are over. */
  loadLanes(pieces: ReadonlyMap<string, readonly SavedLanes[]>, patterns: readonly PatternProgram[]): void {
    for (const [state, saved] of pieces) {
      const pattern = patterns.find(({ plan }) => plan.state === state);
      if (pattern !== undefined) this.lanesOf(pattern).load(saved);
      else if (saved.length > 0) this.dropped.add(state);
    }
  }

  /** Whether anything has come to it that no delta holds. */
  get unsaved(): boolean {
    for (const { appended } of this.stores.values()) if (appended.length > 0) return true;
    for (const { changed } of this.cooldowns.values()) if (changed.size > 0) return true;
    for (const { changed } of this.lanes.values()) if (changed) return true;
    return false;
  }

  /** Whether it holds partial matches: their deadlines come also where no row does. */
  get waits(): boolean {
    for (const { size } of this.lanes.values()) if (size > 0) return true;
    return false;
  }

  lanesOf(pattern: PatternProgram): Lanes {
    const active = this.#lanesAt[pattern.index];
    if (active !== undefined) return active;
    const { state } = pattern.plan;
    const made =
      this.lanes.get(state) ?? new Lanes(pattern, this.number, { meter: this.#meter, hot: this.#hot });
    this.lanes.set(state, made);
    this.#lanesAt[pattern.index] = made;
    return made;
  }

  existing(store: number): KeyedEntries | undefined {
    return this.#active[store];
  }

  store({ index, plan }: StoreProgram): KeyedEntries {
    const known = this.#active[index];
    if (known !== undefined) return known;
    const made = this.storeById({ id: plan.id, width: widthOf(plan), keep: plan.keep });
    made.use(plan);
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
    for (const store of this.stores.values()) for (const key of store.keys()) store.forget(key, Infinity);
    for (const cooldowns of this.cooldowns.values())
      for (const key of cooldowns.until.keys()) cooldowns.drop(key);
  }
}
