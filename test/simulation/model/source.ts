import type { Batch } from '../../../src/events/batch.ts';
import type { Lsn } from '../../../src/events/position.ts';
import { ByteBudget } from '../../../src/queue/byte-budget.ts';
import type { Plan } from '../../../src/rules/plan.ts';
import { AckPoints } from '../../../src/source/ack-points.ts';
import { askedLetters } from '../../../src/source/asked-letters.ts';
import { Batcher } from '../../../src/source/batcher.ts';
import type { Change } from '../../../src/source/change.ts';
import { InFlight } from '../../../src/source/in-flight.ts';
import { TransactionReader } from '../../../src/source/transaction-reader.ts';
import type { Acknowledgement } from '../../../src/store/control.ts';
import { planOf } from '../rules.ts';
import type { Queue } from './queue.ts';
import type { Store } from './store.ts';
import { SLOT, sizesOf, type Wal } from './wal.ts';

interface SourceParts {
  readonly store: Store;
  readonly wal: Wal;
  readonly queue: Queue;
}

export type AckCrash = 'never' | 'before the record' | 'after the record';

/** So small that transactions are split, and the budget is used up now and then. */
const LIMITS = { rows: 3, bytes: 400, budget: 2_500 } as const;

/** An epoch of the source: the real parts, joined as src/source/epoch.ts joins them, without its timers. */
export class Source {
  readonly epoch: number;
  readonly reader: TransactionReader;
  readonly inFlight: InFlight;
  readonly #parts: SourceParts;
  readonly #batcher: Batcher;
  readonly #points: AckPoints;
  /** Sent by the server from the recorded acknowledgement on, and not yet read. */
  readonly #unread: Change[];
  #unsent: Batch[] = [];
  #pending: Acknowledgement | null = null;

  private constructor(parts: SourceParts, raised: Awaited<ReturnType<Store['raiseEpoch']>>, plan: Plan) {
    const { epoch, ack, positions } = raised;
    this.epoch = epoch;
    this.#parts = parts;
    this.inFlight = new InFlight(new ByteBudget(LIMITS.budget), positions, 0);
    this.#points = new AckPoints(ack.lsn);
    this.#batcher = new Batcher(
      {
        ...{ epoch, positions, acknowledged: ack.lsn, commitAt: ack.times.commitAt },
        ...{ rows: LIMITS.rows, bytes: LIMITS.bytes },
        time: () => ({ commitAt: this.reader.clock.commitAt, watermarks: this.reader.clock.watermarks() }),
        onBatch: (batch) => this.#onBatch(batch),
      },
      { rules: plan.version, lists: ack.lists },
    );
    this.reader = new TransactionReader(plan, {
      ...{ slot: SLOT, partitions: positions.length, acknowledged: ack.lsn, times: ack.times },
      lists: ack.lists,
      batcher: this.#batcher,
      loadRules: planOf,
      loadLists: async (token) => parts.wal.lists.revisionOf(token),
      loadLetters: async (ids, inForce) =>
        askedLetters(parts.store.effects.open(ids), inForce, () => undefined),
      needsOtherPublications: () => false,
      onHeartbeat: () => undefined,
      onRows: () => undefined,
    });
    this.#unread = parts.wal.from((ack.lsn + 1n) as Lsn);
  }

  /** null: it died on its way. */
  static async begin(
    parts: SourceParts,
    dies: 'never' | 'before the queue is empty' | 'after',
  ): Promise<Source | null> {
    const raised = await parts.store.raiseEpoch();
    if (dies === 'before the queue is empty') return null;
    parts.queue.empty();
    if (dies === 'after') return null;
    return new Source(parts, raised, await planOf(raised.ack.rules));
  }

  /** What the server streams while the connection lives. */
  receive(changes: readonly Change[]): void {
    this.#unread.push(...changes);
  }

  get unread(): number {
    return this.#unread.length;
  }

  get unsent(): number {
    return this.#unsent.length;
  }

  async read(messages: number): Promise<void> {
    if (this.inFlight.full) return;
    const changes = this.#unread.splice(0, messages);
    await this.reader.read({ changes, sizes: sizesOf(changes) });
  }

  flush(): void {
    this.#batcher.flush();
  }

  /** The end of a drain. */
  closeAll(): void {
    this.#batcher.closeAll();
    this.#points.add(this.reader.lastCommit);
  }

  send(batches: number): void {
    for (const batch of this.#unsent.splice(0, batches)) this.#parts.queue.add(batch);
  }

  /** Returns why the epoch has ended, else null. */
  async poll(crash: AckCrash): Promise<string | null> {
    const { store } = this.#parts;
    const { epoch, positions, requested } = await store.progress();
    if (epoch !== this.epoch) return `fenced by epoch ${epoch}`;
    this.inFlight.moved(positions, 0);
    this.#pending = this.#points.take(positions) ?? this.#pending;
    if (requested !== null) return requested;
    if (crash === 'before the record') return 'it died before the record';
    return this.acknowledge(crash);
  }

  /** Record, then slot. Also of a source that woke up after another had taken over: its record is refused. */
  async acknowledge(crash: AckCrash): Promise<string | null> {
    const ack = this.#pending;
    if (ack === null) return null;
    this.#pending = null;
    const { store, wal } = this.#parts;
    if (!(await store.recordAck(this.epoch, ack))) return 'its acknowledgement is fenced';
    if (crash === 'after the record') return 'it died after the record';
    const far =
      store.bug === 'acknowledges too far' ? wal.transactions.find(({ lsn }) => lsn > ack.lsn) : null;
    const confirmed = ((far?.lsn ?? ack.lsn) + 1n) as Lsn;
    if (confirmed > wal.confirmed) wal.confirmed = confirmed;
    return null;
  }

  #onBatch(batch: Batch): void {
    if (this.reader.lastCommitLsn > this.#points.last) this.#points.add(this.reader.lastCommit);
    this.inFlight.add(batch, 0);
    this.#unsent.push(batch);
  }
}
