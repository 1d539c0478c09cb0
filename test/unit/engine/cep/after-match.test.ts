import { describe, expect, test } from 'vitest';
import { matches, rulesOf } from './support/letters.ts';

const loop = [{ a: { times: 3 } }];
const inOrder = { emit: 'in_order' };

describe('after a match', () => {
  test('no_skip: nothing is dropped', () => {
    expect(matches(rulesOf(loop), 'a1 a2 a3 a4')).toEqual(['a:0,1,2', 'a:1,2,3']);
  });

  test.each([{}, inOrder])('skip_past_last: nothing of it is used again (%o)', (emit) => {
    const rules = rulesOf(loop, { after_match: 'skip_past_last', ...emit });
    expect(matches(rules, 'a1 a2 a3 a4 a5 a6')).toEqual(['a:0,1,2', 'a:3,4,5']);
  });

  test('skip_to_next: no other match starts with its first event', () => {
    const rules = rulesOf([{ a: {} }, { b: { contiguity: 'any' } }], { after_match: 'skip_to_next' });
    expect(matches(rules, 'a1 a2 b3 b4')).toEqual(['a:0 b:2', 'a:1 b:2']);
  });

  test('skip_to_first and skip_to_last: what starts before that event of the step is dropped', () => {
    const steps = [{ s: { when: 'price > 5.0' } }, { b: { times: 2 } }];
    const letters = 'a1/6 b2/6 b3/6 b4';
    expect(matches(rulesOf(steps), letters)).toEqual(['s:0 b:1,2', 's:1 b:2,3']);
    expect(matches(rulesOf(steps, { after_match: { skip_to_first: 'b' } }), letters)).toEqual([
      's:0 b:1,2',
      's:1 b:2,3',
    ]);
    expect(matches(rulesOf(steps, { after_match: { skip_to_last: 'b' } }), letters)).toEqual(['s:0 b:1,2']);
  });

  test('a step that took nothing skips nothing', () => {
    const steps = [{ a: {} }, { b: { optional: true } }, { c: { contiguity: 'any' } }];
    const rules = rulesOf(steps, { after_match: { skip_to_last: 'b' } });
    expect(matches(rules, 'a1 c2 c3')).toEqual(['a:0 c:1', 'a:0 c:2']);
  });

  test('a match that when refuses drops nothing', () => {
    const rules = rulesOf(loop, { after_match: 'skip_past_last', when: 'sum(a.price) > 5.0' });
    expect(matches(rules, 'a1 a2 a3 a4/6 a5')).toEqual(['a:1,2,3']);
  });

  test('of matches that one row completes, the one with the earlier first event comes first', () => {
    const rules = rulesOf([{ a: {} }, { b: {} }], { after_match: 'skip_past_last' });
    expect(matches(rules, 'a1 a2 b3')).toEqual(['a:0 b:2']);
  });
});

describe('emit', () => {
  const steps = [{ a: {} }, { b: { when: 'name == "b" && price == a.price' } }];

  test('at_once: with the row that completes it', () => {
    expect(matches(rulesOf(steps), 'a1/1 a2/2 b3/2')).toEqual(['a:1 b:2']);
  });

  test('in_order: when no partial match with an earlier first event is alive', () => {
    const rules = rulesOf(steps, { ...inOrder, within: '9ms' });
    expect(matches(rules, 'a1/1 a2/2 b3/2')).toEqual([]);
    expect(matches(rules, 'a1/1 a2/2 b3/2 b4/1')).toEqual(['a:0 b:3', 'a:1 b:2']);
    expect(matches(rules, 'a1/1 a2/2 b3/2 x10')).toEqual(['a:1 b:2']);
  });

  test('in_order: a match that waits is dropped by one that comes out before it', () => {
    const rules = rulesOf(steps, { ...inOrder, after_match: 'skip_past_last' });
    expect(matches(rules, 'a1/1 a2/2 b3/2 b4/1')).toEqual(['a:0 b:3']);
  });
});
