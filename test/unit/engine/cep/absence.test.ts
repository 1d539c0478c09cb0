import { describe, expect, test } from 'vitest';
import { matches, play, rulesOf } from './support/letters.ts';

const no = (parts: object = {}) => ({ n: { not: true, ...parts } });

describe('an absence before a step', () => {
  test('relaxed: no such row up to and including the one of that step', () => {
    const rules = rulesOf([{ a: {} }, no({ when: 'price > 5.0' }), { b: {} }]);
    expect(matches(rules, 'a1 x2 b3')).toEqual(['a:0 b:2']);
    expect(matches(rules, 'a1 x2/6 b3')).toEqual([]);
    expect(matches(rules, 'a1 b2/6 b3')).toEqual([]);
  });

  test('strict: only the row right after the last take is not one', () => {
    const rules = rulesOf([{ a: {} }, no({ contiguity: 'strict' }), { b: {} }]);
    expect(matches(rules, 'a1 n2 b3')).toEqual([]);
    expect(matches(rules, 'a1 x2 n3 b4')).toEqual(['a:0 b:3']);
  });

  test('after a loop it is in force between the takes of the loop too', () => {
    const rules = rulesOf([{ a: { times: '1+' } }, no(), { b: {} }]);
    expect(matches(rules, 'a1 n2 a3 b4')).toEqual(['a:2 b:3']);
  });

  test('strict after a loop: only from its minimum on', () => {
    const rules = rulesOf([{ a: { times: '2+' } }, no({ contiguity: 'strict' }), { b: {} }]);
    expect(matches(rules, 'a1 n2 a3 b4')).toEqual(['a:0,2 b:3']);
  });

  test('strict after a loop of rounds: only once there are enough of them', () => {
    const rounds = { steps: [{ a: { times: '1..2' } }], times: 2 };
    const rules = rulesOf([{ s: {} }, { rounds }, no({ contiguity: 'strict' }), { b: {} }]);
    // Only where the first round goes on beyond the n can there be four takes.
    const all = ['s:0 a:1,3,4,5 b:6', 's:0 a:1,3,4 b:6', 's:0 a:1,3 b:6'];
    expect(matches(rules, 's1 a2 n3 a4 a5 a6 b7')).toEqual(all);
    expect(matches(rules, 's1 a2 a3 n4 b5')).toEqual([]);
  });

  test('strict after nested loops of rounds: each of them has to be done', () => {
    const inner = { steps: [{ a: { times: '1..2' } }], times: 1 };
    const outer = { steps: [{ c: {} }, { inner }], times: 2 };
    const rules = rulesOf([{ outer }, no({ contiguity: 'strict' }), { b: {} }]);
    expect(matches(rules, 'c1 a2 n3 a4 c5 a6 b7')).toEqual(['c:0,4 a:1,3,5 b:6', 'c:0,4 a:1,5 b:6']);
    expect(matches(rules, 'c1 a2 c3 a4 n5 a6 b7')).toEqual([]);
  });

  test('relaxed after a loop of rounds: in force from the first take on', () => {
    const rounds = { steps: [{ a: { times: '1+' } }], times: 2 };
    expect(matches(rulesOf([{ rounds }, no(), { b: {} }]), 'a1 n2 a3 b4')).toEqual([]);
  });

  test('before steps that are all optional it binds only matches that take one of them', () => {
    const rules = rulesOf([{ a: {} }, no(), { b: { optional: true } }]);
    expect(matches(rules, 'a1 n2 b3')).toEqual(['a:0']);
  });
});

describe('an absence at the end', () => {
  const rules = rulesOf([{ a: {} }, no()], { within: '5ms' });

  test('has held when time passes the first event + within, whatever comes', () => {
    const { details } = play(rules, 'a1 x6');
    expect(details.map(({ at, takes }) => [at, takes.length])).toEqual([[6_000, 1]]);
    expect(matches(rules, 'a1 n5 x9')).toEqual([]);
  });

  test('time passes before the row of that time is looked at', () => {
    expect(matches(rules, 'a1 n6')).toEqual(['a:0']);
  });

  test('comes out by W alone, with no further row', () => {
    expect(matches(rules, 'a1 @5.999')).toEqual(['a:0']);
    expect(matches(rules, 'a1 @5.998')).toEqual([]);
  });

  test('with a within of its own is counted from the last event', () => {
    const own = rulesOf([{ a: {} }, { b: {} }, no({ within: '3ms' })]);
    expect(matches(own, 'a1 b9 n12')).toEqual(['a:0 b:1']);
    expect(matches(own, 'a1 b9 n11 x20')).toEqual([]);
  });

  test('after a loop gives each count a match of its own', () => {
    const loop = rulesOf([{ a: { times: '1+' } }, no()], { within: '5ms' });
    expect(matches(loop, 'a1 a2 x9')).toEqual(['a:0', 'a:0,1', 'a:1']);
  });

  test('strict: the next row decides, and a partial match without one times out', () => {
    const strict = rulesOf([{ a: {} }, no({ contiguity: 'strict' })], {
      within: '5ms',
      on_timeout: { severity: 'info' },
    });
    expect(matches(strict, 'a1 x2')).toEqual(['a:0']);
    expect(matches(strict, 'a1 n2 x3')).toEqual([]);
    const late = play(strict, 'a1 x9');
    expect([late.matches, late.timeouts]).toEqual([[], [{ a: [0] }]]);
  });

  test('is a match at its deadline, not a timeout', () => {
    const both = rulesOf([{ a: {} }, no()], { within: '5ms', on_timeout: { severity: 'info' } });
    const { matches: found, timeouts } = play(both, 'a1', { flush: true });
    expect([found, timeouts]).toEqual([[{ a: [0] }], []]);
  });
});
