import { closing, formatLsn, type Lsn } from '../../src/events/position.ts';
import type { BatchReport } from '../../src/queue/queue.ts';
import { stalled } from '../../src/source/liveness.ts';
import { type Bug, Violation } from './bug.ts';
import { Queue } from './model/queue.ts';
import { Source } from './model/source.ts';
import { Store } from './model/store.ts';
import { Wal } from './model/wal.ts';
import { type Pace, WorkerProcess } from './model/worker-process.ts';
import { describeStep, MOST_PARTITIONS, PARTITIONS, PROCESSES, type Step } from './schedule.ts';

const ALL: Pace = { gates: 1_000, fault: 'none', group: false };

/** One Weir with everything around it, and what happens to it. */
export class World {
  readonly wal = new Wal(() => this.store.effects.letterIds);
  readonly store: Store;
  readonly queue = new Queue(MOST_PARTITIONS);
  /** What has become of batches. */
  readonly outcomes = new Set<BatchReport['outcome']>();
  source: Source | null = null;
  readonly #processes: WorkerProcess[];
  #oldSource: Source | null = null;
  #born = 0;
  readonly #journal: ((line: string) => void) | null;

  /** `journal` is told what came of each step. */
  constructor(bug: Bug | null, journal: ((line: string) => void) | null = null) {
    this.store = new Store(PARTITIONS, bug);
    this.#journal = journal;
    this.#processes = Array.from({ length: PROCESSES }, () => this.#newProcess());
  }

  process(number: number): WorkerProcess {
    return this.#processes[number] as WorkerProcess;
  }

  async take(step: Step): Promise<void> {
    this.#journal?.(`- ${describeStep(step)}`);
    await this.#take(step);
    this.check();
  }

  async #take(step: Step): Promise<void> {
    switch (step.step) {
      case 'commit': {
        const transaction = this.wal.commit(step.afterMs, step.rows);
        this.source?.receive(transaction.changes);
        return;
      }
      case 'read':
        return this.source?.read(step.messages);
      case 'flush':
        return this.source?.flush();
      case 'send':
        return this.source?.send(step.batches);
      case 'fill':
        return this.#fill(step.messages);
      case 'flow':
        await this.#fill(step.messages);
        await this.workOff(() => step.process);
        if (!step.rest) return;
        for (let partition = 0; partition < this.store.partitions; partition++) {
          await this.#idle({ ...ALL, step: 'idle', partition, process: step.process });
        }
        return this.poll();
      case 'deliver':
        return this.#deliver(step);
      case 'go on':
        return this.process(step.process).go(step.partition, step);
      case 'idle':
        return this.#idle(step);
      case 'poll':
        return this.poll(step.crash);
      case 'source dies':
        return this.#sourceDies('killed');
      case 'source begins':
        return this.begin(step.dies);
      case 'old source':
        return this.#wakeOldSource(step.does);
      case 'worker dies':
        return this.#workerDies(step);
      case 'FLUSHALL':
        return this.queue.empty();
      case 're-shard':
        return this.#reshard(step.partitions);
      case 'audit':
        return this.audit(step.process, step.partition);
    }
  }

  async #fill(messages: number): Promise<void> {
    await this.source?.read(messages);
    this.source?.flush();
    this.source?.send(Infinity);
  }

  async begin(dies: 'never' | 'before the queue is empty' | 'after' = 'never'): Promise<void> {
    if (this.source !== null) this.#sourceDies('replaced');
    this.source = await Source.begin(this, dies);
    this.#journal?.(`  epoch ${this.store.epoch} from ${formatLsn(this.store.ack.lsn)}`);
  }

  async poll(crash: Extract<Step, { step: 'poll' }>['crash'] = 'never'): Promise<void> {
    const why = (await this.source?.poll(crash)) ?? null;
    if (why !== null) this.#sourceDies(why);
  }

  #reshard(partitions: number): void {
    if (partitions !== this.store.partitions && this.store.reshard(partitions))
      this.#sourceDies('re-sharded');
  }

  #sourceDies(why: string): void {
    if (this.source === null) return;
    this.#journal?.(`  the source ends: ${why}`);
    this.#oldSource = this.source;
    this.source = null;
  }

  async #wakeOldSource(does: 'send' | 'acknowledge'): Promise<void> {
    // Its connection is gone: what it may still reach is the queue and the store.
    if (does === 'send') this.#oldSource?.send(Infinity);
    else await this.#oldSource?.acknowledge('after the record');
  }

  async #deliver({
    partition,
    process,
    nth,
    copy,
    ...pace
  }: Extract<Step, { step: 'deliver' }>): Promise<void> {
    const worker = this.process(process);
    if (worker.isBusy(partition)) return;
    const batch = this.queue.take(partition, nth, copy);
    if (batch === null) return;
    worker.handle(batch);
    await worker.go(partition, pace);
  }

  async #idle({ partition, process, ...pace }: Extract<Step, { step: 'idle' }>): Promise<void> {
    const worker = this.process(process);
    if (worker.isBusy(partition)) return;
    worker.flushIdle(partition);
    await worker.go(partition, pace);
  }

  #workerDies({ process, jobs, asks }: Extract<Step, { step: 'worker dies' }>): Promise<void> | void {
    const atHand = this.process(process).die();
    if (jobs !== 'lost') for (const batch of atHand) this.queue.putBack(batch, jobs === 'first');
    this.#processes[process] = this.#newProcess();
    if (asks) return this.store.requestEpoch(this.store.epoch, 'ownership: partitions have a new owner');
  }

  #newProcess(): WorkerProcess {
    const owner = `worker ${++this.#born}`;
    return new WorkerProcess(this, owner, (partition, outcome) => {
      this.outcomes.add(outcome);
      this.#journal?.(
        `  partition ${partition}: ${owner}: ${outcome}, stands at ${this.store.positions[partition]}`,
      );
    });
  }

  /** Everything at hand is done, then everything in the queue, by the process that is named for each partition. */
  async workOff(processOf: (partition: number) => number): Promise<void> {
    for (let partition = 0; partition < this.store.partitions; partition++) {
      const worker = this.process(processOf(partition));
      await worker.go(partition, ALL);
      for (;;) {
        const batch = this.queue.take(partition, 0, false);
        if (batch === null) break;
        worker.handle(batch);
        await worker.go(partition, ALL);
      }
    }
  }

  /** Whatever waits at a gate goes on; then idle time is written down. */
  async finishWork(): Promise<void> {
    for (const worker of this.#processes) {
      for (const partition of worker.busy) await worker.go(partition, ALL);
    }
  }

  async flushIdle(): Promise<void> {
    for (const worker of this.#processes) {
      for (let partition = 0; partition < this.store.partitions; partition++) {
        worker.flushIdle(partition);
        await worker.go(partition, ALL);
      }
    }
  }

  async audit(process: number, partition: number): Promise<void> {
    const worker = this.process(process);
    if (!worker.isBusy(partition)) await worker.kept(partition)?.audit();
  }

  /** What holds after every step. That no position goes back is checked where it moves. */
  check(): void {
    for (const { bug } of this.#processes) if (bug !== null) throw bug;
    const [least = ''] = this.store.positions.toSorted();
    const acknowledged = closing((this.wal.confirmed - 1n) as Lsn);
    if (acknowledged > least) {
      throw new Violation(
        `the slot is acknowledged up to ${acknowledged}, and a partition stands at ${least}`,
      );
    }
    if (closing(this.store.ack.lsn) > least) {
      throw new Violation(`${formatLsn(this.store.ack.lsn)} is recorded, and a partition stands at ${least}`);
    }
  }

  /** Why a new epoch is due, by the source's own rule. */
  stalled(source: Source): string | null {
    return stalled({
      nowMs: 10_000,
      movedMs: 0,
      batches: source.inFlight.depths,
      queued: this.queue.depths().slice(0, this.store.partitions),
    });
  }
}
