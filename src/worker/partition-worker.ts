import type { Logger } from 'pino';
import { fold } from '../engine/fold.ts';
import { noOutputs, writesNothing } from '../engine/outputs.ts';
import { PartitionState } from '../engine/partition-state.ts';
import { type Batch, decodeRow, type EncodedRow } from '../events/batch.ts';
import type { PositionText } from '../events/position.ts';
import { placeOf, type Row } from '../events/row.ts';
import { failpoint } from '../failpoint.ts';
import type { BatchReport } from '../queue/queue.ts';
import type { Plan } from '../rules/plan.ts';
import type { Lists } from '../rules/plan-parts.ts';
import type { ControlStore } from '../store/control.ts';
import { classify } from '../store/fault.ts';
import type { PartitionCommit } from '../store/partition-commit.ts';
import { encodeSegment } from '../store/segments.ts';
import type { CommitResult } from './committer.ts';
import { report } from './report.ts';
import { LogOutdated, type StateLog } from './state-log.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

export interface PartitionDeps {
  readonly openLog: (partition: number) => Promise<StateLog>;
  readonly plans: { get(version: string): Promise<Plan> };
  readonly lists: { at(plan: Plan, revision: number): Promise<Lists> };
  readonly commit: (commit: PartitionCommit) => Promise<CommitResult>;
  readonly control: Pick<ControlStore, 'currentEpoch' | 'requestEpoch'>;
  readonly metrics: WorkerMetrics;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'debug'>;
}

/** Keys of which nothing may be left, looked at after each batch. */
const SWEEP_KEYS = 64;

/** What is known of the partition while this process owns it; thrown away whenever a commit did not go through. */
interface Open {
  readonly log: StateLog;
  /** null: no batch has been applied yet. One that is not applied may be of rules that are no longer in force here. */
  state: PartitionState | null;
  epoch: number;
  /** In the store. */
  committed: PositionText;
  /** As far as has been folded: beyond `committed` only by time in which nothing happened. */
  position: PositionText;
}

/**
 * A partition: takes batches one at a time, folds the part above its position, commits. What it holds in memory is
 * a cache of the store, so whenever it is in doubt it forgets everything and reads again.
 *
 * A crash here can leave a batch folded in memory or committed in whole, never half of it.
 */
export class PartitionWorker {
  readonly partition: number;
  readonly #deps: PartitionDeps;
  #open: Open | null = null;
  /** Batches, idle moves and compaction of a partition never overlap. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(partition: number, deps: PartitionDeps) {
    this.partition = partition;
    this.#deps = deps;
  }

  handle(batch: Batch): Promise<BatchReport> {
    return this.#alone(() => this.#take(batch));
  }

  /** Writes down that time has moved although nothing happened. */
  flushIdle(): Promise<void> {
    return this.#alone(async () => {
      const open = this.#open;
      if (open === null || open.state === null || open.position === open.committed) return;
      await this.#commit(open, open.state, {
        to: open.position,
        idle: true,
        segment: null,
        delta: NOTHING,
        outputs: noOutputs(),
      });
    });
  }

  /** What is in memory is not to be trusted any more. */
  forget(): void {
    this.#open = null;
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work);
    this.#tail = done.catch(() => undefined);
    return done;
  }

  async #take(batch: Batch): Promise<BatchReport> {
    this.#open ??= await this.#load();
    if (batch.epoch > this.#open.epoch) this.#open = await this.#renewed(this.#open);
    const open = this.#open;
    if (batch.epoch < open.epoch) return report('stale-epoch');
    if (batch.to <= open.position) return report('no-op');
    if (batch.from > open.position) return this.#gap(batch, open);
    return this.#apply(batch, open);
  }

  async #load(): Promise<Open> {
    const log = await this.#deps.openLog(this.partition);
    const { epoch, position } = log;
    return { log, epoch, position, committed: position, state: null };
  }

  /** In a new epoch what is in memory holds, unless the partitions were re-sharded before it. */
  async #renewed(open: Open): Promise<Open> {
    const epoch = await this.#deps.control.currentEpoch();
    if (!(await open.log.isCurrent())) return this.#load();
    open.epoch = epoch;
    return open;
  }

  /** The state under the batch's rules, which are those in force from the partition's position on. */
  async #stateFor(rules: string, open: Open): Promise<PartitionState> {
    if (open.state?.plan.version === rules) return open.state;
    const plan = await this.#deps.plans.get(rules);
    if (open.state !== null) {
      open.state.setPlan(plan);
      this.#deps.metrics.partials(this.partition, open.state.stats().partials);
      return open.state;
    }
    const state = new PartitionState(plan);
    // Deadlines come also where no row does, and rules that lack a pattern end what waits for it: all of it is in memory.
    await open.log.install(state, open.log.waiting());
    open.state = state;
    return state;
  }

  async #gap(batch: Batch, open: Open): Promise<BatchReport> {
    const why = `gap: partition ${this.partition} stands at ${open.position}, the batch begins at ${batch.from}`;
    this.#deps.logger.warn({ partition: this.partition, from: batch.from, position: open.position }, why);
    // Another may have moved the partition: then the next epoch begins above this position, and so would each after it.
    this.forget();
    await this.#deps.control.requestEpoch(batch.epoch, why);
    return report('gap');
  }

  async #apply(batch: Batch, open: Open): Promise<BatchReport> {
    const state = await this.#stateFor(batch.rules, open);
    const { plan } = state;
    const lists = await this.#deps.lists.at(plan, batch.lists);
    const rows = rowsAbove(batch, { plan, position: open.position });
    const needed = state.neededBuckets(rows);
    if (needed.length > 0) await open.log.install(state, needed);
    const { outputs, delta } = fold(plan, state, {
      rows,
      watermarks: batch.watermarks.map((watermark) => watermark ?? -Infinity),
      commitAt: batch.commitAt,
      lists,
    });
    failpoint('fold.done');
    // Time that has moved may have ended partial matches; where it has not, nothing is written.
    if (rows.length === 0 && delta.size === 0 && writesNothing(outputs)) {
      open.position = batch.to;
      return report('committed');
    }
    const segment = delta.size === 0 ? null : encodeSegment(delta);
    const done = await this.#commit(open, state, { to: batch.to, idle: false, segment, delta, outputs });
    if (done.outcome === 'committed') this.#measure(batch, outputs);
    if (plan.patterns.length > 0) this.#deps.metrics.partials(this.partition, state.stats().partials);
    return done;
  }

  async #commit(open: Open, state: PartitionState, what: Change): Promise<BatchReport> {
    const result = await this.#deps.commit({
      partition: this.partition,
      epoch: open.epoch,
      expected: open.committed,
      to: what.to,
      idle: what.idle,
      generation: open.log.generation,
      segment: what.segment,
      outputs: what.outputs,
      rulesVersion: state.plan.version,
      scoring: state.plan.scoring,
      aggregates: state.plan.aggregates,
    });
    switch (result.kind) {
      case 'committed':
        open.committed = what.to;
        open.position = what.to;
        open.log.committed({
          to: what.to,
          epoch: open.epoch,
          buckets: what.delta.keys(),
          bytes: what.segment?.length ?? 0,
        });
        for (const { rule, severity } of result.bandAlerts ?? []) this.#deps.metrics.alert(rule, severity);
        await this.#tidy(open.log, state);
        return { ...report('committed'), hits: hitsOf(what.outputs), ...counts(result) };
      case 'fenced':
        this.forget();
        return report(result.reason === 'epoch' ? 'stale-epoch' : 'lost');
      case 'abandoned':
        this.forget();
        return report('lost');
    }
  }

  /** The batch is committed whatever becomes of this: what fails here is read again from the store. */
  async #tidy(log: StateLog, state: PartitionState): Promise<void> {
    state.sweep(SWEEP_KEYS);
    try {
      await log.tidy(state);
    } catch (error) {
      if (!isTransient(error)) throw error;
      this.#deps.logger.warn({ err: error, partition: this.partition }, 'compaction is put off');
      this.forget();
    }
  }

  #evicted(pattern: string, partials: number): void {
    this.#deps.metrics.evicted(pattern, partials);
    this.#warnOnce(
      { pattern },
      'a key has more partial matches than are kept: the oldest are dropped, and matches may be missing',
    );
  }

  #listCut(rule: string, rows: number): void {
    this.#deps.metrics.listCut(rule, rows);
    this.#warnOnce({ rule }, "a window's list has more values than it may hold: the newest are in it");
  }

  #warnOnce(of: Readonly<Record<string, string>>, message: string): void {
    const [name = ''] = Object.values(of);
    if (toldOf.has(name)) return;
    toldOf.add(name);
    this.#deps.logger.warn(of, message);
  }

  #measure(batch: Batch, outputs: PartitionCommit['outputs']): void {
    const { metrics } = this.#deps;
    for (const hit of outputs.hits) metrics.hit(hit.rule, hit.mode);
    for (const { kind, pattern, mode } of outputs.matches)
      if (kind === 'match') metrics.hit(pattern, mode);
      else metrics.timedOut(pattern, mode);
    for (const { pattern, partials } of outputs.evicted) this.#evicted(pattern, partials);
    for (const { rule, rows } of outputs.cutLists) this.#listCut(rule, rows);
    for (const alert of outputs.alerts) metrics.alert(alert.rule, alert.severity);
    for (const letter of outputs.deadLetters) metrics.deadLetter(letter.rule);
    for (const late of outputs.late) metrics.late(late.event);
    const now = Date.now() * 1_000;
    for (const [, commitAt] of batch.transactions) metrics.commitToEffect(Math.max(0, now - commitAt) / 1e6);
  }
}

/** Rules and patterns, which share no id. Said once a process: the metric says how many. */
const toldOf = new Set<string>();

interface Change {
  readonly to: PositionText;
  readonly idle: boolean;
  readonly segment: string | null;
  readonly delta: ReadonlyMap<number, string>;
  readonly outputs: PartitionCommit['outputs'];
}

const NOTHING: ReadonlyMap<number, string> = new Map();
/** What time heals: the store is away, or another owner has moved the partition. */
export function isTransient(error: unknown): boolean {
  return error instanceof LogOutdated || classify(error).kind === 'retry';
}

function rowsAbove(batch: Batch, { plan, position }: { plan: Plan; position: PositionText }): Row[] {
  const width = (table: number): number => plan.tables[table]?.columns.length ?? 0;
  const rows = batch.events.map((event) => decodeRow(event as EncodedRow, batch, width));
  return batch.from === position ? rows : rows.filter((row) => placeOf(row) > position);
}

function hitsOf({ hits, matches }: PartitionCommit['outputs']): number {
  return hits.length + matches.filter(({ kind }) => kind === 'match').length;
}

function counts(
  result: Extract<CommitResult, { kind: 'committed' }>,
): Pick<BatchReport, 'alerts' | 'deadLetters'> {
  return { alerts: result.alerts, deadLetters: result.deadLetters };
}
