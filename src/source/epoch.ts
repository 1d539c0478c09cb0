import { WeirError } from '../errors.ts';
import type { Batch } from '../events/batch.ts';
import { formatLsn, type PositionText } from '../events/position.ts';
import type { Plan } from '../rules/plan.ts';
import type { ControlStore } from '../store/control.ts';
import type { RuleSets } from '../store/rule-sets.ts';
import { AckPoints } from './ack-points.ts';
import { Acknowledger } from './acknowledger.ts';
import { askedLetters } from './asked-letters.ts';
import { Batcher } from './batcher.ts';
import type { ReplicationConnection } from './connection.ts';
import { asFault, Fault } from './fault.ts';
import { heartbeat } from './heartbeat.ts';
import { InFlight } from './in-flight.ts';
import { Linger } from './linger.ts';
import { ListAnnouncements } from './list-announcements.ts';
import type { Ownerless } from './liveness.ts';
import { streamPublications } from './publications.ts';
import { Sender } from './sender.ts';
import type { SourceOptions, SourceState } from './source-options.ts';
import { TransactionReader } from './transaction-reader.ts';

const DRAIN_MS = 30_000;
/** One that is worked on and one that waits: more would only be smaller. */
const BATCHES_ON_THEIR_WAY = 2;

/** A partition has committed up to and with `to`. */
export interface Moved {
  readonly partition: number;
  readonly to: PositionText;
}
const PAUSE_SHOWN_MS = 1_000;

type Raised = Awaited<ReturnType<ControlStore['raiseEpoch']>>;

interface EpochOptions {
  readonly source: SourceOptions;
  readonly rules: RuleSets;
  /** It outlives epochs: one that ends changes nothing about who owns what. */
  readonly ownerless: Ownerless;
  readonly connection: ReplicationConnection;
  readonly raised: Raised;
  readonly plan: Plan;
  /** What the connection was opened with. */
  readonly publications: readonly string[];
  readonly onState: (state: SourceState, detail: string) => void;
  readonly onOwnerless: (partitions: readonly number[]) => void;
}

/**
 * One epoch: from the last acknowledgement to the first fault, or to a drain. Reading, sending, acknowledging and the
 * heartbeat run beside each other; whichever fails first ends all of them.
 */
export class Epoch {
  readonly #options: EpochOptions;
  readonly #abort = new AbortController();
  readonly #inFlight: InFlight;
  readonly #points: AckPoints;
  readonly #batcher: Batcher;
  readonly #reader: TransactionReader;
  readonly #lists: ListAnnouncements;
  readonly #sender: Sender;
  readonly #linger: Linger;
  readonly #acknowledger: Acknowledger;
  #paused = false;
  #pauseShown: NodeJS.Timeout | null = null;
  #drainEnds: NodeJS.Timeout | null = null;
  /** When the last heartbeat that was read back had been sent. */
  #beatMs: number | null = null;
  #draining = false;

  constructor(options: EpochOptions) {
    this.#options = options;
    const { source, raised, plan, connection } = options;
    const { epoch, ack, positions } = raised;
    this.#inFlight = new InFlight(source.budget, positions, Date.now());
    this.#points = new AckPoints(ack.lsn);
    this.#batcher = new Batcher(
      {
        epoch,
        positions,
        acknowledged: ack.lsn,
        rows: source.config.batch.rows,
        bytes: source.config.batch.bytes,
        commitAt: ack.times.commitAt,
        time: () => this.#time(),
        onBatch: (batch) => this.#onBatch(batch),
      },
      { rules: plan.version, lists: ack.lists },
    );
    this.#lists = new ListAnnouncements({ ...source, signal: this.#abort.signal });
    this.#reader = this.#makeReader(options);
    this.#sender = new Sender(source.producer, (batches) => this.#onSent(batches));
    this.#linger = new Linger({
      lingerMs: source.config.batch.lingerMs,
      rows: () => this.#batcher.rows,
      flush: (all) =>
        this.#batcher.flush((partition) => all || this.#inFlight.count(partition) < BATCHES_ON_THEIR_WAY),
    });
    this.#acknowledger = new Acknowledger({
      ...{ epoch, control: source.control, producer: source.producer, connection },
      ...{ inFlight: this.#inFlight, points: this.#points, onProgress: () => this.#onProgress() },
      ...{ ownerless: options.ownerless, onOwnerless: options.onOwnerless },
    });
  }

  /** Resolves after a drain, or where new rules need a new connection; throws the fault that ended it. */
  async run(): Promise<'drained' | 'other-publications'> {
    const { signal } = this.#abort;
    const { config } = this.#options.source;
    const beat = {
      ...{ databaseUrl: config.databaseUrl, slot: config.slot, everyMs: config.heartbeatMs, signal },
      announcement: () => this.#lists.unannounced(this.#reader.lists),
      onRefused: (error: Error) =>
        this.#options.source.logger.warn({ reason: error.message }, 'no heartbeat'),
    };
    const tasks = [
      this.#read(),
      this.#sender.run(signal).catch((error) => Promise.reject(queueFault(error))),
      this.#acknowledger.run(signal),
      heartbeat(beat),
    ];
    try {
      await Promise.all(tasks);
      return this.#draining ? 'drained' : 'other-publications';
    } catch (error) {
      throw error instanceof WeirError ? error : asFault(error);
    } finally {
      this.#stop();
      await Promise.allSettled(tasks);
    }
  }

  /** Reads to the end of the transaction at hand, has everything committed and acknowledged; `run` then resolves. */
  drain(): void {
    this.#draining = true;
    const { drainMs = DRAIN_MS } = this.#options.source;
    this.#drainEnds = setTimeout(() => this.#giveUp(), drainMs);
    this.#reader.stopAtCommit = true;
    this.#inFlight.wake();
    this.#options.connection.interrupt();
  }

  /** Workers that are away do not keep a drain from ending. */
  #giveUp(): void {
    const { logger } = this.#options.source;
    const batches = this.#inFlight.batches;
    logger.warn({ batches }, 'drain: not all was committed in time; the next start replays the rest');
    this.#stop();
  }

  async #read(): Promise<void> {
    const { connection } = this.#options;
    while (!this.#reader.stopped && !this.#abort.signal.aborted) {
      await this.#room();
      const received = await connection.take();
      if (received === null) {
        if (this.#abort.signal.aborted) return;
        throw new Fault('connection', 'the replication stream has ended');
      }
      await this.#reader.read(received);
      // An epoch that has ended closes no more batches: the byte budget is the next one's.
      if (!this.#abort.signal.aborted) this.#linger.touch();
    }
    if (this.#reader.stopped) await this.#finish();
  }

  /** Not to take from the connection is what pauses its socket. */
  async #room(): Promise<void> {
    while (this.#inFlight.full && !this.#abort.signal.aborted && !this.#reader.stopped) {
      if (!this.#paused) this.#setPaused(true);
      await this.#inFlight.room();
    }
    if (this.#paused) this.#setPaused(false);
  }

  async #finish(): Promise<void> {
    const { source, onState } = this.#options;
    if (this.#draining) onState('draining', `up to ${formatLsn(this.#reader.lastCommitLsn)}`);
    this.#linger.stop();
    this.#batcher.closeAll();
    // Also where the partitions were ahead already, so that no batch was left to close.
    this.#points.add(this.#reader.lastCommit);
    await this.#sender.idle();
    const waitMs = source.drainMs ?? DRAIN_MS;
    const done = await this.#acknowledger.finish(waitMs, this.#abort.signal);
    if (!done && !this.#draining) {
      const batches = this.#inFlight.batches;
      const why = `new rules need another connection, but ${batches} batches stay uncommitted`;
      throw new Fault('connection', why);
    }
    this.#stop();
  }

  #stop(): void {
    this.#abort.abort();
    this.#linger.stop();
    if (this.#pauseShown !== null) clearTimeout(this.#pauseShown);
    if (this.#drainEnds !== null) clearTimeout(this.#drainEnds);
    this.#inFlight.wake();
    this.#options.connection.interrupt();
  }

  #onBatch(batch: Batch): void {
    if (this.#reader.lastCommitLsn > this.#points.last) this.#points.add(this.#reader.lastCommit);
    this.#inFlight.add(batch, Date.now());
    this.#sender.push(batch);
  }

  #onSent(batches: readonly Batch[]): void {
    const counts = new Map<number, number>();
    for (const { partition } of batches) counts.set(partition, (counts.get(partition) ?? 0) + 1);
    for (const [partition, count] of counts) this.#options.source.metrics.sent(partition, count);
  }

  #time() {
    const { clock } = this.#reader;
    return { commitAt: clock.commitAt, watermarks: clock.watermarks() };
  }

  #makeReader({ source, raised, plan, publications }: EpochOptions): TransactionReader {
    return new TransactionReader(plan, {
      slot: source.config.slot,
      partitions: raised.positions.length,
      acknowledged: raised.ack.lsn,
      times: raised.ack.times,
      lists: raised.ack.lists,
      batcher: this.#batcher,
      loadRules: (version) => this.#announced(version),
      loadLetters: async (ids, inForce) =>
        askedLetters(await source.control.letters(ids), inForce, (letter, why) =>
          source.logger.warn({ letter }, `a dead letter stays as it is: ${why}`),
        ),
      loadLists: (token, xid) => this.#lists.named(token, xid),
      needsOtherPublications: (next) =>
        streamPublications(source.config.slot, next).some((name) => !publications.includes(name)),
      onHeartbeat: (sentAtMs) => {
        this.#beatMs = sentAtMs;
        source.metrics.lag({ seconds: Math.max(0, Date.now() - sentAtMs) / 1000 });
      },
      onRows: (event, count) => source.metrics.rows(event, count),
    });
  }

  /** Any role can emit a message, so a version that the store does not know is ignored. */
  async #announced(version: string): Promise<Plan | null> {
    const { rules, source } = this.#options;
    const plan = await rules.find(version);
    if (plan !== null) source.logger.info({ version }, 'rules switched');
    else source.logger.warn({ version }, 'a message announces rules that the store does not have: ignored');
    return plan;
  }

  /** Backpressure is everyday: only a pause that lasts is a state to tell of. */
  #setPaused(paused: boolean): void {
    this.#paused = paused;
    const { source, onState } = this.#options;
    source.metrics.paused(paused);
    if (paused) this.#pauseShown = setTimeout(() => this.#showPause(), PAUSE_SHOWN_MS);
    else {
      if (this.#pauseShown !== null) clearTimeout(this.#pauseShown);
      onState('streaming', `at ${formatLsn(this.#reader.lastCommitLsn)}`);
    }
  }

  #showPause(): void {
    const { onState } = this.#options;
    onState('paused', `${this.#inFlight.bytes} bytes are not yet committed by the workers`);
  }

  /** A worker of this process has committed: the source need not look for it. */
  committed(moves: readonly Moved[]): void {
    for (const { partition, to } of moves) this.#inFlight.committed(partition, to, Date.now());
    this.#linger.room();
  }

  #onProgress(): void {
    this.#linger.room();
    this.#measure();
  }

  #measure(): void {
    const { source, connection } = this.#options;
    source.metrics.inFlight(this.#inFlight.bytes);
    const lsn = this.#reader.lastCommitLsn;
    if (connection.walEnd > lsn) source.metrics.lag({ bytes: Number(connection.walEnd - lsn) });
    if (this.#beatMs === null) return;
    // A heartbeat that is overdue says how far behind the stream is; one that was on time has said so itself.
    const overdueMs = Date.now() - this.#beatMs - source.config.heartbeatMs;
    if (overdueMs > source.config.heartbeatMs) source.metrics.lag({ seconds: overdueMs / 1000 });
  }
}

function queueFault(error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error);
  return new Fault('queue', `the queue refused batches: ${message}`, error);
}
