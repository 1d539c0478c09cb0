import { describe, expect, test } from 'vitest';
import { play, rulesOf, told } from './support/letters.ts';

const EVENTS = {
  e: { table: 'e', time: 'at', lateness: '5ms', columns: { name: 'text', price: 'numeric', key: 'text' } },
};
const rules = rulesOf([{ a: {} }, { b: { contiguity: 'strict' } }, { c: {} }], { events: EVENTS });

describe('rows that come out of order', () => {
  test('within the lateness give the same matches as in order', () => {
    const inOrder = play(rules, 'a1 b2 x3 c4', { flush: true });
    const shuffled = play(rules, 'c4 x3 b2 a1', { flush: true });
    expect(told(inOrder.matches)).toEqual(['a:0 b:1 c:3']);
    expect(told(shuffled.matches)).toEqual(['a:3 b:2 c:0']);
  });

  test('wait until W reaches them, and are handled by time', () => {
    const lanes = play(rules, 'b2 a1 c4');
    expect(lanes.matches).toEqual([]);
    lanes.moveTo(4);
    expect(told(lanes.matches)).toEqual(['a:1 b:0 c:2']);
  });

  test('behind W are late, and are not seen', () => {
    const lanes = play(rules, 'a9 b2 b10 c11', { flush: true });
    expect([lanes.late, told(lanes.matches)]).toEqual([[1], ['a:0 b:2 c:3']]);
  });
});
