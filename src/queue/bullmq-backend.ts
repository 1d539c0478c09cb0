import { setTimeout as delay } from 'node:timers/promises';
import { type BackendFactory, type IQueueBackend, type Processor, Queue, Worker } from 'bullmq';
import { JOB_NAME, KEEP_FINISHED } from './batch-job.ts';
import type { QueueFinding } from './finding.ts';

/** A BullMQ queue or worker on either store; job data is unknown until `decodeJobData` accepts it. */
export type BatchQueue = Queue<unknown, unknown, string, unknown, unknown, string, IQueueBackend, unknown>;
export type BatchWorker = Worker<unknown, unknown, string, IQueueBackend, number, unknown>;
export type BatchProcessor = Processor<unknown, unknown, string, number>;

export type { QueueFinding };

/** What differs between BullMQ's two stores; everything else in this room is the same code for both. */
export interface BullBackend {
  readonly kind: 'redis' | 'postgres';
  /** Makes a queue's or a worker's own view of the connections that this holds. */
  readonly factory: BackendFactory<IQueueBackend, unknown>;
  /** Waiting and active jobs of each queue. */
  depths(queues: readonly BatchQueue[]): Promise<readonly number[]>;
  check(): Promise<readonly QueueFinding[]>;
  /** After the queues and workers. */
  close(): Promise<void>;
}

/** BullMQ demands one; the factory has it already. */
const CONNECTION = {};

/**
 * An idle worker asks again after this long. Jobs wake it at once (BZPOPMIN, LISTEN), so this is only for a
 * wake-up that a failover or a dead line swallowed, and the price of an idle Weir: a few commands a partition each time.
 */
const DRAIN_DELAY_SECONDS = 10;
/**
 * A server that owes an answer for so long is gone without a word (its machine, or what is between): the connection is
 * cut and made anew, where TCP would wait for a quarter of an hour. Longer than a worker's wait for the next job.
 */
export const SILENCE_MS = (DRAIN_DELAY_SECONDS + 10) * 1_000;
/** BullMQ tells the story of each job in a stream that nobody reads here. */
export const KEEP_EVENTS = 100;

export const JOB_OPTIONS = {
  attempts: 1,
  removeOnComplete: { count: KEEP_FINISHED },
  removeOnFail: { count: KEEP_FINISHED },
} as const;

export function openQueue(backend: BullBackend, name: string): BatchQueue {
  const options = {
    connection: CONNECTION,
    defaultJobOptions: JOB_OPTIONS,
    streams: { events: { maxLen: KEEP_EVENTS } },
  };
  return new Queue(name, options, backend.factory);
}

/** One job at a time, in the queue's order. It starts at once, and waits for a server that is away. */
export function openWorker(backend: BullBackend, name: string, processor: BatchProcessor): BatchWorker {
  const options = {
    connection: CONNECTION,
    name: JOB_NAME,
    concurrency: 1,
    drainDelay: DRAIN_DELAY_SECONDS,
    // Renewed each 15 s for as long as the handler takes: minutes, when it waits for PostgreSQL.
    lockDuration: 30_000,
    // Recovery does not wait for this (a partition's new owner asks for an epoch, which empties the queues);
    // it only sweeps up a job whose claim got lost with its connection.
    stalledInterval: 30_000,
    maxStalledCount: 1,
    runRetryDelay: 500,
  };
  return new Worker(name, processor, options, (...args) => patient(backend.factory(...args)));
}

/** How long a stop waits for the server to hear of the last job, once its processor is done. */
const FAREWELL_MS = 2_000;

/**
 * Takes no more jobs, and waits for what is at hand. With its server away, a worker would wait for it for ever: what it
 * could not tell comes again.
 */
export async function stopWorker(worker: BatchWorker, atHand: Promise<unknown>): Promise<void> {
  const closed = worker.close().catch(() => undefined);
  await atHand;
  const late = new AbortController();
  await Promise.race([closed, delay(FAREWELL_MS, null, { signal: late.signal }).catch(() => undefined)]);
  late.abort();
}

const CLAIM_PAUSE_MS = 500;

/**
 * A worker that fails to claim a job (a full Redis, a full disk) tries again at once, and for ever: this
 * makes it draw breath.
 */
export function patient(backend: IQueueBackend): IQueueBackend {
  const claim = backend.moveToActive.bind(backend);
  backend.moveToActive = async (token, name) => {
    try {
      return await claim(token, name);
    } catch (error) {
      await delay(CLAIM_PAUSE_MS);
      throw error;
    }
  };
  return backend;
}
