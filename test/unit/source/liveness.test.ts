import { describe, expect, test } from 'vitest';
import { Ownerless } from '../../../src/source/liveness.ts';

/** A look a second at two partitions: what is told. */
function told(
  seconds: number,
  see: (second: number) => { owned: readonly number[]; batches: readonly number[] },
) {
  const ownerless = new Ownerless();
  return Array.from({ length: seconds }, (_, second) => {
    const { owned, batches } = see(second);
    return ownerless.look({ owned: new Set(owned), batches, nowMs: second * 1_000 });
  });
}

describe('a partition without an owner', () => {
  test('is told after 5 seconds with work, also while the others move', () => {
    const looks = told(7, (second) => ({ owned: [0], batches: [second, 1] }));
    expect(looks).toEqual([[], [], [], [], [], [1], [1]]);
  });

  test('is not told without work', () => {
    expect(told(9, () => ({ owned: [0], batches: [3, 0] })).flat()).toEqual([]);
  });

  test('is told until it has an owner, whatever becomes of its work', () => {
    const looks = told(9, (second) => ({
      owned: second < 7 ? [0] : [0, 1],
      batches: [1, second === 5 ? 1 : 0],
    }));
    expect(looks).toEqual([[], [], [], [], [], [1], [1], [], []]);
  });
});
