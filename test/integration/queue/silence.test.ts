import { afterAll, beforeAll, describe, expect, type onTestFinished, test } from 'vitest';
import { SILENCE_MS } from '../../../src/queue/bullmq-backend.ts';
import { openQueues } from '../../../src/queue/connect.ts';
import { Line } from '../../support/line.ts';
import { until } from '../../support/until.ts';
import { batch, COMMITTED } from './batches.ts';
import { type QueueServer, recordingLogger, SERVERS } from './servers.ts';

const KINDS = ['redis', 'postgres'] as const;

describe('a server of the queue that is gone without a word', () => {
  const servers = new Map<string, QueueServer>();
  beforeAll(async () => {
    for (const kind of KINDS) servers.set(kind, await SERVERS[kind]());
  }, 60_000);
  afterAll(async () => {
    for (const server of servers.values()) await server.close();
  });

  async function open(kind: (typeof KINDS)[number], finished: typeof onTestFinished) {
    const { url } = servers.get(kind)?.config ?? { url: '' };
    const line = await Line.to(Number(new URL(url).port));
    const { logger } = recordingLogger();
    const options = { instance: `silent ${line.url(url)}`, partitions: 1, logger };
    const queues = await openQueues({ kind, url: line.url(url) }, options);
    const handled: string[] = [];
    await queues.consumer.start(0, async ({ to }) => {
      handled.push(to);
      return COMMITTED;
    });
    finished(async () => {
      await queues.close();
      line.close();
    });
    return { ...queues, line, handled };
  }

  test.concurrent.for(KINDS)(
    'is noticed within half a minute, and producer and worker go on (%s)',
    { timeout: 60_000 },
    async (kind, { onTestFinished: finished }) => {
      const { line, producer, handled } = await open(kind, finished);
      await producer.add([batch(0)]);
      await until('the first batch', () => handled.length === 1);
      line.swallow();
      const started = Date.now();
      const adding = producer.add([batch(1)]);
      await until('the producer is in trouble', () => producer.trouble !== null);
      line.heal();
      await adding;
      await until('the worker has the next batch', () => handled.length === 2, 40_000);
      expect(Date.now() - started).toBeLessThan(40_000);
      expect(producer.trouble).toBeNull();
    },
  );

  test.concurrent('is not one whose worker merely waits for the next batch', async ({
    onTestFinished: finished,
  }) => {
    const { line, producer, handled } = await open('redis', finished);
    await producer.add([batch(0)]);
    await until('the first batch', () => handled.length === 1);
    const { accepted } = line;
    const started = Date.now();
    await until('it has waited for longer', () => Date.now() - started > SILENCE_MS + 2_000, 60_000);
    expect(line.accepted).toBe(accepted);
  }, 70_000);
});
