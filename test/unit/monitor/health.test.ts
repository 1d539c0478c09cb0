import { expect, test } from 'vitest';
import { Health } from '../../../src/monitor/health.ts';

test('ready is when no reason is set', () => {
  const health = new Health();
  expect(health.ready).toBe(true);
  health.set('source-connecting', 'PostgreSQL at db:5432 refuses connections');
  health.set('partition-stalled', 'partition 3 has no owner');
  health.clear('source-connecting');
  expect(health.ready).toBe(false);
  health.clear('partition-stalled');
  expect(health.ready).toBe(true);
});

test('a reason that is set again keeps the time it began, with the new detail', () => {
  let now = 1_000;
  const health = new Health(() => new Date(now));
  health.set('slot-in-use', 'attempt 1');
  now = 2_000;
  health.set('slot-in-use', 'attempt 2');
  expect(health.reasons).toEqual([{ reason: 'slot-in-use', detail: 'attempt 2', since: new Date(1_000) }]);
});
