import { describe, expect, test } from 'vitest';
import { matches, rulesOf } from './support/letters.ts';

describe('how a step follows the one before', () => {
  test('strict: the very next row, and no other', () => {
    const rules = rulesOf([{ a: {} }, { b: { contiguity: 'strict' } }]);
    expect(matches(rules, 'a1 b2 x3 a4 x5 b6')).toEqual(['a:0 b:1']);
  });

  test('relaxed: the first later row that satisfies it', () => {
    const rules = rulesOf([{ a: {} }, { b: {} }]);
    expect(matches(rules, 'a1 x2 b3 b4')).toEqual(['a:0 b:2']);
  });

  test('any: every later row that satisfies it', () => {
    const rules = rulesOf([{ a: {} }, { b: { contiguity: 'any' } }]);
    expect(matches(rules, 'a1 x2 b3 b4')).toEqual(['a:0 b:2', 'a:0 b:3']);
  });

  test('a match starts at every row that satisfies the first step', () => {
    expect(matches(rulesOf([{ a: {} }, { b: {} }]), 'a1 a2 b3')).toEqual(['a:0 b:2', 'a:1 b:2']);
  });

  test('one row may end one match and begin another, but is not taken twice by one', () => {
    const rules = rulesOf([{ one: { when: 'name == "a"' } }, { two: { when: 'name == "a"' } }]);
    expect(matches(rules, 'a1 a2 a3')).toEqual(['one:0 two:1', 'one:1 two:2']);
  });

  test('rows of one time are in the order of their arrival', () => {
    expect(matches(rulesOf([{ a: {} }, { b: {} }]), 'b1 a1 b1')).toEqual(['a:1 b:2']);
  });

  test('each key has matches of its own', () => {
    const rules = rulesOf([{ a: {} }, { b: { contiguity: 'strict' } }], { by: 'key' });
    expect(matches(rules, 'k:a1 l:a2 k:b3 l:x4 l:b5')).toEqual(['a:0 b:2']);
  });
});

describe('an optional step', () => {
  test('may take nothing, and the next step is measured from the last row taken', () => {
    const rules = rulesOf([{ a: {} }, { b: { optional: true } }, { c: { contiguity: 'strict' } }]);
    expect(matches(rules, 'a1 c2')).toEqual(['a:0 c:1']);
    expect(matches(rules, 'a1 x2 c3')).toEqual([]);
    expect(matches(rules, 'a1 b2 c3')).toEqual(['a:0 b:1 c:2']);
  });

  test('first: the match may start with the second step', () => {
    const rules = rulesOf([{ a: { optional: true } }, { b: { contiguity: 'strict' } }]);
    expect(matches(rules, 'a1 b2')).toEqual(['a:0 b:1', 'b:1']);
  });

  test('last: the match is whole without it, and with it', () => {
    expect(matches(rulesOf([{ a: {} }, { b: { optional: true } }]), 'a1 b2')).toEqual(['a:0', 'a:0 b:1']);
  });

  test('alone: a match is never empty', () => {
    expect(matches(rulesOf([{ a: { optional: true } }]), 'x1 a2')).toEqual(['a:1']);
  });
});
