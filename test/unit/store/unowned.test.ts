import { expect, test } from 'vitest';
import { Unowned } from '../../../src/store/unowned.ts';

/** Looks at each of these seconds; owned: as many partitions of three, from the first on. */
function found(seconds: readonly number[], owned: (second: number) => number) {
  const unowned = new Unowned();
  return seconds.map((second) => {
    const has = (partition: number): boolean => partition < owned(second);
    return unowned.look({ has }, { partitions: 3, nowMs: second * 1_000, forMs: 5_000 });
  });
}

const SECONDS = Array.from({ length: 9 }, (_, second) => second);

test('a partition is found when it has had no owner for that long', () => {
  expect(found(SECONDS, () => 2)).toEqual([[], [], [], [], [], [2], [2], [2], [2]]);
  expect(found(SECONDS, (second) => (second < 2 ? 3 : 1)).at(-1)).toEqual([1, 2]);
});

test('one that had an owner in between begins anew', () => {
  expect(found(SECONDS, (second) => (second === 4 ? 3 : 2)).flat()).toEqual([]);
});

test('whoever was away for a while has not seen what happened, and begins anew', () => {
  expect(found([0, 1, 60, 61, 62, 63, 64], () => 2).flat()).toEqual([]);
  expect(found([0, 1, 60, 61, 62, 63, 64, 65], () => 2).flat()).toEqual([2]);
});
