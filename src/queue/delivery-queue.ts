import { type IQueueBackend, type Job, UnrecoverableError, Worker } from 'bullmq';
import type { Logger } from 'pino';
import { safeName } from './batch-job.ts';
import {
  type BatchQueue,
  type BatchWorker,
  type BullBackend,
  openQueue,
  patient,
  stopWorker,
} from './bullmq-backend.ts';
import { reasonOf } from './reason.ts';

const JOB_NAME = 'delivery';
/** Deliveries to one receiver at a time: one that answers slowly holds up no more than its own queue. */
const CONCURRENCY = 4;
/** Shown on the board. */
const KEEP_DELIVERED = 1_000;
const KEEP_DEAD = 10_000;
/** The store says when a delivery is given up, not the queue. */
const ATTEMPTS = 1_000_000;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30 * 60_000;

/** Why a delivery failed this time. `afterMs`: the receiver has said when to come again. */
export class DeliveryFailed extends Error {
  readonly afterMs: number | null;

  constructor(reason: string, afterMs: number | null) {
    super(reason);
    this.name = 'DeliveryFailed';
    this.afterMs = afterMs;
  }
}

/** It is not tried again, unless somebody asks for it. */
export const GivenUp = UnrecoverableError;

/** Sends one delivery. Throws `DeliveryFailed` or `GivenUp`; what else it throws is tried again as well. */
export type Deliver = (deliveryId: string) => Promise<void>;

export function deliveryQueueName(instance: string, webhook: string): string {
  return `weir-${safeName(instance)}-w-${safeName(webhook)}`;
}

/** The BullMQ queue of one webhook: its jobs carry ids of deliveries, nothing else. */
export class DeliveryQueue {
  readonly webhook: string;
  readonly queue: BatchQueue;
  readonly #backend: BullBackend;
  readonly #logger: Logger;
  #worker: BatchWorker | null = null;

  constructor(backend: BullBackend, name: { instance: string; webhook: string }, logger: Logger) {
    this.webhook = name.webhook;
    this.#backend = backend;
    this.#logger = logger;
    this.queue = openQueue(backend, deliveryQueueName(name.instance, name.webhook));
    this.queue.on('error', (error) => logger.debug({ ...name, reason: reasonOf(error) }, 'webhook queue'));
  }

  /** Those that are in it already stay as they are. */
  async add(deliveryIds: readonly string[]): Promise<void> {
    await this.queue.addBulk(deliveryIds.map((id) => ({ name: JOB_NAME, data: {}, opts: optionsOf(id) })));
  }

  /** Anew, whatever has become of it before. */
  async replace(deliveryId: string): Promise<void> {
    await this.queue.remove(deliveryId);
    await this.add([deliveryId]);
  }

  /** Jobs that wait, are delayed or are worked on. */
  size(): Promise<number> {
    return this.queue.getJobCountByTypes('wait', 'active', 'delayed', 'prioritized');
  }

  /** Nobody takes a job of this queue for so long, in no process. */
  async hold(ms: number): Promise<void> {
    await this.queue.rateLimit(ms);
  }

  start(deliver: Deliver): void {
    const options = {
      connection: {},
      name: JOB_NAME,
      concurrency: CONCURRENCY,
      // BullMQ minds `hold` only where there is a limit.
      limiter: { max: 1_000_000, duration: 1_000 },
      // One whose process was killed is sent by another within seconds.
      lockDuration: 15_000,
      stalledInterval: 5_000,
      maxStalledCount: ATTEMPTS,
      runRetryDelay: 500,
      settings: { backoffStrategy: pauseBefore },
    };
    const processor = async (job: Job<unknown, unknown, string>): Promise<unknown> => deliver(job.id ?? '');
    const worker: BatchWorker = new Worker<unknown, unknown, string, IQueueBackend, number, unknown>(
      this.queue.name,
      processor,
      options,
      (...args) => patient(this.#backend.factory(...args)),
    );
    worker.on('error', (error) =>
      this.#logger.debug({ webhook: this.webhook, reason: reasonOf(error) }, 'webhook worker'),
    );
    this.#worker = worker;
  }

  /** Takes no more jobs, and waits a little for what is being sent. */
  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    if (worker !== null) await stopWorker(worker, Promise.resolve());
  }

  async close(): Promise<void> {
    await this.stop();
    await this.queue.close();
  }
}

function optionsOf(id: string) {
  return {
    jobId: id,
    attempts: ATTEMPTS,
    backoff: { type: 'weir' },
    removeOnComplete: { count: KEEP_DELIVERED },
    removeOnFail: { count: KEEP_DEAD },
  };
}

/** Doubling from a second to half an hour, each somewhere in its upper half, so that many do not come back at once. */
export function pauseBefore(attemptsMade: number, _type?: string, error?: Error): number {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attemptsMade - 1), MAX_PAUSE_MS);
  const jittered = Math.floor(pause * (0.5 + Math.random() / 2));
  const asked = error instanceof DeliveryFailed ? (error.afterMs ?? 0) : 0;
  return Math.max(jittered, asked);
}
