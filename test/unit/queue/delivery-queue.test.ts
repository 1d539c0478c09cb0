import { expect, it } from 'vitest';
import { DeliveryFailed, deliveryQueueName, pauseBefore } from '../../../src/queue/delivery-queue.ts';

it('pauses double from a second to half an hour, each somewhere in its upper half', () => {
  for (let attempt = 1; attempt <= 40; attempt++) {
    const whole = Math.min(1_000 * 2 ** (attempt - 1), 1_800_000);
    const pauses = Array.from({ length: 50 }, () => pauseBefore(attempt));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(whole / 2);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(whole);
    expect(new Set(pauses).size).toBeGreaterThan(1);
  }
});

it('a receiver that says when to come again is not asked before', () => {
  expect(pauseBefore(1, 'weir', new DeliveryFailed('503', 90_000))).toBe(90_000);
  expect(pauseBefore(12, 'weir', new DeliveryFailed('503', 5))).toBeGreaterThan(5);
});

it('names of webhooks make names of queues that BullMQ takes, each its own', () => {
  const names = ['a:b', 'a-b', 'a b'].map((webhook) => deliveryQueueName('1-shop-weir', webhook));
  expect(new Set(names).size).toBe(3);
  for (const name of names) expect(name).toMatch(/^[\w.~-]+$/);
});
