import { describe, expect, it } from 'vitest';
import { Compaction } from '../../../src/store/compaction.ts';

const position = (n: number) => String(n).padStart(8, '0');
const ALL = Array.from({ length: 100 }, (_, i) => i);

/** A log whose old generation has a delta of each of 100 buckets, of 1,000 bytes in all. */
function rotated(): Compaction {
  const compaction = new Compaction(1_000);
  compaction.appended({ position: position(1), bytes: 1_001, buckets: ALL });
  return compaction;
}

function cover(compaction: Compaction, buckets: readonly number[], n: number, bytes = 10): void {
  for (const bucket of buckets) compaction.snapshots.set(bucket, { position: position(n), bytes });
}

describe('compaction', () => {
  it('begins when a generation is full, and the other one takes the commits', () => {
    const compaction = new Compaction(1_000);
    compaction.appended({ position: position(1), bytes: 900, buckets: [1] });
    expect([compaction.live, compaction.plan()]).toEqual([0, null]);
    compaction.appended({ position: position(2), bytes: 200, buckets: [2] });
    expect(compaction.live).toBe(1);
  });

  it('waits for more when the snapshots are large: what is written follows what is committed', () => {
    const compaction = new Compaction(1_000);
    cover(compaction, [1], 0, 100_000);
    compaction.appended({ position: position(1), bytes: 40_000, buckets: [1] });
    expect(compaction.live).toBe(0);
    compaction.appended({ position: position(2), bytes: 20_000, buckets: [1] });
    expect(compaction.live).toBe(1);
  });

  it('goes at the pace of the commits, in steps, and is done when the live generation is half full', () => {
    const compaction = rotated();
    expect(compaction.plan()).toBeNull();
    let steps = 0;
    for (let n = 2; n <= 52; n++) {
      compaction.appended({ position: position(n), bytes: 10, buckets: [200] });
      const due = compaction.plan();
      if (due === null) continue;
      expect(due.length).toBeLessThanOrEqual(16);
      cover(compaction, due, n);
      steps++;
    }
    expect(compaction.isDone()).toBe(true);
    expect(steps).toBeGreaterThanOrEqual(7);
  });

  it('takes few buckets at a time when they are large, but always one', () => {
    const compaction = new Compaction(1_000);
    cover(compaction, ALL, 0, 1_000_000);
    compaction.appended({ position: position(1), bytes: 60_000_000, buckets: ALL });
    compaction.appended({ position: position(2), bytes: 1_000_000, buckets: [200] });
    expect(compaction.plan()).toHaveLength(1);
  });

  it('leaves what a later snapshot covers already', () => {
    const compaction = rotated();
    cover(compaction, ALL.slice(1), 1);
    compaction.appended({ position: position(2), bytes: 500, buckets: [5] });
    expect(compaction.plan()).toEqual([0]);
    expect(compaction.isDirty(5)).toBe(true);
    expect(compaction.isDirty(6)).toBe(false);
  });

  it('truncates once all are covered, and not again soon when it could not', () => {
    const compaction = rotated();
    cover(compaction, ALL, 1);
    expect(compaction.plan()).toEqual([]);
    compaction.postpone();
    expect(compaction.plan()).toBeNull();
    compaction.appended({ position: position(2), bytes: 100, buckets: [5] });
    expect(compaction.plan()).toEqual([]);
    compaction.truncated();
    expect([compaction.plan(), compaction.sizes().segmentBytes]).toEqual([null, 100]);
  });

  it('goes on where a crash has left it: the table with the newest segment takes the commits', () => {
    const compaction = new Compaction(1_000);
    compaction.found(0, { position: position(9), bytes: 500, buckets: [1] });
    compaction.found(1, { position: position(3), bytes: 1_200, buckets: [2] });
    compaction.resume();
    expect([compaction.live, compaction.plan()]).toEqual([0, [2]]);
  });
});
