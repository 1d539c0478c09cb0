import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SortedBlocks } from '../../../src/engine/windows/sorted-blocks.ts';

/** Thousands come and go, so that blocks are cut in two and joined again. */
const lives = fc.array(
  fc.record({
    come: fc.array(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true })), {
      minLength: 0,
      maxLength: 3_000,
      size: 'max',
    }),
    /** Of those that are there: the first of the sorted ones, the last, or each other one. */
    go: fc.constantFrom('none', 'first', 'last', 'other', 'all'),
  }),
  { maxLength: 4 },
);

describe('sorted blocks', () => {
  it('have at each place what a sorted array has there, whatever came and went', () => {
    fc.assert(
      fc.property(lives, (life) => {
        const blocks = new SortedBlocks();
        let model: number[] = [];
        for (const { come, go } of life) {
          for (const value of come) blocks.add(value);
          model.push(...come);
          model.sort((a, b) => a - b);
          const gone = model.filter((_, i) => goes(go, i, model.length));
          for (const value of gone) blocks.remove(value);
          model = model.filter((_, i) => !goes(go, i, model.length));
          expect(blocks.size).toBe(model.length);
          const found = model.map((_, place) => blocks.at(place));
          expect(found.findIndex((value, place) => value !== model[place])).toBe(-1);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('tell a bug from a number that is not there', () => {
    const blocks = new SortedBlocks();
    blocks.add(1);
    expect(() => blocks.remove(2)).toThrow('2 is not among the numbers');
    expect(() => blocks.at(1)).toThrow('there are 1 numbers, and none at 1');
  });
});

function goes(go: string, index: number, size: number): boolean {
  if (go === 'other') return index % 2 === 1;
  if (go === 'first') return index < (size * 4) / 5;
  return go === 'all' || (go === 'last' && index >= size / 5);
}
