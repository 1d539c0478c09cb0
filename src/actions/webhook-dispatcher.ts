import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { failpoint } from '../failpoint.ts';
import type { DeliveryQueue } from '../queue/delivery-queue.ts';
import { markEnqueued, unenqueued } from '../store/outbox.ts';

/*
 * A crash here can leave a delivery in its queue that the store does not know to be there: it is put in again, which
 * changes nothing. Never one that the store believes to be there for good: the belief ends after half a minute.
 */

const SWEEP_MS = 5_000;
const CALL = 500;
/** A delivery that is pending so long after it was put into the queue is put in again: the queue may be lost. */
const LOST_AFTER_MS = 30_000;

export interface DispatcherOptions {
  readonly pool: Pick<Pool, 'query'>;
  readonly processorId: string;
  readonly queue: DeliveryQueue;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Puts the deliveries of one webhook into its queue: after each commit, and every few seconds. */
export class WebhookDispatcher {
  readonly #options: DispatcherOptions;
  #woken = new AbortController();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** There may be new deliveries. */
  wake(): void {
    this.#woken.abort();
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#woken = new AbortController();
      try {
        await this.#sweep(signal);
      } catch (error) {
        // Store or queue are away, which they tell themselves: the rows are still there at the next sweep.
        const { queue, logger } = this.#options;
        if (!signal.aborted) logger.warn({ err: error, webhook: queue.webhook }, 'deliveries wait');
      }
      const wait = AbortSignal.any([signal, this.#woken.signal]);
      await delay(SWEEP_MS, null, { signal: wait }).catch(() => undefined);
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { pool, processorId, queue } = this.#options;
    while (!signal.aborted) {
      const where = { processorId, webhook: queue.webhook, limit: CALL };
      const found = await unenqueued(pool, where, LOST_AFTER_MS);
      if (found.length === 0) return;
      const lost = found.some(({ again }) => again) && (await queue.size()) === 0;
      for (const { deliveryId } of found.filter(({ retried }) => retried)) await queue.replace(deliveryId);
      await queue.add(found.map(({ deliveryId }) => deliveryId));
      failpoint('webhook.enqueued');
      await markEnqueued(
        pool,
        found.map(({ deliveryId }) => deliveryId),
      );
      // Those that only wait for their turn are looked at a few at a time.
      if (found.some(({ again }) => again) && !lost) return;
    }
  }
}
