import type { Batch } from '../../../src/events/batch.ts';
import type { BatchReport } from '../../../src/queue/queue.ts';
import { ListSets } from '../../../src/store/list-sets.ts';
import type { PartitionCommit } from '../../../src/store/partition-commit.ts';
import type { CommitResult } from '../../../src/worker/committer.ts';
import { isTransient, PartitionWorker } from '../../../src/worker/partition-worker.ts';
import { report } from '../../../src/worker/report.ts';
import type { WorkerMetrics } from '../../../src/worker/worker-metrics.ts';
import { plans } from '../rules.ts';
import { KeptLog } from './kept-log.ts';
import type { ListBook } from './list-book.ts';
import type { Store } from './store.ts';
import type { Wal } from './wal.ts';

export type Fault = 'none' | 'connection lost' | 'answer lost';

/** How far a partition's work goes on before it rests again. */
export interface Pace {
  /** Meetings with the store that it gets through. */
  readonly gates: number;
  /** What becomes of the one after them. */
  readonly fault: Fault;
  /** A commit takes those of the other partitions of the process with it. */
  readonly group: boolean;
}

interface Waiting {
  readonly what: string;
  /** null: not a commit. */
  readonly commit: PartitionCommit | null;
  readonly go: (result: CommitResult) => void;
  readonly fail: (error: Error) => void;
}

interface Work {
  readonly worker: PartitionWorker;
  batch: Batch | null;
  busy: boolean;
  kept: KeptLog | null;
}

const SILENT = { info: () => undefined, warn: () => undefined, debug: () => undefined };
const UNMEASURED: WorkerMetrics = {
  batch: () => undefined,
  hit: () => undefined,
  timedOut: () => undefined,
  partials: () => undefined,
  evicted: () => undefined,
  listCut: () => undefined,
  alert: () => undefined,
  deadLetter: () => undefined,
  late: () => undefined,
  commitToEffect: () => undefined,
  commit: () => undefined,
  owned: () => undefined,
};

/**
 * A process with a real PartitionWorker for every partition, in place of src/worker/worker.ts and committer.ts.
 * Each meeting with the store waits at a gate until the schedule opens it.
 */
export class WorkerProcess {
  readonly #store: Store;
  readonly #book: ListBook;
  readonly #lists: ListSets;
  readonly #owner: string;
  readonly #onReport: (partition: number, outcome: BatchReport['outcome']) => void;
  readonly #work = new Map<number, Work>();
  readonly #waiting = new Map<number, Waiting>();
  /** What no worker may throw. */
  bug: unknown = null;
  #dead = false;

  constructor(
    { store, wal }: { readonly store: Store; readonly wal: Wal },
    owner: string,
    onReport: (partition: number, outcome: BatchReport['outcome']) => void,
  ) {
    this.#store = store;
    this.#book = wal.lists;
    this.#lists = new ListSets(wal.lists.log(() => store.ack.lists));
    this.#owner = owner;
    this.#onReport = onReport;
  }

  isBusy(partition: number): boolean {
    return this.#work.get(partition)?.busy === true;
  }

  get busy(): readonly number[] {
    return [...this.#work.keys()].filter((partition) => this.isBusy(partition));
  }

  kept(partition: number): KeptLog | null {
    return this.#work.get(partition)?.kept ?? null;
  }

  handle(batch: Batch): void {
    const work = this.#workOf(batch.partition);
    work.batch = batch;
    this.#run(work, async () => {
      const report = await this.#handle(work, batch);
      if (this.#dead) return;
      if (report.outcome === 'committed') work.kept?.folded(batch);
      // Folded, but not committed: the worker has thrown it away too.
      if (report.outcome === 'lost' || report.outcome === 'stale-epoch') work.kept = null;
      this.#onReport(batch.partition, report.outcome);
    });
  }

  /** As Worker.#handle: never throws for what time heals, and ends where its partition is gone. */
  async #handle(work: Work, batch: Batch): Promise<BatchReport> {
    while (batch.partition < this.#store.partitions) {
      try {
        return await work.worker.handle(batch);
      } catch (error) {
        if (!isTransient(error)) throw error;
        work.worker.forget();
        work.kept = null;
      }
    }
    return report('lost');
  }

  flushIdle(partition: number): void {
    const work = this.#workOf(partition);
    this.#run(work, () => work.worker.flushIdle());
  }

  #run(work: Work, run: () => Promise<void>): void {
    work.busy = true;
    run()
      .catch((error) => {
        this.bug ??= error;
      })
      .finally(() => {
        work.busy = false;
        work.batch = null;
      });
  }

  async go(partition: number, { gates, fault, group }: Pace): Promise<void> {
    await turn();
    for (let passed = 0; passed < gates && this.#waiting.has(partition); passed++) {
      this.#open(partition, group);
      await turn();
    }
    if (fault === 'none' || !this.#waiting.has(partition)) return;
    this.#fail(partition, fault);
    await turn();
  }

  /** Batches at hand die with it. */
  die(): readonly Batch[] {
    this.#dead = true;
    this.#waiting.clear();
    return [...this.#work.values()].flatMap(({ batch }) => batch ?? []);
  }

  #workOf(partition: number): Work {
    const known = this.#work.get(partition);
    if (known !== undefined) return known;
    const work: Work = { worker: this.#makeWorker(partition), batch: null, busy: false, kept: null };
    this.#work.set(partition, work);
    return work;
  }

  #makeWorker(partition: number): PartitionWorker {
    const gate = (what: string) => this.#gate(partition, what, null).then(() => undefined);
    return new PartitionWorker(partition, {
      openLog: async () => {
        const kept = await KeptLog.open(this.#store, partition, gate);
        this.#workOf(partition).kept = kept;
        return kept;
      },
      plans,
      lists: {
        at: async (plan, revision) => {
          await gate('the lists');
          return this.#lists.at(plan, this.#store.bug === 'newest lists' ? this.#book.revision : revision);
        },
      },
      commit: (commit) => this.#gate(partition, 'a commit', commit),
      control: {
        currentEpoch: () => gate('the epoch').then(() => this.#store.currentEpoch()),
        requestEpoch: (epoch, why) => gate('a request').then(() => this.#store.requestEpoch(epoch, why)),
      },
      metrics: UNMEASURED,
      logger: SILENT,
    });
  }

  #gate(partition: number, what: string, commit: PartitionCommit | null): Promise<CommitResult> {
    return new Promise((go, fail) => {
      if (!this.#dead) this.#waiting.set(partition, { what, commit, go, fail });
    });
  }

  #open(partition: number, group: boolean): void {
    const waiting = this.#waiting.get(partition) as Waiting;
    if (waiting.commit === null) {
      this.#waiting.delete(partition);
      waiting.go({ kind: 'abandoned' });
      return;
    }
    const gathered = this.#gathered(partition, group);
    const outcome = this.#store.commit(
      this.#owner,
      gathered.flatMap(({ commit }) => commit ?? []),
    );
    for (const { commit, go } of gathered) {
      this.#waiting.delete(commit?.partition ?? -1);
      go(outcome.get(commit?.partition ?? -1) ?? { kind: 'abandoned' });
    }
  }

  #gathered(partition: number, group: boolean): readonly Waiting[] {
    return [...this.#waiting]
      .filter(([other, { commit }]) => commit !== null && (group || other === partition))
      .map(([, waiting]) => waiting);
  }

  /** A commit is asked for again, as the Committer does, and so stays at its gate. */
  #fail(partition: number, fault: Exclude<Fault, 'none'>): void {
    const { commit, fail } = this.#waiting.get(partition) as Waiting;
    if (commit === null) {
      this.#waiting.delete(partition);
      fail(Object.assign(new Error('the connection is lost'), { code: 'ECONNRESET' }));
    } else if (fault === 'answer lost') {
      this.#store.commit(this.#owner, [commit]);
    }
  }
}

/** Everything that can go on without the store has gone on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
