import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import type { Batch } from '../events/batch.ts';
import { failpoint } from '../failpoint.ts';
import type { BatchConsumer, BatchProducer, BatchReport } from '../queue/queue.ts';
import type { ControlStore } from '../store/control.ts';
import { endSession } from '../store/session.ts';
import { HungPartitions } from './hung-partitions.ts';
import { Ownership } from './ownership.ts';
import { isTransient, type PartitionDeps, PartitionWorker } from './partition-worker.ts';
import { report } from './report.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

export interface WorkerOptions {
  readonly processorId: string;
  readonly partitions: number;
  readonly control: ControlStore;
  readonly consumer: BatchConsumer;
  /** To see whether a partition that does not move has work. */
  readonly queue: Pick<BatchProducer, 'depths'>;
  /** A session of its own, for the advisory locks. */
  readonly connect: () => Promise<Client>;
  readonly partition: PartitionDeps;
  readonly metrics: WorkerMetrics;
  readonly logger: Logger;
  /** The store has answered whose the partitions are (true), or is away (false): for readiness. */
  readonly onBalanced: (answered: boolean) => void;
}

const BALANCE_MS = 1_000;
const IDLE_MS = 2_000;
const RETRY_MS = 250;

/** The worker side of a process: owns partitions, and works on those that it owns. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #workers = new Map<number, PartitionWorker>();
  readonly #hung = new HungPartitions();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Until the signal aborts; then the batches at hand are done, idle time is written down, the locks are free. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#session(signal);
      } catch (error) {
        if (!isTransient(error)) throw error;
        this.#options.logger.warn({ err: error }, 'lost the session that owns the partitions');
        await this.#letGo();
        await delay(RETRY_MS, null, { signal }).catch(() => undefined);
      }
    }
  }

  /** For a drain: what is only in memory, positions of idle partitions, goes to the store. */
  async flushIdle(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.flushIdle()));
  }

  /** While `run` ends: the batches at hand wait for the store no longer. */
  giveUp(): void {
    this.#workers.clear();
  }

  async #session(signal: AbortSignal): Promise<void> {
    const { processorId, partitions, logger } = this.#options;
    const client = await this.#options.connect();
    const ownership = new Ownership(client, { processorId, partitions, logger });
    try {
      await ownership.join();
      failpoint('ownership.joined');
      let idleMs = Date.now();
      while (!signal.aborted) {
        await this.#balance(ownership);
        if (Date.now() - idleMs >= IDLE_MS) {
          await this.flushIdle();
          idleMs = Date.now();
        }
        await this.#endHung(ownership);
        await delay(BALANCE_MS, null, { signal }).catch(() => undefined);
      }
      await this.#leave(ownership);
    } finally {
      await endSession(client);
    }
  }

  async #balance(ownership: Ownership): Promise<void> {
    const { gained, surplus } = await ownership.balance();
    for (const partition of surplus) {
      await this.#stop(partition);
      await ownership.release(partition);
    }
    if (gained.length > 0) await this.#gain(gained);
    const owned = [...ownership.owned].sort((a, b) => a - b);
    if (gained.length + surplus.length > 0) {
      this.#options.logger.info({ owned, gained, released: surplus }, 'partitions');
      this.#options.metrics.owned(owned.length);
    }
    this.#options.onBalanced(true);
  }

  /** What the last owner left half done in the queue is not waited for: a new epoch sends it again (invariant 4). */
  async #gain(partitions: readonly number[]): Promise<void> {
    failpoint('ownership.gained');
    const { control, consumer } = this.#options;
    const epoch = await control.currentEpoch();
    for (const partition of partitions) {
      const worker = new PartitionWorker(partition, this.#options.partition);
      this.#workers.set(partition, worker);
      await consumer.start(partition, (batch) => this.#handle(worker, batch));
    }
    await control.requestEpoch(epoch, `ownership: partitions ${partitions.join(', ')} have a new owner`);
    failpoint('epoch.requested');
  }

  /** Never throws for what time heals; what else is thrown is a bug, and ends the process. */
  async #handle(worker: PartitionWorker, batch: Batch): Promise<BatchReport> {
    while (this.#workers.get(worker.partition) === worker) {
      try {
        const done = await worker.handle(batch);
        this.#options.metrics.batch(batch, done);
        return done;
      } catch (error) {
        if (!isTransient(error)) throw error;
        this.#options.logger.warn({ err: error, partition: worker.partition }, 'a batch waits for the store');
        worker.forget();
        await delay(RETRY_MS);
      }
    }
    return report('lost');
  }

  async #stop(partition: number): Promise<void> {
    await this.#options.consumer.stop(partition);
    await this.#workers.get(partition)?.flushIdle();
    this.#workers.delete(partition);
  }

  async #leave(ownership: Ownership): Promise<void> {
    await Promise.all([...ownership.owned].map((partition) => this.#stop(partition)));
    for (const partition of [...ownership.owned]) await ownership.release(partition);
  }

  /** The locks are gone with their session: another may own the partitions already. */
  async #letGo(): Promise<void> {
    const partitions = [...this.#workers.keys()];
    this.#workers.clear();
    this.#options.onBalanced(false);
    await Promise.all(partitions.map((partition) => this.#options.consumer.stop(partition)));
  }

  /** A partition of another process with work in the queue that has not moved for 15 s: its owner hangs. */
  async #endHung(ownership: Ownership): Promise<void> {
    if (ownership.owned.size === this.#options.partitions) return;
    const { positions } = await this.#options.control.progress();
    const suspects = this.#hung.suspects(positions, Date.now()).filter((p) => !ownership.owned.has(p));
    if (suspects.length === 0) return;
    // A queue that does not answer does not say who hangs: it keeps everybody waiting.
    const depths = await this.#options.queue.depths().catch(() => []);
    for (const partition of suspects) {
      const hasWork = (depths[partition] ?? 0) > 0;
      if (this.#hung.hangs(partition, hasWork, Date.now())) await ownership.endHolder(partition);
    }
  }
}
