import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outputs } from '../../../src/engine/outputs.ts';
import { PartitionState } from '../../../src/engine/partition-state.ts';
import type { Row } from '../../../src/events/row.ts';
import { fraudPlan, fraudStreams } from './support/fraud-plan.ts';
import { foldInto, joined, rowsOf, SavedBuckets } from './support/stream.ts';

const plan = fraudPlan();
const other = fraudPlan('other', { withDevices: false });

/** What may happen between two batches. */
const EVENTS = [
  'nothing',
  'restart',
  'compact',
  'evict',
  'sweep',
  'compact and restart',
  'change rules',
] as const;
type Between = (typeof EVENTS)[number];
interface Cut {
  readonly at: number;
  readonly event: Between;
}
const cuts = (events: readonly Between[]): fc.Arbitrary<Cut[]> =>
  fc.array(fc.record({ at: fc.nat(40), event: fc.constantFrom(...events) }), { maxLength: 12 });

/** A partition's life: rows in batches, with what happens between them. Stays honest about what is in memory. */
class Life {
  readonly saved = new SavedBuckets();
  readonly outputs: Outputs[] = [];
  state: PartitionState;
  readonly #rows: readonly Row[];
  readonly #followFrom: number;
  #done = 0;

  constructor(rows: readonly Row[], followFrom: number) {
    this.#rows = rows;
    this.#followFrom = followFrom;
    this.state = new PartitionState(plan, { followFrom });
  }

  run(all: readonly Cut[]): this {
    const ordered = [...all].sort((a, b) => a.at - b.at);
    for (const cut of ordered) {
      this.#foldTo(Math.min(cut.at, this.#rows.length));
      this.#happen(cut.event);
    }
    this.#foldTo(this.#rows.length);
    return this;
  }

  /** All state there is, whether in memory or not. */
  get everything(): Record<number, string | null> {
    const buckets = new Set([...this.saved.deltas.keys(), ...this.saved.snapshots.keys()]);
    const all = [...buckets].sort((a, b) => a - b).map((bucket) => [bucket, this.#read(bucket)]);
    return Object.fromEntries(all.filter(([, json]) => json !== null));
  }

  #foldTo(to: number): void {
    const { outputs } = foldInto(this.state, this.saved, { rows: this.#rows, from: this.#done, to });
    this.outputs.push(outputs);
    this.#done = to;
  }

  #happen(what: Between): void {
    const buckets = [...this.saved.deltas.keys()];
    if (what === 'change rules') this.state.setPlan(this.state.plan === plan ? other : plan);
    if (what === 'sweep') this.state.sweep(1000);
    if (what.startsWith('compact')) for (const bucket of buckets) this.#compact(bucket);
    if (what === 'evict') for (const bucket of buckets) this.state.evict(bucket);
    if (what.endsWith('restart'))
      this.state = new PartitionState(this.state.plan, { followFrom: this.#followFrom });
  }

  #compact(bucket: number): void {
    this.#read(bucket);
    this.saved.compact(this.state, bucket);
  }

  #read(bucket: number): string | null {
    try {
      this.state.bucket(bucket);
    } catch {
      const { snapshots, deltas } = this.saved;
      this.state.install(bucket, snapshots.get(bucket) ?? null, deltas.get(bucket) ?? []);
    }
    return this.state.snapshot(bucket);
  }
}

describe.each([
  ['few entries are read through', 32],
  ['aggregates follow all windows', 0],
])('where %s', (_, followFrom) => {
  it('a batch split anywhere changes nothing in outputs nor in state', () => {
    fc.assert(
      fc.property(fraudStreams, cuts(['nothing']), (arrivals, splits) => {
        const rows = rowsOf(plan, arrivals);
        const whole = new Life(rows, followFrom).run([]);
        const split = new Life(rows, followFrom).run(splits);
        expect(joined(split.outputs)).toEqual(joined(whole.outputs));
        expect(split.everything).toEqual(whole.everything);
      }),
    );
  });

  it('saving and loading, evicting and sweeping between any two rows changes nothing', () => {
    fc.assert(
      fc.property(fraudStreams, cuts(EVENTS.slice(0, -1)), (arrivals, between) => {
        const rows = rowsOf(plan, arrivals);
        const calm = new Life(rows, followFrom).run([]);
        const busy = new Life(rows, followFrom).run(between);
        expect(joined(busy.outputs)).toEqual(joined(calm.outputs));
        expect(busy.everything).toEqual(calm.everything);
      }),
      { numRuns: 200 },
    );
  });

  it('also where the rules change and change back', () => {
    fc.assert(
      fc.property(fraudStreams, cuts(EVENTS), (arrivals, between) => {
        const rows = rowsOf(plan, arrivals);
        const changes = between.filter(({ event }) => event === 'change rules');
        const calm = new Life(rows, followFrom).run(changes);
        const busy = new Life(rows, followFrom).run(between);
        expect(joined(busy.outputs)).toEqual(joined(calm.outputs));
        // What no rule can see at present may be forgotten sooner or later: compare what these rules see.
        for (const life of [busy, calm]) life.state.setPlan(plan);
        expect(busy.everything).toEqual(calm.everything);
      }),
      { numRuns: 200 },
    );
  });
});

describe('state', () => {
  it('is empty, in memory and in the store, once W has passed all windows and cooldowns', () => {
    fc.assert(
      fc.property(fraudStreams, (arrivals) => {
        const rows = rowsOf(plan, arrivals);
        const life = new Life(rows, 0).run([]);
        for (const table of plan.tables.keys()) life.state.advance(table, 1_000_000);
        life.state.sweep(10_000);
        expect(life.state.stats()).toMatchObject({ keys: 0, entries: 0, bytes: 0 });
        expect(life.everything).toEqual({});
      }),
    );
  });

  it('of another version is refused', () => {
    const state = new PartitionState(plan);
    expect(() => state.install(7, '{"v":2,"s":[],"c":[]}', [])).toThrow(
      'state of bucket 7 has version 2, not 1',
    );
  });

  it('that is not installed is a bug, never a dead letter', () => {
    const rows = rowsOf(plan, [{ cells: ['1', '1', 'x', '5'], at: 10 }]);
    const state = new PartitionState(plan);
    const read = (): unknown => foldInto(state, new Unread(), { rows, from: 0, to: 1 });
    expect(read).toThrow(/bucket \d+ is not installed/);
  });

  it('grows in a delta by the batch, not by what the key holds', () => {
    const arrivals = Array.from({ length: 1000 }, (_, i) => ({ cells: [`${i}`, '1', 'x', '1'], at: 10 }));
    const rows = rowsOf(plan, arrivals);
    const state = new PartitionState(plan);
    const saved = new SavedBuckets();
    const first = foldInto(state, saved, { rows, from: 0, to: 1 });
    foldInto(state, saved, { rows, from: 1, to: 999 });
    const last = foldInto(state, saved, { rows, from: 999, to: 1000 });
    expect(bytes(last.delta)).toBeLessThanOrEqual(bytes(first.delta));
  });
});

class Unread extends SavedBuckets {
  override install(): void {}
}

function bytes(delta: ReadonlyMap<number, string>): number {
  return [...delta.values()].reduce((sum, json) => sum + json.length, 0);
}
