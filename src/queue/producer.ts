import { setTimeout as delay } from 'node:timers/promises';
import type { IQueueBackend, JobJson } from 'bullmq';
import type { Logger } from 'pino';
import { type Batch, jobId } from '../events/batch.ts';
import { JOB_NAME } from './batch-job.ts';
import { type BatchQueue, type BullBackend, JOB_OPTIONS, KEEP_EVENTS } from './bullmq-backend.ts';
import type { BatchProducer } from './queue.ts';
import { reasonOf } from './reason.ts';

/** What one call to the server carries at most; WAL text grows by half as JSON in JSON. */
const CALL_BYTES = 4 * 1024 * 1024;
/** Jobs that one statement of `empty` removes. */
const OBLITERATE_JOBS = 5_000;
const DEPTHS_TIMEOUT_MS = 5_000;
const MAX_PAUSE_MS = 2_000;
/** After this a call that has no answer is told: the Redis driver keeps it until the server is back. */
const SLOW_MS = 2_000;

type Entry = Parameters<IQueueBackend['addFlow']>[0][number];

/**
 * Puts batches into the partitions' queues. A call is one transaction over all its partitions on both
 * stores, and is tried until the server takes it: a server that is full or away holds the source up, it
 * loses nothing. A try whose answer got lost is repeated: the same job ids are taken once.
 */
export class Producer implements BatchProducer {
  readonly #backend: BullBackend;
  readonly #queues: readonly BatchQueue[];
  readonly #logger: Logger;
  /** Calls run one after another: a later batch must not overtake one that is tried again. */
  #tail: Promise<void> = Promise.resolve();
  /** Aborted by `empty` and `close`: what still waits to be added then is void. */
  #term = new AbortController();
  #trouble: string | null = null;

  constructor(backend: BullBackend, queues: readonly BatchQueue[], logger: Logger) {
    this.#backend = backend;
    this.#queues = queues;
    this.#logger = logger;
  }

  /** Also resolves when `empty` or `close` has made the batches void meanwhile. */
  add(batches: readonly Batch[]): Promise<void> {
    const { signal } = this.#term;
    const done = this.#tail.then(async () => {
      for (const call of calls(batches)) {
        const entries = call.map((batch) => this.#entry(batch));
        await this.#persist(() => this.#put(entries), signal);
      }
    });
    this.#tail = done.catch(() => undefined);
    return done;
  }

  /** A new epoch. Jobs that a worker is at go too; it notices when it completes them, and goes on. */
  async empty(): Promise<void> {
    this.#term.abort();
    const term = new AbortController();
    this.#term = term;
    const done = this.#tail.then(async () => {
      await this.#persist(() => Promise.all(this.#queues.map(obliterate)), term.signal);
    });
    this.#tail = done.catch(() => undefined);
    await done;
  }

  async depths(): Promise<readonly number[]> {
    const late = new AbortController();
    try {
      return await Promise.race([
        this.#backend.depths(this.#queues),
        delay(DEPTHS_TIMEOUT_MS, null, { signal: late.signal }).then(() => {
          throw new Error(`the queue did not tell its depths within ${DEPTHS_TIMEOUT_MS} ms`);
        }),
      ]);
    } finally {
      late.abort();
    }
  }

  /** Why batches wait; null: the server takes them. For readiness. */
  get trouble(): string | null {
    return this.#trouble;
  }

  async close(): Promise<void> {
    this.#term.abort();
    await Promise.all(this.#queues.map((queue) => queue.close()));
  }

  /** BullMQ's call for flows, which takes jobs of several queues in one transaction. */
  async #put(entries: Entry[]): Promise<void> {
    const [first] = this.#queues;
    if (first === undefined) return;
    const results = await first.getBackend().addFlow(entries);
    for (const [error] of results) if (error !== null) throw error;
  }

  #entry(batch: Batch): Entry {
    const queue = this.#queues[batch.partition];
    if (queue === undefined) throw new Error(`batch of partition ${batch.partition}, which has no queue`);
    const id = jobId(batch);
    const opts = { ...JOB_OPTIONS, jobId: id };
    const job: Pick<JobJson, 'id' | 'name' | 'data' | 'opts' | 'timestamp'> = {
      id,
      name: JOB_NAME,
      data: JSON.stringify(batch),
      opts,
      timestamp: Date.now(),
    };
    const jobData: JobJson = { ...job, ...NEW_JOB };
    return { jobData, jobId: id, parentKeyOpts: {}, prefix: 'bull', queueName: queue.name };
  }

  /** Until it works or is void, however long the server is away. */
  async #persist(action: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
    for (let pauseMs = 50; !signal.aborted; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      const slow = setTimeout(() => this.#failed(new Error('the server does not answer')), SLOW_MS);
      try {
        await unlessVoid(action(), signal);
        if (!signal.aborted) this.#recovered();
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#failed(error);
      } finally {
        clearTimeout(slow);
      }
      await delay(pauseMs, null, { signal }).catch(() => undefined);
    }
  }

  #failed(error: unknown): void {
    const reason = reasonOf(error);
    if (this.#trouble === null) this.#logger.warn({ reason }, 'the queue takes no batches: they wait');
    this.#trouble = reason;
  }

  #recovered(): void {
    if (this.#trouble !== null) this.#logger.info('the queue takes batches again');
    this.#trouble = null;
  }
}

/** Settles as the action does, or at once when it is made void: a server that is away may keep it for ever. */
function unlessVoid(action: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => resolve();
    signal.addEventListener('abort', end, { once: true });
    action.then(end, reject).finally(() => signal.removeEventListener('abort', end));
  });
}

const NEW_JOB = {
  progress: 0,
  attemptsMade: 0,
  attemptsStarted: 0,
  stalledCounter: 0,
  failedReason: '',
  returnvalue: 'null',
} as const;

function* calls(batches: readonly Batch[]): Generator<readonly Batch[]> {
  let call: Batch[] = [];
  let bytes = 0;
  for (const batch of batches) {
    if (call.length > 0 && bytes + batch.bytes > CALL_BYTES) {
      yield call;
      call = [];
      bytes = 0;
    }
    call.push(batch);
    bytes += batch.bytes;
  }
  if (call.length > 0) yield call;
}

/**
 * BullMQ pauses the queue, removes its jobs, and then its settings with the pause among them.
 * A crash here can leave a paused queue, never one that stays so: the next source begins with this again.
 */
async function obliterate(queue: BatchQueue): Promise<void> {
  try {
    await queue.obliterate({ force: true, count: OBLITERATE_JOBS });
    await queue.getBackend().setQueueMeta({ 'opts.maxLenEvents': KEEP_EVENTS });
  } catch (error) {
    // A Redis that is full refuses the pause, but lets us remove what waits, which makes room for it.
    await queue.drain();
    throw error;
  }
}
