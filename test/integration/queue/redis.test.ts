import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openQueues } from '../../../src/queue/connect.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { batch, batches, COMMITTED } from './batches.ts';
import { openOn, recordingLogger, withRedis } from './servers.ts';

describe('batches through Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    await redis.close();
  });

  const config = () => ({ kind: 'redis', url: redis.url }) as const;

  async function open() {
    const queues = await openOn({ ...redis, config: config(), kill: () => redis.stop('SIGKILL') });
    onTestFinished(() => queues.close());
    return queues;
  }

  function refused(url = redis.url) {
    const { logger } = recordingLogger();
    return openQueues({ kind: 'redis', url }, { instance: 'refused', partitions: 1, logger });
  }

  test('after FLUSHALL everything goes on: what was lost is a gap, and new batches come at once', async () => {
    const { producer, consumer } = await open();
    const seen: string[] = [];
    await consumer.start(0, async (b) => {
      seen.push(b.to);
      return COMMITTED;
    });
    await producer.add([batch(0)]);
    await until('the first', () => seen.length === 1);
    await withRedis(redis.url, (r) => r.flushall());
    expect(await producer.depths()).toEqual([0, 0]);
    await producer.add([batch(5)]);
    await until('the one after', () => seen.length === 2, 1_000);
    await producer.empty();
    await producer.add(batches(0, 2, { epoch: 2 }));
    await until('the next epoch', () => seen.length === 4, 1_000);
  });

  test('FLUSHALL while a batch is at hand: its worker goes on with the next', async () => {
    const { producer, consumer } = await open();
    const seen: string[] = [];
    await consumer.start(0, async (b) => {
      seen.push(b.to);
      if (seen.length === 1) await withRedis(redis.url, (r) => r.flushall());
      return COMMITTED;
    });
    await producer.add([batch(0)]);
    await until('the first', () => seen.length === 1);
    await until('flushed', async () => (await producer.depths())[0] === 0);
    await producer.add([batch(1)]);
    await until('the next', () => seen.length === 2, 2_000);
  });

  test('a full Redis holds the producer up, loses nothing, and takes the batches when there is room', async () => {
    const { producer, messages } = await open();
    await producer.add([batch(0)]);
    await withRedis(redis.url, (r) => r.config('SET', 'maxmemory', '1mb'));
    onTestFinished(async () => {
      await withRedis(redis.url, (r) => r.config('SET', 'maxmemory', '0'));
    });
    const adding = producer.add(batches(1, 3));
    await until('it waits', () => producer.trouble !== null);
    expect(producer.trouble).toMatch(/^OOM/);
    expect(await producer.depths()).toEqual([1, 0]);
    await withRedis(redis.url, (r) => r.config('SET', 'maxmemory', '0'));
    await adding;
    expect(producer.trouble).toBeNull();
    expect(await producer.depths()).toEqual([4, 0]);
    expect(messages).toEqual(['the queue takes no batches: they wait', 'the queue takes batches again']);
  });

  test('a new epoch gets through a Redis that is full: what waits to be added is void', async () => {
    const { producer, consumer } = await open();
    await producer.add(batches(0, 100, { rows: 500 }));
    const used = await withRedis(redis.url, (r) => r.info('memory'));
    const bytes = Number(/used_memory:(\d+)/.exec(used)?.[1]);
    await withRedis(redis.url, (r) => r.config('SET', 'maxmemory', String(bytes - 100_000)));
    onTestFinished(async () => {
      await withRedis(redis.url, (r) => r.config('SET', 'maxmemory', '0'));
    });
    const adding = producer.add([batch(100)]);
    await until('it waits', () => producer.trouble !== null);
    const started = Date.now();
    await producer.empty();
    expect(Date.now() - started).toBeLessThan(1_000);
    await adding;
    expect(await producer.depths()).toEqual([0, 0]);
    const seen: number[] = [];
    await consumer.start(0, async (b) => {
      seen.push(b.epoch);
      return COMMITTED;
    });
    await producer.add([batch(0, { epoch: 2 })]);
    await until('the next epoch', () => seen.length === 1);
    expect(seen).toEqual([2]);
    expect(producer.trouble).toBeNull();
  });

  test('a worker of a full Redis tries twice a second, complains once, and goes on when there is room', async () => {
    const { producer, consumer, messages } = await open();
    await producer.add(batches(0, 3));
    const refusals = async () => {
      const stats = await withRedis(redis.url, (r) => r.info('errorstats'));
      return Number(/errorstat_OOM:count=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    await withRedis(redis.url, (r) => r.config('SET', 'maxmemory', '1mb'));
    onTestFinished(async () => {
      await withRedis(redis.url, (r) => r.config('SET', 'maxmemory', '0'));
    });
    const before = await refusals();
    const seen: string[] = [];
    const started = Date.now();
    await consumer.start(0, async (b) => {
      seen.push(b.to);
      return COMMITTED;
    });
    // Redis counts each twice: in the script, and of the script.
    await until('it has tried a few times', async () => (await refusals()) >= before + 7);
    expect(Date.now() - started).toBeGreaterThan(900);
    await withRedis(redis.url, (r) => r.config('SET', 'maxmemory', '0'));
    await until('all handled', () => seen.length === 3);
    expect(seen).toEqual(batches(0, 3).map((b) => b.to));
    expect(messages).toEqual(['a worker cannot go on: it tries again']);
  });

  test('a stop with Redis away does not wait for it', async () => {
    const own = await startRedis();
    onTestFinished(() => own.close());
    const { logger } = recordingLogger();
    const queues = await openQueues(
      { kind: 'redis', url: own.url },
      { instance: 'i', partitions: 2, logger },
    );
    const seen: string[] = [];
    await queues.consumer.start(0, async (b) => {
      seen.push(b.to);
      await own.stop('SIGKILL');
      return COMMITTED;
    });
    await queues.consumer.start(1, async () => COMMITTED);
    await queues.producer.add([batch(0)]);
    await until('the batch is at hand', () => seen.length === 1);
    const adding = queues.producer.add([batch(1)]);
    await until('the producer tells', () => queues.producer.trouble === 'the server does not answer');
    const started = Date.now();
    await queues.close();
    await adding;
    expect(Date.now() - started).toBeLessThan(6_000);
  }, 20_000);

  test.each(['allkeys-lru', 'volatile-ttl'])(
    'a Redis that evicts (%s) is refused, with the fix',
    async (policy) => {
      const evicting = await startRedis({ args: ['--maxmemory-policy', policy] });
      onTestFinished(() => evicting.close());
      await expect(refused(evicting.url)).rejects.toMatchObject({
        code: 'WEIR_REDIS_EVICTS',
        message: expect.stringContaining(`maxmemory-policy is ${policy}`),
        hint: expect.stringContaining('CONFIG SET maxmemory-policy noeviction'),
        retry: 'after-operator',
        exit: 2,
      });
    },
  );

  test('a managed Redis that forbids CONFIG is judged by INFO', async () => {
    const managed = await startRedis({
      args: ['--maxmemory-policy', 'allkeys-lfu', '--rename-command', 'CONFIG', ''],
    });
    onTestFinished(() => managed.close());
    await expect(refused(managed.url)).rejects.toMatchObject({
      code: 'WEIR_REDIS_EVICTS',
      message: expect.stringContaining('allkeys-lfu'),
    });
  });

  test('no Redis there, and a wrong password, are told apart', async () => {
    await expect(refused('redis://127.0.0.1:1')).rejects.toMatchObject({
      code: 'WEIR_REDIS_UNREACHABLE',
      message: expect.stringContaining('Redis at 127.0.0.1:1 does not answer: connect ECONNREFUSED'),
      exit: 3,
    });
    const locked = await startRedis();
    onTestFinished(() => locked.close());
    await withRedis(locked.url, (r) => r.config('SET', 'requirepass', 'secret'));
    await expect(refused(locked.url)).rejects.toMatchObject({ code: 'WEIR_REDIS_REFUSED', exit: 3 });
  });
});
