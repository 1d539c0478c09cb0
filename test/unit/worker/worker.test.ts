import type { Client } from 'pg';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Batch } from '../../../src/events/batch.ts';
import { Metrics } from '../../../src/monitor/metrics.ts';
import type { BatchHandler } from '../../../src/queue/queue.ts';
import type { ControlStore } from '../../../src/store/control.ts';
import { Committer } from '../../../src/worker/committer.ts';
import { HungPartitions } from '../../../src/worker/hung-partitions.ts';
import { Worker } from '../../../src/worker/worker.ts';

const logger = pino({ level: 'silent' });
const metrics = new Metrics({ processDefaults: false });
const away = () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));

/** A session that answers what Ownership asks: no other member, and which of the partitions are free. */
function session(free: readonly number[]): Client {
  const query = async (text: string, values: readonly number[] = []) => {
    return { rows: text.includes('try_advisory') ? [{ taken: free.includes(values[1] ?? -1) }] : [] };
  };
  return { query, end: async () => undefined } as unknown as Client;
}

function worker(client: Client, depths: () => Promise<readonly number[]> = async () => [0, 0]) {
  const handlers = new Map<number, BatchHandler>();
  let atHand: Promise<unknown> = Promise.resolve();
  const committer = new Committer({
    connect: away,
    writer: { processorId: 'p', owner: 'o' },
    logger,
    onCommit: () => undefined,
  });
  const control = {
    currentEpoch: async () => 1,
    requestEpoch: async () => undefined,
    progress: async () => ({ epoch: 1, positions: ['A', 'A'], requested: null }),
  } as unknown as ControlStore;
  const made = new Worker({
    ...{ processorId: 'p', partitions: 2, control, connect: async () => client, metrics, logger },
    consumer: {
      start: async (partition, handler) => void handlers.set(partition, handler),
      stop: async () => void (await atHand),
      close: async () => undefined,
    },
    queue: { depths },
    partition: {
      ...{ openLog: away, plans: { get: away }, lists: { at: away }, control, metrics, logger },
      commit: (commit) => committer.submit(commit),
    },
    onBalanced: () => undefined,
  });
  const take = (partition: number): Promise<unknown> => {
    const done = handlers.get(partition)?.({ partition } as unknown as Batch) ?? Promise.resolve('none');
    atHand = done;
    return done;
  };
  return { worker: made, handlers, take, committer };
}

describe('a worker', () => {
  test('that stops while the store is away gives up the batch at hand when it is told to', async () => {
    const { worker: own, handlers, take } = worker(session([0, 1]));
    const stop = new AbortController();
    const running = own.run(stop.signal);
    await vi.waitFor(() => expect(handlers.size).toBe(2));
    const done = take(0);
    stop.abort();
    own.giveUp();
    await running;
    expect(await done).toMatchObject({ outcome: 'lost' });
  });

  test('whose commit waits for the store abandons it when it is told to', async () => {
    const { committer } = worker(session([]));
    const commit = { partition: 0, idle: true } as unknown as Parameters<Committer['submit']>[0];
    const result = committer.submit(commit);
    committer.giveUp();
    expect(await result).toEqual({ kind: 'abandoned' });
    await committer.close();
  });
});

describe('a worker beside others', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('goes on while the queue does not say whether the others have work', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const depths = vi.fn(() => Promise.reject(new Error('the queue did not tell its depths')));
    const { worker: own, handlers } = worker(session([0]), depths);
    const stop = new AbortController();
    const running = own.run(stop.signal);
    await vi.waitFor(() => expect(handlers.size).toBe(1));
    // It has seen the other partition; from now on that one has stood still, time and again.
    for (const times of [1, 2]) {
      vi.setSystemTime(Date.now() + 10_000);
      await vi.waitFor(() => expect(depths).toHaveBeenCalledTimes(times), 5_000);
    }
    stop.abort();
    await expect(running).resolves.toBeUndefined();
  });
});

describe('the owner of a partition that does not move', () => {
  /** Looked at every second: when it was found to hang. */
  function found(
    position: (second: number) => string,
    hasWork: (second: number) => boolean,
    seconds: number,
  ) {
    const hung = new HungPartitions();
    return Array.from({ length: seconds }, (_, second) => second).filter((second) => {
      const suspects = hung.suspects([position(second)], second * 1_000);
      return suspects.some((partition) => hung.hangs(partition, hasWork(second), second * 1_000));
    });
  }

  test('hangs after 15 seconds with work, and is given as long again', () => {
    const at = found(
      () => 'A',
      () => true,
      40,
    );
    expect(at).toEqual([16, 32]);
  });

  test('does not when work has only just come after an hour without', () => {
    for (let hour = 3_600; hour < 3_620; hour++) {
      const at = found(
        (second) => (second < hour + 2 ? 'A' : `B${second}`),
        (second) => second >= hour,
        hour + 60,
      );
      expect(at).toEqual([]);
    }
  });
});
