import type { Logger } from 'pino';
import type { QueueConfig } from '../config.ts';
import { queueName } from './batch-job.ts';
import { type BatchQueue, type BullBackend, openQueue } from './bullmq-backend.ts';
import { Consumer } from './consumer.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { QueueFinding } from './finding.ts';
import { openPostgresBackend } from './postgres-backend.ts';
import { Producer } from './producer.ts';
import { reasonOf } from './reason.ts';
import { openRedisBackend } from './redis-backend.ts';

interface OpenOptions {
  readonly instance: string;
  readonly partitions: number;
  /** Names of webhooks; each has a queue of its own. */
  readonly webhooks?: readonly string[];
  readonly logger: Logger;
  /** A batch handler threw, which is a bug; by default the error is thrown where nothing catches it. */
  readonly onBug?: (error: unknown) => void;
}

export interface Queues {
  readonly producer: Producer;
  readonly consumer: Consumer;
  /** By partition; for the board. */
  readonly queues: readonly BatchQueue[];
  /** One a webhook. */
  readonly deliveries: readonly DeliveryQueue[];
  check(): Promise<readonly QueueFinding[]>;
  /** Waits for the batches at hand. */
  close(): Promise<void>;
}

/**
 * The queue room of a process, whatever its role: it connects to what it uses, when it uses it.
 * Throws a WeirError when the server is away, refuses us, or is not fit for a queue.
 */
export async function openQueues(config: QueueConfig, options: OpenOptions): Promise<Queues> {
  const { instance, partitions, logger } = options;
  const backend = await openBackend(config, logger);
  const queues = Array.from({ length: partitions }, (_, partition) => {
    const queue = openQueue(backend, queueName(instance, partition));
    queue.on('error', (error) => logger.debug({ partition, reason: reasonOf(error) }, 'queue'));
    return queue;
  });
  const deliveries = (options.webhooks ?? []).map(
    (webhook) => new DeliveryQueue(backend, { instance, webhook }, logger),
  );
  const producer = new Producer(backend, queues, logger);
  const consumer = new Consumer({ backend, instance, logger, onBug: options.onBug ?? crash });
  return {
    producer,
    consumer,
    queues,
    deliveries,
    check: () => backend.check(),
    close: async () => {
      await Promise.all([consumer.close(), ...deliveries.map((queue) => queue.close())]);
      await producer.close();
      await backend.close();
    },
  };
}

function openBackend(config: QueueConfig, logger: Logger): Promise<BullBackend> {
  switch (config.kind) {
    case 'redis':
      return openRedisBackend(config.url, logger);
    case 'postgres':
      return openPostgresBackend(config.url, logger);
  }
}

/** Out of every promise chain, so that the process ends. */
function crash(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
