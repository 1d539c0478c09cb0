import { describe, expect, test } from 'vitest';
import { mayFallBehind } from '../../../src/source/deadlines.ts';
import { planOf } from '../rules/fixtures.ts';
import { SECOND } from './plans.ts';

const STEPS = '[{ a: { event: login } }, { b: { event: transfer } }]';

/** Patterns over two tables; `times`: added to the first. */
function behind(patterns: string, times = ''): number {
  return mayFallBehind(
    planOf(`version: 1
events:
  login: { table: public.logins, columns: { id: int8, user_id: int8, at_time: timestamptz }${times} }
  transfer: { table: public.transfers, columns: { id: int8, user_id: int8 } }
patterns: [${patterns}]
`),
  );
}

describe('a partition without rows may be behind', () => {
  test('five seconds, where patterns come out with a row', () => {
    expect(behind('')).toBe(5 * SECOND);
    expect(behind(`{ id: p, by: user_id, within: 1m, actions: [alert], steps: ${STEPS} }`)).toBe(5 * SECOND);
  });

  test.each([
    ['on_timeout tells what ran out', `within: 1m, on_timeout: {}, steps: ${STEPS}`],
    ['matches wait for older ones', `within: 1m, emit: in_order, steps: ${STEPS}`],
    [
      'an absence ends it',
      'within: 1m, steps: [{ a: { event: login } }, { b: { event: transfer, not: true } }]',
    ],
    [
      'an absence is in a group',
      'within: 1m, steps: [{ g: { steps: [{ a: { event: login } }, { b: { event: transfer, not: true } }, { c: { event: login } }] } }]',
    ],
  ])('a second, where %s', (_, rest) => {
    expect(behind(`{ id: p, by: user_id, actions: [alert], ${rest} }`)).toBe(SECOND);
  });

  test('a second, where rows of a table wait for their time', () => {
    const pattern = `{ id: p, by: user_id, within: 1m, actions: [alert], steps: ${STEPS} }`;
    expect(behind(pattern, ', time: at_time, lateness: 5s')).toBe(SECOND);
    expect(behind('', ', time: at_time, lateness: 5s')).toBe(5 * SECOND);
  });
});
