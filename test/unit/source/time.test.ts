import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventClock } from '../../../src/source/time.ts';
import type { SourceTimes } from '../../../src/store/control.ts';
import { SECOND, table } from './plans.ts';

const START: SourceTimes = { commitAt: 0, events: {} };
const T0 = 1_700_000_000 * SECOND;
const timed = table({ name: 'timed', time: 2, lateness: 5 * SECOND });
const iso = (micros: number) => new Date(micros / 1000).toISOString();
const row = (micros: number) => ['1', '1', iso(micros)];

function stamped(clock: EventClock, at: number | string | null, index = 0) {
  clock.stamp(index, ['1', '1', typeof at === 'number' ? iso(at) : at]);
  return { at: clock.at, watermark: clock.watermark, late: clock.late };
}

describe('the clock of events', () => {
  test('a commit timestamp that goes back does not', () => {
    const clock = new EventClock([table()], START);
    clock.begin(T0);
    clock.begin(T0 - 1_000);
    expect(clock.commitAt).toBe(T0);
    expect(stamped(clock, null)).toEqual({ at: T0, watermark: T0 - 1, late: false });
  });

  test('rows of one commit time are none of them late', () => {
    const clock = new EventClock([table()], START);
    clock.begin(T0);
    stamped(clock, null);
    expect(stamped(clock, null)).toEqual({ at: T0, watermark: T0 - 1, late: false });
  });

  test('W is the latest time less lateness less a microsecond, and a row at it is late', () => {
    const clock = new EventClock([timed], START);
    clock.begin(T0);
    stamped(clock, T0);
    const watermark = T0 - 5 * SECOND - 1;
    expect(clock.watermarks()).toEqual([watermark]);
    expect(stamped(clock, T0 - 5 * SECOND)).toEqual({ at: T0 - 5 * SECOND, watermark, late: false });
    clock.stamp(0, ['1', '1', '2023-11-14 22:13:14.999999+00']);
    expect([clock.at, clock.late]).toEqual([watermark, true]);
  });

  test('a time too far ahead of its commit, or infinite, moves nothing and is late', () => {
    const clock = new EventClock([timed], START);
    clock.begin(T0);
    expect(stamped(clock, T0 + 60 * SECOND).late).toBe(false);
    expect(stamped(clock, T0 + 61 * SECOND).late).toBe(true);
    expect(stamped(clock, 'infinity')).toMatchObject({ at: Infinity, late: true });
    expect(stamped(clock, '-infinity')).toMatchObject({ at: -Infinity, late: true });
    expect(clock.watermarks()).toEqual([T0 + 55 * SECOND - 1]);
  });

  test('a row without a time is of its commit, and moves nothing', () => {
    const clock = new EventClock([timed], START);
    clock.begin(T0);
    stamped(clock, T0 - 3600 * SECOND);
    const before = clock.watermarks();
    expect(stamped(clock, null)).toMatchObject({ at: T0, late: false });
    expect(clock.watermarks()).toEqual(before);
  });

  test('a heartbeat moves an event that had no row for `idle`, and no other', () => {
    const quiet = table({ name: 'quiet', time: 2, lateness: 5 * SECOND });
    const clock = new EventClock([timed, quiet], START);
    clock.begin(T0);
    stamped(clock, T0);
    clock.begin(T0 + 29 * SECOND);
    clock.heartbeat();
    expect(clock.watermarks()).toEqual([T0 - 5 * SECOND - 1, null]);
    stamped(clock, T0 + 29 * SECOND);
    clock.begin(T0 + 30 * SECOND);
    clock.heartbeat();
    expect(clock.watermarks()).toEqual([T0 + 24 * SECOND - 1, T0 + 25 * SECOND - 1]);
  });

  test('half a transaction is in no acknowledgement', () => {
    const clock = new EventClock([timed], START);
    clock.begin(T0);
    stamped(clock, T0);
    clock.commit();
    const committed = clock.committed();
    clock.begin(T0 + SECOND);
    stamped(clock, T0 + SECOND);
    expect(clock.committed()).toEqual(committed);
  });

  test('a clock for other rules goes on where the old one stands, and acknowledges where it stood', () => {
    const clock = new EventClock([timed], START);
    clock.begin(T0);
    stamped(clock, T0);
    clock.commit();
    clock.begin(T0 + SECOND);
    stamped(clock, T0 + SECOND);
    const next = EventClock.of([table({ name: 'other' }), timed], clock);
    expect(next.watermarks()).toEqual([T0 + SECOND - 1, T0 - 4 * SECOND - 1]);
    expect(next.committed()).toEqual(clock.committed());
  });

  test('W of an event without a time follows every transaction and heartbeat, whosever rows they have', () => {
    const clock = new EventClock([table(), timed], START);
    clock.begin(T0);
    stamped(clock, T0, 1);
    expect(clock.watermarks()[0]).toBe(T0 - 1);
    clock.begin(T0 + SECOND);
    clock.heartbeat();
    expect(clock.watermarks()).toEqual([T0 + SECOND - 1, T0 - 5 * SECOND - 1]);
    expect(stamped(clock, null, 0)).toEqual({ at: T0 + SECOND, watermark: T0 + SECOND - 1, late: false });
  });

  test('an event that is given a time begins where commit time stood, and one that loses it goes on there', () => {
    const clock = new EventClock([table({ name: 'a' }), table({ name: 'b', time: 2 })], START);
    clock.begin(T0);
    stamped(clock, T0 + 30 * SECOND, 1);
    const next = EventClock.of([table({ name: 'a', time: 2 }), table({ name: 'b' })], clock);
    expect(next.watermarks()).toEqual([T0 - 1, T0 - 1]);
    next.begin(T0 + SECOND);
    expect(next.watermarks()).toEqual([T0 - 1, T0 + SECOND - 1]);
    expect(stamped(next, null, 1).late).toBe(false);
  });

  test('a transaction of another server moves no time, however far ahead its clock is', () => {
    const clock = new EventClock([table(), timed], START);
    clock.begin(T0);
    clock.beginReplicated(T0 + 3600 * SECOND);
    expect(stamped(clock, null)).toEqual({ at: T0, watermark: T0 - 1, late: false });
    expect(clock.watermarks()).toEqual([T0 - 1, null]);
    clock.begin(T0 + SECOND);
    expect(clock.commitAt).toBe(T0 + SECOND);
  });

  test('where no time is known yet, that of another server is all there is', () => {
    const clock = new EventClock([table()], START);
    clock.beginReplicated(T0);
    expect(stamped(clock, null)).toMatchObject({ at: T0, late: false });
  });

  type Step = {
    readonly table: 0 | 1;
    readonly commit: number;
    readonly lag: number;
    readonly beat: boolean;
    readonly replicated: boolean;
  };
  const steps = fc.array(
    fc.record<Step>({
      table: fc.constantFrom(0 as const, 1 as const),
      commit: fc.integer({ min: -2, max: 40 }),
      lag: fc.integer({ min: -70, max: 20 }),
      beat: fc.boolean(),
      replicated: fc.boolean(),
    }),
    { maxLength: 60 },
  );

  /** What each transaction of one row is stamped with, from `times` on. */
  function replay(all: readonly Step[], from: number, times: SourceTimes) {
    const clock = new EventClock([timed, table({ name: 'plain' })], times);
    const stamps: unknown[] = [];
    const saved: SourceTimes[] = [];
    let commitAt = T0;
    all.forEach((step, i) => {
      commitAt += step.commit * SECOND;
      if (i < from) return;
      if (step.replicated) clock.beginReplicated(commitAt + 3600 * SECOND);
      else clock.begin(commitAt);
      if (step.beat) clock.heartbeat();
      else clock.stamp(step.table, row(commitAt - step.lag * SECOND));
      stamps.push([clock.at, clock.watermark, clock.late, clock.commitAt, clock.watermarks()]);
      clock.commit();
      saved.push(JSON.parse(JSON.stringify(clock.committed())) as SourceTimes);
    });
    return { stamps, saved };
  }

  test('a replay from any acknowledgement stamps the same', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (all, cut) => {
        const whole = replay(all, 0, START);
        if (all.length === 0) return;
        const at = cut % all.length;
        const times = whole.saved[at] as SourceTimes;
        const again = replay(all, at + 1, times).stamps;
        // `at` and `watermark` of a heartbeat are those of the last row: no part of the law.
        const law = (stamps: unknown[]) =>
          stamps.map((stamp, i) => (all[at + 1 + i]?.beat ? (stamp as unknown[]).slice(3) : stamp));
        expect(law(again)).toEqual(law(whole.stamps.slice(at + 1)));
      }),
    );
  });

  test('W and the commit time never go back', () => {
    fc.assert(
      fc.property(steps, (all) => {
        let last: readonly (number | null)[] = [null, null];
        for (const stamp of replay(all, 0, START).stamps) {
          const watermarks = (stamp as [number, number, boolean, number, (number | null)[]])[4];
          watermarks.forEach((watermark, i) => {
            expect((watermark ?? -Infinity) >= (last[i] ?? -Infinity)).toBe(true);
          });
          last = watermarks;
        }
      }),
    );
  });
});
