import { describe, expect, test } from 'vitest';
import { matches, play, rulesOf, told } from './support/letters.ts';

const onTimeout = { on_timeout: { severity: 'info' } };

describe('within', () => {
  test('of the whole: last - first is less', () => {
    const rules = rulesOf([{ a: {} }, { b: {} }], { within: '5ms' });
    expect(matches(rules, 'a1 b5')).toEqual(['a:0 b:1']);
    expect(matches(rules, 'a1 b6')).toEqual([]);
  });

  test('on the first step stands for the whole', () => {
    expect(matches(rulesOf([{ a: { within: '5ms' } }, { b: {} }]), 'a1 b6 a7 b8')).toEqual(['a:2 b:3']);
  });

  test('of a step: its first take - the take before is less; later takes of its loop are free', () => {
    const rules = rulesOf([{ a: {} }, { b: { times: '1+', within: '3ms' } }]);
    expect(matches(rules, 'a1 b3 b9')).toEqual(['a:0 b:1', 'a:0 b:1,2']);
    expect(matches(rules, 'a1 b4')).toEqual([]);
  });
});

describe('a timeout', () => {
  test('comes at the first event + within, in the order of deadlines', () => {
    const rules = rulesOf([{ a: {} }, { b: {} }, { c: {} }], { within: '5ms', ...onTimeout });
    const { timeouts, timedOutAt } = play(rules, 'a1 b2 a3', { flush: true });
    expect([told(timeouts), timedOutAt]).toEqual([
      ['a:0 b:1', 'a:2'],
      [6_000, 8_000],
    ]);
  });

  test('comes at the last event + the next step’s within, if that is sooner', () => {
    const rules = rulesOf([{ a: {} }, { b: { within: '2ms' } }], { within: '5ms', ...onTimeout });
    const { timeouts, timedOutAt } = play(rules, 'a1 x9');
    expect([told(timeouts), timedOutAt]).toEqual([['a:0'], [3_000]]);
  });

  test('comes once, when the last way on is closed', () => {
    const rules = rulesOf(
      [{ a: {} }, { b: { optional: true, within: '2ms' } }, { c: { within: '4ms' } }],
      onTimeout,
    );
    const { timeouts, timedOutAt } = play(rules, 'a1 x9');
    expect([told(timeouts), timedOutAt]).toEqual([['a:0'], [5_000]]);
  });

  test('is told only where the pattern has on_timeout', () => {
    const { timeouts, lanes } = play(rulesOf([{ a: {} }, { b: {} }], { within: '5ms' }), 'a1 x9');
    expect([timeouts, [...lanes.values()].every(({ empty }) => empty)]).toEqual([[], true]);
  });

  test('does not come without a limit, even at the end of time', () => {
    const { timeouts } = play(rulesOf([{ a: {} }, { b: {} }], onTimeout), 'a1', { flush: true });
    expect(timeouts).toEqual([]);
  });
});
