import { describe, expect, test } from 'vitest';
import { matches, rulesOf } from './support/letters.ts';

describe('a loop', () => {
  test('gives a match for every count that is allowed', () => {
    const rules = rulesOf([{ a: {} }, { b: { times: '2..3' } }, { c: {} }]);
    expect(matches(rules, 'a1 b2 b3 b4 b5 c6')).toEqual(['a:0 b:1,2,3 c:5', 'a:0 b:1,2 c:5']);
  });

  test('strict inside: its rows are next to each other', () => {
    const rules = rulesOf([{ a: {} }, { b: { times: '1+', loop: 'strict' } }]);
    expect(matches(rules, 'a1 b2 b3 x4 b5')).toEqual(['a:0 b:1', 'a:0 b:1,2']);
  });

  test('any inside: it may pass over rows that it could take', () => {
    const rules = rulesOf([{ b: { times: 2, loop: 'any' } }]);
    expect(matches(rules, 'b1 b2 b3')).toEqual(['b:0,1', 'b:0,2', 'b:1,2']);
  });

  test('gap: two of its rows are less than that apart', () => {
    const rules = rulesOf([{ b: { times: 2, gap: '3ms' } }]);
    expect(matches(rules, 'b1 b3 b6')).toEqual(['b:0,1']);
  });

  test('until: its row is not taken and ends the loop, and a later step may take it', () => {
    const rules = rulesOf([
      { a: {} },
      { b: { times: '1+', until: 'price > 5.0' } },
      { c: { when: 'price > 5.0' } },
    ]);
    expect(matches(rules, 'a1 b2 b3 b4/6 b5')).toEqual(['a:0 b:1,2 c:3', 'a:0 b:1 c:3']);
  });

  test('until may look at what the loop has taken', () => {
    const rules = rulesOf([{ a: {} }, { b: { times: '1+', until: 'sum(b.price) >= 5.0' } }]);
    expect(matches(rules, 'a1 b2/2 b3/3 b4/1')).toEqual(['a:0 b:1', 'a:0 b:1,2']);
  });

  test('greedy: it does not stop before a row that it could take', () => {
    const rules = rulesOf([{ a: {} }, { b: { times: '1+', greedy: true } }, { c: { when: 'price > 5.0' } }]);
    expect(matches(rules, 'a1 b2 b3 c4/6')).toEqual(['a:0 b:1,2 c:3']);
    // The row of the next step counts as well: this one is the loop's.
    expect(matches(rules, 'a1 b2 b3/6')).toEqual([]);
  });

  test('greedy: at its maximum it has to stop', () => {
    const rules = rulesOf([{ a: {} }, { b: { times: '1..2', greedy: true } }, { c: {} }]);
    expect(matches(rules, 'a1 b2 b3 b4 c5')).toEqual(['a:0 b:1,2 c:4']);
  });

  test('greedy with until: after that row it could take no more', () => {
    const rules = rulesOf([
      { a: {} },
      { b: { times: '1+', greedy: true, until: 'price > 5.0' } },
      { c: { when: 'name == "c"' } },
    ]);
    expect(matches(rules, 'a1 b2 b3/6 b4 c5')).toEqual(['a:0 b:1 c:4']);
  });
});

describe('a group', () => {
  const pair = [{ a: {} }, { b: {} }];

  test('repeats as a whole, by its own loop', () => {
    const rules = rulesOf([{ pairs: { steps: pair, times: 2, loop: 'strict' } }]);
    expect(matches(rules, 'a1 x2 b3 a4 b5')).toEqual(['a:0,3 b:2,4']);
    expect(matches(rules, 'a1 b2 x3 a4 b5')).toEqual([]);
  });

  test('may be left out as a whole, never in part', () => {
    const rules = rulesOf([
      { s: { when: 'name == "s"' } },
      { pair: { steps: pair, optional: true } },
      { e: {} },
    ]);
    expect(matches(rules, 's1 a2 e3')).toEqual(['s:0 e:2']);
    expect(matches(rules, 's1 a2 b3 e4')).toEqual(['s:0 a:1 b:2 e:3', 's:0 e:3']);
  });

  test('nested loops give a list of takes once, however it can be cut into rounds', () => {
    const rules = rulesOf([{ rounds: { steps: [{ a: { times: '1+' } }], times: '1+' } }, { b: {} }]);
    expect(matches(rules, 'a1 a2 b3')).toEqual(['a:0,1 b:2', 'a:0 b:2', 'a:1 b:2']);
  });

  test('until: its row is taken by no step of it, and ends it', () => {
    const group = { pairs: { steps: pair, times: '1+', until: 'price > 5.0' } };
    expect(matches(rulesOf([group]), 'a1 b2 a3 b4/6 b5')).toEqual(['a:0 b:1']);
  });

  test('conditions see the takes of all its rounds', () => {
    const rules = rulesOf([
      { pairs: { steps: pair, times: 2 } },
      { c: { when: 'name == "c" && count(a) == 2.0 && a.first.price == 7.0 && b.last.price == 9.0' } },
    ]);
    expect(matches(rules, 'a1/7 b2 a3 b4/9 c5')).toEqual(['a:0,2 b:1,3 c:4']);
    expect(matches(rules, 'a1/8 b2 a3 b4/9 c5')).toEqual([]);
  });
});
