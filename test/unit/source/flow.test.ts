import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Batch } from '../../../src/events/batch.ts';
import { closing } from '../../../src/events/position.ts';
import { ByteBudget } from '../../../src/queue/byte-budget.ts';
import { Backoff } from '../../../src/source/backoff.ts';
import { InFlight } from '../../../src/source/in-flight.ts';
import { Inbox } from '../../../src/source/inbox.ts';
import { Linger, lingerFor } from '../../../src/source/linger.ts';
import { Sender } from '../../../src/source/sender.ts';
import { insert, lsn } from './stream.ts';

const change = insert(1, '1');

describe('the inbox', () => {
  function inbox(highWaterBytes: number) {
    const calls: string[] = [];
    const valve = { pause: () => calls.push('pause'), resume: () => calls.push('resume') };
    return { calls, inbox: new Inbox(valve, highWaterBytes) };
  }

  test('pauses the socket over its limit, and resumes it when the reader has taken', async () => {
    const { calls, inbox: box } = inbox(100);
    box.push(change, 60);
    expect(calls).toEqual([]);
    box.push(change, 60);
    box.push(change, 60);
    expect(calls).toEqual(['pause']);
    expect((await box.take())?.sizes).toEqual([60, 60, 60]);
    expect(calls).toEqual(['pause', 'resume']);
  });

  test('gives a waiting reader what comes', async () => {
    const { inbox: box } = inbox(100);
    const taken = box.take();
    box.push(change, 1);
    expect((await taken)?.changes).toEqual([change]);
  });

  test('ends for the reader after what was pushed, and at once with an error', async () => {
    const ended = inbox(100).inbox;
    ended.push(change, 1);
    ended.end(null);
    expect((await ended.take())?.changes).toHaveLength(1);
    expect(await ended.take()).toBeNull();
    const broken = inbox(100).inbox;
    broken.push(change, 1);
    broken.end(new Error('cut'));
    await expect(broken.take()).rejects.toThrow('cut');
  });

  test('an interrupted reader is given nothing, and may go on', async () => {
    const { inbox: box } = inbox(100);
    const taken = box.take();
    box.interrupt();
    expect((await taken)?.changes).toEqual([]);
    box.push(change, 1);
    expect((await box.take())?.changes).toEqual([change]);
  });
});

const batch = (partition: number, n: number, bytes = 10) =>
  ({ partition, from: closing(lsn(n - 1)), to: closing(lsn(n)), bytes }) as unknown as Batch;

describe('what is in flight', () => {
  test('is let go as positions move, and whoever waits for room is woken', async () => {
    const budget = new ByteBudget(30);
    const inFlight = new InFlight(budget, [closing(lsn(0)), closing(lsn(0))], 1_000);
    inFlight.add(batch(0, 1), 2_000);
    inFlight.add(batch(0, 2), 3_000);
    inFlight.add(batch(1, 2), 3_000);
    expect([inFlight.full, inFlight.bytes, inFlight.batches, inFlight.depths]).toEqual([true, 30, 3, [2, 1]]);
    let woken = false;
    const room = inFlight.room().then(() => {
      woken = true;
    });
    inFlight.moved([closing(lsn(1)), closing(lsn(0))], 4_000);
    await Promise.resolve();
    expect([woken, inFlight.full]).toEqual([false, true]);
    inFlight.moved([closing(lsn(2)), closing(lsn(0))], 5_000);
    await room;
    expect([inFlight.full, inFlight.depths, inFlight.movedMs]).toEqual([false, [0, 1], 5_000]);
  });

  test('has stood still since there was something to move', () => {
    const inFlight = new InFlight(new ByteBudget(30), [closing(lsn(0))], 1_000);
    inFlight.moved([closing(lsn(0))], 50_000);
    inFlight.add(batch(0, 1), 60_000);
    inFlight.add(batch(0, 2), 61_000);
    expect(inFlight.movedMs).toBe(60_000);
  });
});

describe('lingering', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is a millisecond where waiting gathers nothing, and twice the setting where it does', () => {
    expect(lingerFor(0.05, 5)).toBe(1);
    expect(lingerFor(1, 5)).toBe(10);
    expect(lingerFor(100, 0)).toBe(0);
  });

  /** `perMs` rows a millisecond for a second; how often they were flushed. `room`: partitions may send. */
  function flushes(perMs: number, room: () => boolean = () => true): number {
    let rows = 0;
    let count = 0;
    const linger = new Linger({
      lingerMs: 5,
      rows: () => rows,
      flush: (all) => {
        if (!all && !room()) return;
        rows = 0;
        count++;
      },
    });
    for (let ms = 0, due = 0; ms < 1_000; ms++) {
      due += perMs;
      const arrived = Math.floor(due);
      due -= arrived;
      rows += arrived;
      if (arrived > 0) linger.touch();
      if (ms % 25 === 0) linger.room();
      vi.advanceTimersByTime(1);
    }
    linger.stop();
    return count;
  }

  test('at 1,000 rows a second flushes about every ten milliseconds', () => {
    const count = flushes(1);
    expect(count).toBeGreaterThan(80);
    expect(count).toBeLessThan(150);
  });

  test('at 20 rows a second sends each on its own', () => {
    expect(flushes(0.02)).toBeGreaterThanOrEqual(19);
  });

  test('waits for batches on their way to be committed, but not for ever', () => {
    const count = flushes(1, () => false);
    expect(count).toBeGreaterThanOrEqual(8);
    expect(count).toBeLessThan(12);
  });

  test('what waits goes with the commit that makes room', () => {
    let committed = 0;
    const count = flushes(1, () => committed++ % 4 === 3);
    expect(count).toBeGreaterThan(12);
  });
});

describe('the sender', () => {
  test('adds in order, together what has gathered, and tells when it is idle', async () => {
    const added: number[][] = [];
    const gates: (() => void)[] = [];
    const add = (batches: readonly Batch[]) => {
      added.push(batches.map(({ bytes }) => bytes));
      return new Promise<void>((resolve) => gates.push(resolve));
    };
    const sender = new Sender({ add }, () => undefined);
    const abort = new AbortController();
    const running = sender.run(abort.signal);
    sender.push(batch(0, 1, 1));
    await vi.waitFor(() => expect(gates).toHaveLength(1));
    sender.push(batch(0, 2, 2));
    sender.push(batch(1, 2, 3));
    const idle = sender.idle();
    gates[0]?.();
    await vi.waitFor(() => expect(gates).toHaveLength(2));
    expect(sender.busy).toBe(true);
    gates[1]?.();
    await idle;
    expect(added).toEqual([[1], [2, 3]]);
    abort.abort();
    await running;
  });

  test('is idle once it has failed: nobody waits for what never comes', async () => {
    const sender = new Sender({ add: () => Promise.reject(new Error('OOM')) }, () => undefined);
    sender.push(batch(0, 1));
    const idle = sender.idle();
    await expect(sender.run(new AbortController().signal)).rejects.toThrow('OOM');
    await idle;
    await sender.idle();
  });

  test('ends with the epoch, though the queue does not answer, and tells nothing of what it was sending', async () => {
    const gates: (() => void)[] = [];
    const sent: (readonly Batch[])[] = [];
    const add = () => new Promise<void>((resolve) => gates.push(resolve));
    const sender = new Sender({ add }, (batches) => sent.push(batches));
    const abort = new AbortController();
    const running = sender.run(abort.signal);
    sender.push(batch(0, 1));
    await vi.waitFor(() => expect(gates).toHaveLength(1));
    const idle = sender.idle();
    abort.abort();
    await running;
    await idle;
    gates[0]?.();
    await Promise.resolve();
    expect(sent).toEqual([]);
  });

  test('ends with what the queue throws', async () => {
    const sender = new Sender({ add: () => Promise.reject(new Error('OOM')) }, () => undefined);
    sender.push(batch(0, 1));
    await expect(sender.run(new AbortController().signal)).rejects.toThrow('OOM');
  });
});

describe('backing off', () => {
  test('doubles up to five seconds with jitter, and starts over after a healthy while', () => {
    const backoff = new Backoff();
    const waits = Array.from({ length: 9 }, () => backoff.nextMs(0, () => 1));
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    expect(backoff.nextMs(0, () => 0)).toBe(2_500);
    expect(backoff.nextMs(60_000, () => 1)).toBe(100);
  });
});
