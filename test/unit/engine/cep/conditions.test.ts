import { describe, expect, test } from 'vitest';
import { play, rulesOf, told } from './support/letters.ts';

describe('conditions', () => {
  test('look at earlier steps, and at what their own step has taken', () => {
    const rules = rulesOf([
      { a: {} },
      { b: { times: '1+', when: 'name == "b" && sum(b.price) + price < a.price' } },
    ]);
    expect(told(play(rules, 'a1/5 b2/2 b3/3 b4/2').matches)).toEqual(['a:0 b:1', 'a:0 b:1,3']);
  });

  test('that are unknown are not satisfied', () => {
    const lanes = play(rulesOf([{ a: { when: 'price > 0.0' } }, { b: { optional: true } }]), 'a1');
    lanes.play([{ event: 'e', at: 2, name: 'a', price: null, key: '' }], { flush: false });
    expect(told(lanes.matches)).toEqual(['a:0']);
  });

  test('that throw are not satisfied, and are reported once a row; the other steps go on', () => {
    const rules = rulesOf([{ a: {} }, { b: { when: 'timestamp(key) > a.at', optional: true } }, { c: {} }]);
    const lanes = play(rules, 'a1 a2 k:c3');
    expect(told(lanes.matches)).toEqual(['a:0 c:2', 'a:1 c:2']);
    expect(lanes.failures.filter((failure) => failure.startsWith('b: '))).toHaveLength(lanes.failures.length);
    expect(lanes.failures).toHaveLength(2);
  });
});

describe('let', () => {
  const steps = [{ a: {} }, { b: { times: '1+', contiguity: 'any' } }];
  const valuesOf = (let_: object, letters: string) =>
    play(rulesOf(steps, { let: let_ }), letters).details.map(({ lets }) => lets);

  test('has aggregates over the takes of a step: exact, unknowns left out', () => {
    const all = {
      sum: { sum: 'b.price' },
      avg: { avg: 'b.price' },
      min: { min: 'b.price' },
      max: { max: 'b.price' },
      kinds: { distinct: 'b.price' },
    };
    expect(valuesOf(all, 'a1 b2/0.1 b3/0.2 b4/0.10')).toContainEqual([0.4, 0.4 / 3, 0.1, 0.2, 2]);
  });

  test('each match that parts from another has sums of its own', () => {
    expect(valuesOf({ total: { sum: 'b.price' } }, 'a1 b2/1 b3/2')).toEqual([[1], [3], [2]]);
  });

  test('changed: two of its events differ in the column', () => {
    expect(valuesOf({ moved: { changed: 'key' } }, 'k:a1 k:b2')).toEqual([[false]]);
    expect(valuesOf({ moved: { changed: 'key' } }, 'k:a1 l:b2')).toEqual([[true]]);
  });

  test('when and unless judge the whole match', () => {
    const rest = { let: { total: { sum: 'b.price' } }, when: 'total > 2.0', unless: 'count(b) > 2.0' };
    expect(told(play(rulesOf([{ a: {} }, { b: { times: '1+' } }], rest), 'a1 b2 b3/2 b4').matches)).toEqual([
      'a:0 b:1,2',
    ]);
  });
});
