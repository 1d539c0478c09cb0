import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { WebhookConfig } from '../config.ts';
import { failpoint } from '../failpoint.ts';
import { DeliveryFailed, type DeliveryQueue, GivenUp } from '../queue/delivery-queue.ts';
import { markDelivered, markFailed, readDelivery } from '../store/outbox.ts';
import type { WebhookMetrics } from './webhook-metrics.ts';
import { type Answer, send } from './webhook-request.ts';

/*
 * A crash here can leave a delivery that the receiver has taken and the store does not know of: it is sent again, with
 * the same id. Never one that the store calls delivered and the receiver has not taken.
 */

/** After so many failures in a row the receiver is left alone for a while: the circuit is open. */
const OPEN_AFTER = 5;
const FIRST_HOLD_MS = 5_000;
const MAX_HOLD_MS = 5 * 60_000;

export interface SenderOptions {
  readonly pool: Pick<Pool, 'query'>;
  readonly queue: DeliveryQueue;
  readonly config: WebhookConfig;
  readonly metrics: WebhookMetrics;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** The process ends: what is on its way is cut off, and sent again later. */
  readonly signal: AbortSignal;
}

/** Sends the deliveries of one webhook, and leaves its receiver alone while it is down. */
export class WebhookSender {
  readonly #options: SenderOptions;
  /** In a row. */
  #failures = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  async deliver(deliveryId: string): Promise<void> {
    const { pool, config, signal } = this.#options;
    const delivery = await readDelivery(pool, deliveryId);
    if (delivery === null) return;
    if (delivery.body === null) return this.#giveUp(deliveryId, 'its alert has been deleted');
    const answer = await send(config, { id: deliveryId, body: delivery.body }, signal);
    failpoint('webhook.sent');
    if (signal.aborted && answer.kind !== 'taken') throw new DeliveryFailed('the process ends', null);
    await this.#circuit(answer);
    switch (answer.kind) {
      case 'taken':
        await markDelivered(pool, deliveryId);
        this.#options.metrics.delivery(this.#webhook, 'delivered');
        return;
      case 'refused':
        return this.#giveUp(deliveryId, answer.reason);
      case 'failed':
        if (Date.now() - delivery.sinceMs > config.giveUpAfterMs)
          return this.#giveUp(deliveryId, answer.reason);
        await markFailed(pool, deliveryId, { error: answer.reason, dead: false });
        this.#options.metrics.delivery(this.#webhook, 'failed');
        throw new DeliveryFailed(answer.reason, answer.afterMs);
    }
  }

  get #webhook(): string {
    return this.#options.queue.webhook;
  }

  async #giveUp(deliveryId: string, reason: string): Promise<never> {
    const { pool, metrics, logger } = this.#options;
    await markFailed(pool, deliveryId, { error: reason, dead: true });
    metrics.delivery(this.#webhook, 'dead');
    logger.error({ webhook: this.#webhook, delivery: deliveryId, reason }, 'a delivery is given up');
    throw new GivenUp(reason);
  }

  /** Any answer but a failure closes it. While it is open no process takes a job; the next ones try again. */
  async #circuit(answer: Answer): Promise<void> {
    const { queue, metrics, logger } = this.#options;
    const webhook = this.#webhook;
    if (answer.kind !== 'failed') {
      if (this.#failures >= OPEN_AFTER) logger.info({ webhook }, 'the receiver takes deliveries again');
      this.#failures = 0;
      metrics.circuit(webhook, false);
      return;
    }
    this.#failures += 1;
    if (this.#failures < OPEN_AFTER) return;
    const { reason } = answer;
    if (this.#failures === OPEN_AFTER)
      logger.warn({ webhook, reason }, 'the receiver is down: deliveries wait');
    metrics.circuit(webhook, true);
    await queue.hold(Math.min(FIRST_HOLD_MS * 2 ** (this.#failures - OPEN_AFTER), MAX_HOLD_MS));
  }
}
