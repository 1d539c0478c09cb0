import { BUCKETS, bucketOf, keyText } from '../events/keys.ts';
import type { Micros, Row } from '../events/row.ts';
import type { Plan, TablePlan } from '../rules/plan.ts';
import { Bucket } from './bucket.ts';
import { programOf } from './compile-program.ts';
import { HotLanes } from './hot-lanes.ts';
import type { KeyedEntries } from './keyed-entries.ts';
import type { Meter } from './meter.ts';
import { PatternTimers } from './pattern-timers.ts';
import type { PatternProgram, Program, StoreProgram } from './program.ts';
import { type BucketAccess, RowContext } from './row-context.ts';
import { type LanePieces, load, takeDelta, takeSnapshot } from './state-codec.ts';
import { FOLLOW_FROM } from './windows/evaluate.ts';

export interface PartitionStats {
  /** Keys of windows and of cooldowns. */
  readonly keys: number;
  readonly entries: number;
  /** Of patterns. */
  readonly partials: number;
  /** Approximate. */
  readonly bytes: number;
  readonly buckets: number;
}

/** The most partial matches of one pattern that a partition holds: about 200 MB of them. */
const MAX_PARTIALS_OF_PATTERN = 250_000;

export interface PartitionStateOptions {
  /** Windows of so many entries are followed by aggregates. */
  readonly followFrom?: number;
  /** Partial matches of one pattern. */
  readonly maxPartials?: number;
  /** Lanes that stay objects between batches. */
  readonly hotLanes?: number;
}

/**
 * The state of one partition in memory, by bucket of keys: what has been folded so far of the buckets that are
 * installed. It changes in place, so after a commit that failed it is thrown away and loaded again.
 *
 * Forgetting is never seen: a row sees no entry at or before its W - keep, and nothing younger is forgotten.
 */
export class PartitionState implements BucketAccess {
  readonly #buckets: (Bucket | undefined)[] = new Array(BUCKETS).fill(undefined);
  readonly #meter: Meter = { keys: 0, entries: 0, partials: 0, partialsOf: new Map(), bytes: 0 };
  readonly #hot: HotLanes;
  readonly #dirty: Bucket[] = [];
  readonly #followFrom: number;
  readonly #maxPartials: number;
  #program: Program;
  #context: RowContext;
  /** W of each table's event, as far as rows and batches have told. */
  #watermarks: Micros[];
  #sweep: Generator<void, void, void> | null = null;
  #timers: PatternTimers;

  constructor(plan: Plan, options: PartitionStateOptions = {}) {
    this.#followFrom = options.followFrom ?? FOLLOW_FROM;
    this.#maxPartials = options.maxPartials ?? MAX_PARTIALS_OF_PATTERN;
    this.#hot = new HotLanes(options.hotLanes);
    this.#program = programOf(plan);
    this.#watermarks = plan.tables.map(() => -Infinity);
    this.#context = new RowContext(this, this.#program, this.#followFrom);
    this.#timers = new PatternTimers(this.#program.patterns);
  }

  get timers(): PatternTimers {
    return this.#timers;
  }

  get program(): Program {
    return this.#program;
  }

  get plan(): Plan {
    return this.#program.plan;
  }

  /** The row at hand, as `fold` sees it. */
  get context(): RowContext {
    return this.#context;
  }

  /** The rules changed: stores of the same id go on, others begin empty. */
  setPlan(plan: Plan): void {
    if (plan === this.plan) return;
    // With another time or lateness W may go back: what is forgotten then waits for the first row or batch to tell W.
    const before = new Map(this.plan.tables.map((table, i) => [timeOf(table), this.#watermarks[i]]));
    this.#program = programOf(plan);
    this.#watermarks = plan.tables.map((table) => before.get(timeOf(table)) ?? -Infinity);
    this.#context = new RowContext(this, this.#program, this.#followFrom);
    this.#timers = new PatternTimers(this.#program.patterns);
    for (const bucket of this.#buckets) {
      bucket?.usePatterns(this.#program.patterns);
      if (bucket !== undefined) this.#adopt(bucket);
    }
    this.#sweep = null;
  }

  /** Buckets of the keys that these rows touch here and that are not installed. */
  neededBuckets(rows: readonly Row[]): number[] {
    const needed = new Set<number>();
    for (const row of rows) {
      const table = this.#program.tables[row.table];
      if (table === undefined) continue;
      for (const { bit, slot } of table.routing) {
        if ((row.roles & bit) === 0) continue;
        const key = keyText(row.cells, table.keys[slot] ?? []);
        if (key === null) continue;
        const bucket = bucketOf(key);
        if (this.#buckets[bucket] === undefined) needed.add(bucket);
      }
    }
    return [...needed];
  }

  /** What the store has of a bucket: its last snapshot, and the deltas since, oldest first. */
  install(number: number, snapshot: string | null, deltas: readonly string[]): void {
    if (this.#buckets[number] !== undefined) throw new Error(`bucket ${number} is installed already`);
    const bucket = new Bucket(number, { meter: this.#meter, hot: this.#hot });
    const pieces: LanePieces = new Map();
    if (snapshot !== null) load(bucket, snapshot, pieces);
    for (const delta of deltas) load(bucket, delta, pieces);
    bucket.loadLanes(pieces, this.#program.patterns);
    this.#adopt(bucket);
    this.#buckets[number] = bucket;
  }

  #adopt(bucket: Bucket): void {
    bucket.usePlan(this.#program.stores);
    for (const lanes of bucket.lanes.values()) this.#timers.watch(lanes);
    if (bucket.dropped.size > 0) this.touch(bucket);
  }

  /** The whole bucket as text; null when nothing is left in it. */
  snapshot(number: number): string | null {
    const bucket = this.bucket(number);
    if (bucket.unsaved) throw new Error(`bucket ${number} has changes that no delta holds`);
    for (const _ of this.#forget(bucket));
    return takeSnapshot(bucket);
  }

  /** Whether the bucket may leave memory, if the store has all of it. */
  isEvictable(number: number): boolean {
    const bucket = this.#buckets[number];
    return bucket === undefined || !(bucket.dirty || bucket.waits);
  }

  evict(number: number): void {
    if (!this.isEvictable(number)) throw new Error(`bucket ${number} is still needed in memory`);
    this.#buckets[number]?.clear();
    this.#buckets[number] = undefined;
  }

  stats(): PartitionStats {
    const { partialsOf: _, ...counted } = this.#meter;
    return { ...counted, buckets: this.#buckets.filter((bucket) => bucket !== undefined).length };
  }

  /** Looks at about `budget` keys, goes on where it stopped, and drops those of which W has left nothing. */
  sweep(budget: number): void {
    for (let looked = 0; looked < budget; looked++) {
      this.#sweep ??= this.#sweepAll();
      if (this.#sweep.next().done === true) {
        this.#sweep = null;
        return;
      }
    }
  }

  /** An installed bucket; `neededBuckets` names those that must be. */
  bucket(number: number): Bucket {
    const bucket = this.#buckets[number];
    if (bucket === undefined) throw new Error(`bucket ${number} is not installed`);
    return bucket;
  }

  touch(bucket: Bucket): void {
    if (bucket.dirty) return;
    bucket.dirty = true;
    this.#dirty.push(bucket);
  }

  /** What changed since the last time, by bucket. */
  takeDeltas(): Map<number, string> {
    const deltas = new Map<number, string>();
    for (const bucket of this.#dirty) deltas.set(bucket.number, takeDelta(bucket));
    this.#dirty.length = 0;
    return deltas;
  }

  /** W of the row's event, itself taken into account: what the source says of the next one. */
  arrived({ table, late, at, watermark, cells }: Row): void {
    const plan = this.plan.tables[table] as TablePlan;
    const says = !late && (plan.time === null || typeof cells[plan.time] === 'string');
    this.advance(table, says ? Math.max(watermark, at - plan.lateness - 1) : watermark);
  }

  /** W never goes back. */
  advance(table: number, watermark: Micros): void {
    if (watermark > (this.#watermarks[table] ?? Infinity)) this.#watermarks[table] = watermark;
  }

  /** No more rows of this time or earlier will come to the pattern. */
  watermarkOf({ tables }: PatternProgram): Micros {
    let least = Infinity;
    for (const table of tables) least = Math.min(least, this.#watermarks[table] ?? -Infinity);
    return least;
  }

  /** How many more partial matches of the pattern may be kept. */
  roomFor({ plan }: PatternProgram): number {
    return Math.max(0, this.#maxPartials - (this.#meter.partialsOf.get(plan.state) ?? 0));
  }

  /** The least W of the rows that look into the store: what it may forget by. */
  watermarkOfStore({ readers }: StoreProgram): Micros {
    let least = Infinity;
    for (const table of readers) least = Math.min(least, this.#watermarks[table] ?? -Infinity);
    return readers.length === 0 ? -Infinity : least;
  }

  *#sweepAll(): Generator<void, void, void> {
    for (const bucket of this.#buckets) if (bucket !== undefined) yield* this.#forget(bucket);
  }

  *#forget(bucket: Bucket): Generator<void, void, void> {
    for (const store of bucket.stores.values()) {
      for (const key of store.keys()) {
        store.forget(key, this.#watermarkFor(store));
        yield;
      }
    }
    for (const [rule, cooldowns] of bucket.cooldowns) {
      for (const [key, until] of cooldowns.until) {
        if (until <= this.#watermarkOfRule(rule)) cooldowns.drop(key);
        yield;
      }
    }
  }

  #watermarkFor(store: KeyedEntries): Micros {
    const program = this.#program.stores.find(({ plan }) => plan.id === store.id);
    return program === undefined ? this.#leastWatermark() : this.watermarkOfStore(program);
  }

  #watermarkOfRule(id: string): Micros {
    const rule = this.plan.rules.find((known) => known.id === id);
    if (rule !== undefined) return this.#watermarks[rule.table] ?? -Infinity;
    const pattern = this.#program.patterns.find(({ plan }) => plan.id === id);
    return pattern === undefined ? this.#leastWatermark() : this.watermarkOf(pattern);
  }

  #leastWatermark(): Micros {
    return this.#watermarks.length === 0 ? -Infinity : Math.min(...this.#watermarks);
  }
}

function timeOf({ event, time, lateness, columns }: TablePlan): string {
  return JSON.stringify([event, lateness, time === null ? null : columns[time]?.name]);
}
