import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { WebhookConfig } from '../config.ts';
import type { DeliveryQueue } from '../queue/delivery-queue.ts';
import { WebhookDispatcher } from './webhook-dispatcher.ts';
import type { WebhookMetrics } from './webhook-metrics.ts';
import { WebhookSender } from './webhook-sender.ts';

export interface WebhooksOptions {
  readonly pool: Pick<Pool, 'query'>;
  readonly processorId: string;
  /** By name. */
  readonly webhooks: Readonly<Record<string, WebhookConfig>>;
  readonly queues: readonly DeliveryQueue[];
  readonly metrics: WebhookMetrics;
  readonly logger: Logger;
}

export interface Webhooks {
  /** Deliveries may have been committed. */
  wake(): void;
  /** What is being sent has two seconds to be done; what is cut off is sent again by the next start. */
  close(): Promise<void>;
}

/** Delivers what the outbox holds: a dispatcher, a queue and a sender for each webhook. */
export function startWebhooks(options: WebhooksOptions): Webhooks {
  const { queues, webhooks } = options;
  const stopping = new AbortController();
  const cutting = new AbortController();
  const dispatchers = queues.flatMap((queue) => {
    const config = webhooks[queue.webhook];
    if (config === undefined) return [];
    const { signal } = cutting;
    const sender = new WebhookSender({ ...options, queue, config, signal });
    queue.start((deliveryId) => sender.deliver(deliveryId));
    return [new WebhookDispatcher({ ...options, queue })];
  });
  // They end by the signal; one that waits for a server that is away ends with the process.
  for (const dispatcher of dispatchers) void dispatcher.run(stopping.signal);
  return {
    wake: () => {
      for (const dispatcher of dispatchers) dispatcher.wake();
    },
    close: async () => {
      stopping.abort();
      await Promise.all(queues.map((queue) => queue.stop()));
      cutting.abort();
    },
  };
}
