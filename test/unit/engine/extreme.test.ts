import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Entries } from '../../../src/engine/windows/entries.ts';
import { RunningExtreme } from '../../../src/engine/windows/running-extreme.ts';

interface Entry {
  readonly time: number;
  readonly cell: string | null;
}

/** As the engine does it: entries in the order of (time, arrival), followed by both extremes. */
class Followed {
  readonly entries = new Entries(1);
  readonly max = new RunningExtreme(0, Number, 1);
  readonly min = new RunningExtreme(0, Number, -1);
  readonly all: Entry[] = [];

  constructor() {
    this.entries.followers = { specs: null, list: [this.max, this.min] };
  }

  insert(time: number, cell: string | null): void {
    this.entries.insert(time, [cell]);
    this.all.push({ time, cell });
  }

  prune(bound: number): void {
    this.entries.forget(bound);
  }

  /** Over times in (lower, at]. */
  found(lower: number, at: number): (number | null)[] {
    const { entries } = this;
    const range = { lo: entries.upper(lower), hi: entries.upper(at), lower };
    return [this.max, this.min].map((extreme) => extreme.query(entries, range) as number | null);
  }

  expected(lower: number, at: number): (number | null)[] {
    const values = this.all.flatMap(({ time, cell }) =>
      time > lower && time <= at && cell !== null ? [Number(cell)] : [],
    );
    return values.length === 0 ? [null, null] : [Math.max(...values), Math.min(...values)];
  }
}

const steps = fc.record({
  forward: fc.nat(3),
  back: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(700) }),
  cell: fc.option(fc.integer({ min: -50, max: 50 }).map(String), { freq: 10 }),
  prune: fc.boolean(),
});

describe('the extremes of a long window', () => {
  it('are those of its entries, for rows in order, out of order and far too late', () => {
    const over = 900;
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1200, maxLength: 1500 }), (all) => {
        const followed = new Followed();
        let now = 1000;
        all.forEach(({ forward, back, cell, prune }, i) => {
          now += forward;
          const at = now - back;
          followed.insert(at, cell);
          if (prune) followed.prune(now - 2 * over);
          if (i % 5 > 0) return;
          const lower = Math.max(at - over, now - 2 * over);
          expect(followed.found(lower, at)).toEqual(followed.expected(lower, at));
        });
      }),
      { numRuns: 8 },
    );
  });
});
