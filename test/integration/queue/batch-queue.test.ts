import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { decodeJobData } from '../../../src/queue/batch-job.ts';
import type { BatchHandler } from '../../../src/queue/queue.ts';
import { until } from '../../support/until.ts';
import { batch, batches, COMMITTED } from './batches.ts';
import { openOn, type QueueServer, SERVERS } from './servers.ts';

/** Something to wait for that a test lets go. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

describe.each(['redis', 'postgres'] as const)('batches through BullMQ on %s', (kind) => {
  let server: QueueServer;
  beforeAll(async () => {
    server = await SERVERS[kind]();
  }, 60_000);
  afterAll(async () => {
    await server.close();
  });

  async function open(options: Parameters<typeof openOn>[1] = {}) {
    const queues = await openOn(server, options);
    onTestFinished(() => queues.close());
    return queues;
  }

  function recorder(): { readonly seen: string[]; readonly handler: BatchHandler } {
    const seen: string[] = [];
    return {
      seen,
      handler: async (b) => {
        seen.push(`${b.epoch}/${b.partition}/${b.to}`);
        return COMMITTED;
      },
    };
  }

  const named = (b: { epoch: number; partition: number; to: string }) => `${b.epoch}/${b.partition}/${b.to}`;

  test('each partition gets its batches in the order they were added, whatever the calls', async () => {
    const { producer, consumer } = await open();
    const handled = [recorder(), recorder()];
    const sent = [0, 1].map((partition) => batches(0, 150, { partition }));
    const mixed = Array.from({ length: 150 }, (_, i) =>
      sent.flatMap((chain) => chain.slice(i, i + 1)),
    ).flat();
    const calls = [mixed.slice(0, 1), mixed.slice(1, 40), mixed.slice(40, 41), mixed.slice(41)];
    const adding = calls.map((call) => producer.add(call));
    await Promise.all(handled.map((h, partition) => consumer.start(partition, h.handler)));
    await Promise.all(adding);
    await until('all handled', () => handled.every((h) => h.seen.length === 150), 20_000);
    for (const partition of [0, 1]) expect(handled[partition]?.seen).toEqual(sent[partition]?.map(named));
  }, 30_000);

  test('a batch that is added twice in an epoch is handled once, and again in the next epoch', async () => {
    const { producer, consumer } = await open();
    await producer.add(batches(0, 3));
    await producer.add(batches(0, 3));
    await producer.add(batches(0, 3, { epoch: 2 }));
    expect(await producer.depths()).toEqual([6, 0]);
    const { seen, handler } = recorder();
    await consumer.start(0, handler);
    await until('six batches', () => seen.length >= 6);
    expect(seen).toEqual([...batches(0, 3), ...batches(0, 3, { epoch: 2 })].map(named));
  });

  test('what a handler gets is what was added, and what stays for the board of a large batch has no rows', async () => {
    const { producer, consumer, queues } = await open();
    const sent = batch(7, { rows: 400 });
    const got: unknown[] = [];
    await consumer.start(0, async (b) => {
      got.push(b);
      return COMMITTED;
    });
    await producer.add([sent]);
    await until('handled', () => got.length === 1);
    expect(got).toEqual([sent]);
    const { epoch, from, to, rows, bytes, rules } = sent;
    const summary = { ...COMMITTED, epoch, from, to, rows, bytes, rules };
    await until('completed', async () => (await queues[0]?.getCompletedCount()) === 1);
    await until('the rows are dropped', async () => {
      const [job] = (await queues[0]?.getCompleted()) ?? [];
      return job !== undefined && decodeJobData(job.data).kind === 'handled';
    });
    const [job] = (await queues[0]?.getCompleted()) ?? [];
    expect([job?.returnvalue, job?.data]).toEqual([summary, summary]);
  });

  test('of finished batches the last hundred stay', async () => {
    const { producer, consumer, queues } = await open();
    const { seen, handler } = recorder();
    await consumer.start(0, handler);
    await producer.add(batches(0, 130));
    await until('all handled', () => seen.length === 130, 20_000);
    await until('all completed', async () => (await producer.depths())[0] === 0);
    expect(await queues[0]?.getCompletedCount()).toBe(100);
  }, 30_000);

  test('empty removes what waits, what is finished, and a batch that another process holds', async () => {
    const { producer, consumer, queues } = await open();
    const { opened, open: release } = gate();
    onTestFinished(release); // before the queues close
    const orders: string[] = [];
    await consumer.start(0, async (b) => {
      orders.push(named(b));
      if (orders.length === 3) await opened;
      return COMMITTED;
    });
    await producer.add(batches(0, 20));
    await until('the third is held', () => orders.length === 3);
    await producer.empty();
    expect(await producer.depths()).toEqual([0, 0]);
    expect(await queues[0]?.getJobCounts()).toMatchObject({ active: 0, completed: 0, waiting: 0, failed: 0 });

    // The holder comes back to a job that is gone, and goes on with the next epoch at once.
    const next = batches(2, 5, { epoch: 2 });
    await producer.add(next);
    const released = Date.now();
    release();
    await until('the next epoch', () => orders.length === 8);
    expect(Date.now() - released).toBeLessThan(2_000);
    expect(orders.slice(3)).toEqual(next.map(named));
    await until('all completed', async () => (await queues[0]?.getCompletedCount()) === 5);
  }, 20_000);

  test('empty is quick with thousands of batches, and the queue works after it', async () => {
    const { producer, consumer } = await open();
    const many = Array.from({ length: 3_000 }, (_, n) => batch(n, { rows: 1, partition: n % 2 }));
    await producer.add(many);
    expect(await producer.depths()).toEqual([1_500, 1_500]);
    const started = Date.now();
    await producer.empty();
    expect(Date.now() - started).toBeLessThan(5_000);
    expect(await producer.depths()).toEqual([0, 0]);
    const { seen, handler } = recorder();
    await consumer.start(1, handler);
    await producer.add([batch(0, { partition: 1 })]);
    await until('handled', () => seen.length === 1);
  }, 30_000);

  test('a job that is no batch fails, says why, and holds nobody up', async () => {
    const { producer, consumer, queues, messages } = await open();
    const { seen, handler } = recorder();
    await queues[0]?.add('batch', { v: 2, rows: 'many' }, { jobId: 'strange' });
    await producer.add([batch(0)]);
    await consumer.start(0, handler);
    await until('the batch behind it', () => seen.length === 1);
    const [failed] = (await queues[0]?.getFailed()) ?? [];
    expect(failed?.failedReason).toMatch(/^not a batch: [\s\S]*at v/);
    expect(messages).toEqual(['a job is no batch: it is left out']);
  });

  test('stop waits for the batch at hand and takes no other', async () => {
    const { producer, consumer } = await open();
    const { opened, open: release } = gate();
    const seen: string[] = [];
    const handler: BatchHandler = async (b) => {
      seen.push(b.to);
      await opened;
      return COMMITTED;
    };
    await consumer.start(0, handler);
    await producer.add(batches(0, 3));
    await until('the first is at hand', () => seen.length === 1);
    let stopped = false;
    const stopping = consumer.stop(0).then(() => {
      stopped = true;
    });
    await producer.add([batch(3)]);
    expect(stopped).toBe(false);
    release();
    await stopping;
    expect(seen).toEqual([batch(0).to]);
    expect(await producer.depths()).toEqual([3, 0]);
    // Another worker goes on where it stopped.
    const later = recorder();
    await consumer.start(0, later.handler);
    await until('the rest', () => later.seen.length === 3);
    expect(later.seen).toEqual(batches(1, 3).map(named));
  });

  test('a handler that throws is a bug, and is told as one', async () => {
    const bugs: unknown[] = [];
    const { producer, consumer, messages } = await open({ onBug: (error) => bugs.push(error) });
    const bug = new Error('undefined is not a function');
    await consumer.start(0, () => Promise.reject(bug));
    await producer.add([batch(0)]);
    await until('told', () => bugs.length === 1);
    expect(bugs).toEqual([bug]);
    expect(messages).toContain('a bug: the batch handler threw');
  });

  test('a batch of a partition that does not exist is a bug, not something to wait for', async () => {
    const { producer } = await open();
    await expect(producer.add([batch(0, { partition: 2 })])).rejects.toThrow('batch of partition 2');
    await producer.add([batch(0)]);
    expect(await producer.depths()).toEqual([1, 0]);
  });

  test('two instances on one server do not see each other', async () => {
    const [one, two] = [await open(), await open()];
    await one.producer.add(batches(0, 3));
    expect(await two.producer.depths()).toEqual([0, 0]);
    await two.producer.empty();
    expect(await one.producer.depths()).toEqual([3, 0]);
  });

  test('an idle worker is woken by a batch, and does not poll for it', async () => {
    const { producer, consumer } = await open();
    const took: number[] = [];
    let added = 0;
    await consumer.start(0, async () => {
      took.push(performance.now() - added);
      return COMMITTED;
    });
    for (let n = 0; n < 40; n += 1) {
      added = performance.now();
      await producer.add([batch(n)]);
      await until('handled', () => took.length === n + 1);
    }
    const median = took.sort((a, b) => a - b)[20] ?? Infinity;
    expect(median).toBeLessThan(250); // 1 to 3 ms on a quiet machine; a worker that polls takes seconds
  });

  test('the checks find a fit server', async () => {
    const { check } = await open();
    const findings = await check();
    expect(findings.length).toBeGreaterThanOrEqual(2);
    expect(findings.filter((finding) => !finding.ok)).toEqual([]);
  });

  test('a server that dies under load and comes back: nothing is dropped without a word, and it goes on', async () => {
    const { producer, consumer, messages } = await open();
    const { seen, handler } = recorder();
    await consumer.start(0, handler);
    let n = 0;
    let ended = false;
    const load = (async () => {
      while (!ended) await producer.add([batch(n++)]);
    })();
    await until('under way', () => seen.length > 20);
    await server.kill();
    const before = n;
    await until('the producer waits', () => messages.some((m) => /is away|takes no batches/.test(m)));
    await server.start();
    await until('batches flow again', () => n > before + 20, 20_000);
    ended = true;
    await load;

    // What the server lost is a gap to the worker: a new epoch, from the last position that was committed.
    await producer.empty();
    const from = seen.length;
    await producer.add(batches(0, 10, { epoch: 2 }));
    await until(
      'the new epoch',
      () => seen.slice(from).filter((s) => s.startsWith('2/')).length === 10,
      20_000,
    );
    expect(seen.filter((s) => s.startsWith('2/'))).toEqual(batches(0, 10, { epoch: 2 }).map(named));
    const aways = messages.filter((m) => /is away/.test(m)).length;
    expect(aways).toBeGreaterThanOrEqual(1);
    expect(aways).toBeLessThanOrEqual(3);
  }, 60_000);
});
