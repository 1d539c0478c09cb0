import type { Job } from 'bullmq';
import type { Logger } from 'pino';
import { type BatchSummary, decodeJobData, queueName, summarize } from './batch-job.ts';
import { type BatchWorker, type BullBackend, openWorker, stopWorker } from './bullmq-backend.ts';
import type { BatchConsumer, BatchHandler } from './queue.ts';
import { reasonOf } from './reason.ts';

/** A finished batch of fewer bytes keeps its rows in the queue: to drop them would cost more than they do. */
const KEPT_BYTES = 8_192;

interface ConsumerOptions {
  readonly backend: BullBackend;
  readonly instance: string;
  readonly logger: Logger;
  /** A handler threw: the process is to end. */
  readonly onBug: (error: unknown) => void;
}

interface Running {
  readonly worker: BatchWorker;
  /** Settles when the handler is done with the batch at hand. */
  atHand: Promise<unknown>;
}

/** One BullMQ worker a partition, one batch at a time. */
export class Consumer implements BatchConsumer {
  readonly #options: ConsumerOptions;
  readonly #running = new Map<number, Running>();

  constructor(options: ConsumerOptions) {
    this.#options = options;
  }

  async start(partition: number, handler: BatchHandler): Promise<void> {
    if (this.#running.has(partition)) throw new Error(`partition ${partition} has a worker already`);
    const { backend, instance, logger } = this.#options;
    const processor = (job: Job<unknown, unknown, string>) => {
      const done = this.#process(job, handler);
      running.atHand = done.catch(() => undefined);
      return done;
    };
    const worker = openWorker(backend, queueName(instance, partition), processor);
    const running: Running = { worker, atHand: Promise.resolve() };
    logErrors(worker, partition, logger);
    this.#running.set(partition, running);
  }

  async stop(partition: number): Promise<void> {
    const running = this.#running.get(partition);
    if (running === undefined) return;
    this.#running.delete(partition);
    await stopWorker(running.worker, running.atHand);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((partition) => this.stop(partition)));
  }

  async #process(job: Job<unknown, unknown, string>, handler: BatchHandler): Promise<BatchSummary> {
    const data = decodeJobData(job.data);
    switch (data.kind) {
      case 'handled':
        return data.summary;
      case 'malformed':
        // The job fails and shows why on the board; the next batch finds the gap.
        this.#options.logger.error({ job: job.id, reason: data.reason }, 'a job is no batch: it is left out');
        throw new Error(`not a batch: ${data.reason}`);
      case 'batch': {
        const summary = summarize(data.batch, await this.#handle(handler, data.batch));
        if (data.batch.bytes > KEPT_BYTES) dropRows(job, summary);
        return summary;
      }
    }
  }

  async #handle(handler: BatchHandler, batch: Parameters<BatchHandler>[0]): ReturnType<BatchHandler> {
    try {
      return await handler(batch);
    } catch (error) {
      const { partition, from, to } = batch;
      this.#options.logger.fatal({ err: error, partition, from, to }, 'a bug: the batch handler threw');
      this.#options.onBug(error);
      throw error;
    }
  }
}

/**
 * A finished job stays for the board; its rows are dead weight. Not awaited: it goes out with the completion,
 * and where it fails, the job is gone or goes soon.
 */
function dropRows(job: Job<unknown, unknown, string>, summary: BatchSummary): void {
  job.updateData(summary).catch(() => undefined);
}

/** After `empty`, or when a lock ran out, a worker completes a job that is no longer its own: nothing is wrong. */
const GONE =
  /Missing key for job|Missing lock for job|Lock mismatch|not in the active state|could not renew lock/;
/** Told once, by the backend, when its server goes away. */
const AWAY = /Connection is closed|E(CONN[A-Z]+|PIPE|TIMEDOUT|HOSTUNREACH)/;

/** Tells a trouble of a worker once, until a batch of it has gone well again. */
function logErrors(worker: BatchWorker, partition: number, logger: Logger): void {
  let told: string | null = null;
  worker.on('completed', () => {
    told = null;
  });
  worker.on('error', (error) => {
    const reason = reasonOf(error);
    if (GONE.test(reason)) logger.debug({ partition, reason }, 'a job is gone from under its worker');
    else if (AWAY.test(error.message)) logger.debug({ partition, reason }, 'a worker waits for its server');
    else if (reason !== told) {
      told = reason;
      logger.warn({ partition, reason }, 'a worker cannot go on: it tries again');
    }
  });
}
