import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { failpoint } from '../failpoint.ts';
import { advanceIdle } from '../store/advance-idle.ts';
import { type CommitOutcome, commitBatch, type PartitionOutcome } from '../store/commit.ts';
import { classify } from '../store/fault.ts';
import type { PartitionCommit, Writer } from '../store/partition-commit.ts';
import { endSession } from '../store/session.ts';

export type CommitResult = PartitionOutcome | { readonly kind: 'abandoned' };

interface Waiting {
  readonly commit: PartitionCommit;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
}

export interface CommitterOptions {
  readonly connect: () => Promise<Client>;
  readonly writer: Writer;
  readonly logger: Logger;
  readonly onCommit: (seconds: number, committed: readonly PartitionCommit[]) => void;
}

const MAX_PAUSE_MS = 2_000;

/**
 * The commits of all partitions of this process, one transaction at a time: while one is under way the next ones
 * gather, so that the busier the process is, the more partitions share a transaction.
 *
 * It asks again until PostgreSQL answers, however long that takes, or until the process gives up its partitions.
 */
export class Committer {
  readonly #options: CommitterOptions;
  #waiting: Waiting[] = [];
  #client: Client | null = null;
  #running: Promise<void> | null = null;
  readonly #stopped = new AbortController();

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  submit(commit: PartitionCommit): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, resolve, reject });
      this.#running ??= this.#run().finally(() => {
        this.#running = null;
      });
    });
  }

  /** What the store does not take now is abandoned. */
  giveUp(): void {
    this.#stopped.abort();
  }

  async close(): Promise<void> {
    this.giveUp();
    await this.#running;
    if (this.#client !== null) await endSession(this.#client);
    this.#client = null;
  }

  async #run(): Promise<void> {
    // A turn of the event loop lets the other partitions' folds join.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#commit(this.#takeGroup());
  }

  /** The first of each partition: what is settled by partition must not be in a transaction twice. */
  #takeGroup(): readonly Waiting[] {
    const group = new Map<number, Waiting>();
    const later: Waiting[] = [];
    for (const one of this.#waiting) {
      if (group.has(one.commit.partition)) later.push(one);
      else group.set(one.commit.partition, one);
    }
    this.#waiting = later;
    return [...group.values()];
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      try {
        const started = performance.now();
        this.#client ??= await this.#options.connect();
        const outcome = await this.#write(
          this.#client,
          group.map(({ commit }) => commit),
        );
        this.#options.onCommit(
          (performance.now() - started) / 1_000,
          group.map(({ commit }) => commit).filter((c) => outcome.get(c.partition)?.kind === 'committed'),
        );
        for (const { commit, resolve } of group) resolve(outcome.get(commit.partition) ?? ABANDONED);
        return;
      } catch (error) {
        if (!(await this.#mayRetry(error, pauseMs))) {
          settle(group, error, this.#stopped.signal.aborted);
          return;
        }
      }
    }
  }

  /** Where only time has moved one statement is enough; commitBatch says who has been where that did not match. */
  async #write(client: Client, commits: readonly PartitionCommit[]): Promise<CommitOutcome> {
    const { writer } = this.#options;
    if (!commits.every(({ idle }) => idle)) {
      const outcome = await commitBatch(client, commits, writer);
      failpoint('commit.after');
      return outcome;
    }
    const moved = await advanceIdle(
      client,
      commits.toSorted((a, b) => a.partition - b.partition),
      writer,
    );
    failpoint('idle.advanced');
    const others = await commitBatch(
      client,
      commits.filter(({ partition }) => !moved.has(partition)),
      writer,
    );
    return new Map([...[...moved].map((partition) => [partition, MOVED] as const), ...others]);
  }

  async #mayRetry(error: unknown, pauseMs: number): Promise<boolean> {
    const fault = classify(error);
    if (fault.connectionLost) {
      if (this.#client !== null) void endSession(this.#client);
      this.#client = null;
    }
    if (fault.kind !== 'retry' || this.#stopped.signal.aborted) return false;
    this.#options.logger.warn({ err: error, code: fault.code }, 'a commit waits for the store');
    await delay(pauseMs, null, { signal: this.#stopped.signal }).catch(() => undefined);
    return !this.#stopped.signal.aborted;
  }
}

const MOVED: PartitionOutcome = { kind: 'committed', alerts: 0, deadLetters: 0 };
const ABANDONED = { kind: 'abandoned' } as const;

function settle(group: readonly Waiting[], error: unknown, stopped: boolean): void {
  for (const { resolve, reject } of group) {
    if (stopped) resolve(ABANDONED);
    else reject(error);
  }
}
