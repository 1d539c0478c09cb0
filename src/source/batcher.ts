import {
  type Batch,
  type EncodedRow,
  encodeLetter,
  encodeRow,
  type LetterParts,
  type RowParts,
} from '../events/batch.ts';
import {
  closing,
  type Lsn,
  lsnHex,
  MAX_ORDINAL,
  type PositionText,
  parsePosition,
  positionText,
} from '../events/position.ts';
import type { Micros } from '../events/row.ts';

/** What the rows of a batch are judged by. */
export interface InForce {
  /** `Plan.version`. */
  readonly rules: string;
  /** Revision of the lists. */
  readonly lists: number;
}

export interface BatcherOptions {
  readonly epoch: number;
  /** Where each partition stands: rows up to there are not sent again. */
  readonly positions: readonly PositionText[];
  /** The last acknowledged commit: how far the stream had been read. */
  readonly acknowledged: Lsn;
  /** Monotone commit time there. */
  readonly commitAt: Micros;
  readonly rows: number;
  readonly bytes: number;
  /** Time as it is now, for a batch that closes. */
  readonly time: () => { readonly commitAt: Micros; readonly watermarks: (Micros | null)[] };
  readonly onBatch: (batch: Batch) => void;
}

/** JSON around a row: what a short row costs beyond its text. */
const ROW_OVERHEAD_BYTES = 32;

interface Open {
  readonly partition: number;
  from: PositionText;
  fromLsn: Lsn;
  /** Rows at or below it were committed in an earlier epoch. */
  readonly start: { readonly lsn: Lsn; readonly ordinal: number };
  events: EncodedRow[];
  bytes: number;
  transactions: [string, number][];
  /** The number of the transaction that `transactions` ends with. */
  transaction: number;
  /** Commit time when its last batch closed: what punctuations go by. */
  closedAt: Micros;
}

/** A row on its way: copied at once, so one object serves all rows. `transaction` is set here, for the batch it lands in. */
export type OutgoingRow = { -readonly [Part in keyof RowParts]: RowParts[Part] };

/**
 * Chains of batches, one a partition: each begins where the one before ended, and ends where the stream had been
 * read to, whatever rows are in it. They may end inside a transaction, so one of any size runs in bounded memory.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  readonly #open: readonly Open[];
  #inForce: InForce;
  #lsn: Lsn;
  #lsnHex: string;
  #ordinal = MAX_ORDINAL;
  /** Numbers transactions, to tell them apart more cheaply than by their LSN. */
  #transaction = 0;
  #commitAt: Micros = 0;
  /** Some partition may have rows of this transaction already. */
  #replaying = true;
  #rows = 0;
  #lookedAt: { readonly lsn: Lsn; readonly commitAt: Micros };
  readonly #full: Open[] = [];

  constructor(options: BatcherOptions, inForce: InForce) {
    this.#options = options;
    this.#inForce = { rules: inForce.rules, lists: inForce.lists };
    this.#lsn = options.acknowledged;
    this.#lsnHex = lsnHex(options.acknowledged);
    const { commitAt } = options;
    this.#lookedAt = { lsn: options.acknowledged, commitAt };
    this.#open = options.positions.map((position, partition) => ({
      partition,
      from: position,
      fromLsn: parsePosition(position).lsn,
      start: parsePosition(position),
      events: [],
      bytes: 0,
      transactions: [],
      transaction: -1,
      closedAt: commitAt,
    }));
  }

  /** Rows that are in no batch yet. */
  get rows(): number {
    return this.#rows;
  }

  begin(lsn: Lsn, commitAt: Micros): void {
    this.#lsn = lsn;
    this.#lsnHex = lsnHex(lsn);
    this.#ordinal = 0;
    this.#transaction++;
    this.#commitAt = commitAt;
    if (this.#replaying) this.#replaying = this.#open.some(({ start }) => lsn <= start.lsn);
  }

  /** A row of the message at its `ordinal`; `advance` follows when all rows of that message are in. */
  add(partition: number, row: OutgoingRow, bytes: number): void {
    const open = this.#openFor(partition, row);
    if (open !== null) this.#put(open, encodeRow(row), bytes);
  }

  /** The row of a dead letter, asked for by the message at its `ordinal`; `advance` follows here too. */
  addLetter(partition: number, row: OutgoingRow, letter: LetterParts): void {
    const open = this.#openFor(partition, row);
    if (open === null) return;
    const encoded = encodeLetter(row, letter);
    this.#put(open, encoded, JSON.stringify(encoded).length);
  }

  /** Where the row goes, which is told its transaction there; null: it was committed in an earlier epoch. */
  #openFor(partition: number, row: OutgoingRow): Open | null {
    const open = this.#open[partition] as Open;
    if (this.#replaying && this.#isCommitted(open, row.ordinal)) return null;
    if (open.transaction !== this.#transaction) {
      open.transaction = this.#transaction;
      open.transactions.push([this.#lsnHex, this.#commitAt]);
    }
    row.transaction = open.transactions.length - 1;
    return open;
  }

  #put(open: Open, encoded: EncodedRow, bytes: number): void {
    open.events.push(encoded);
    open.bytes += bytes + ROW_OVERHEAD_BYTES;
    this.#rows++;
    if (open.events.length === this.#options.rows) this.#full.push(open);
    else if (open.bytes >= this.#options.bytes) this.#full.push(open);
  }

  /** The stream has been read up to and with the message at `ordinal` of the open transaction. */
  advance(ordinal: number): void {
    this.#ordinal = ordinal;
    if (this.#full.length > 0) this.#closeFull();
  }

  commit(): void {
    this.#ordinal = MAX_ORDINAL;
  }

  /** What the partitions hold that may send becomes a batch each. */
  flush(may: (partition: number) => boolean = () => true): void {
    if (this.#rows === 0) return;
    for (const open of this.#open) {
      if (open.events.length > 0 && may(open.partition)) this.#close(open);
    }
  }

  /**
   * At a transaction's end: an empty batch for each partition that is too far behind, in WAL or in time. A partition
   * with rows needs none: they become a batch in milliseconds.
   */
  punctuate(behind: { readonly walBytes: bigint; readonly micros: Micros }): void {
    if (!this.#isDue(behind)) return;
    for (const open of this.#open) {
      if (open.events.length > 0) continue;
      const late = this.#commitAt - open.closedAt >= behind.micros;
      if (late || this.#lsn - open.fromLsn >= behind.walBytes) this.#close(open);
    }
  }

  /** Looks at the partitions sixteen times as often as they are due, not at each of 100,000 commits a second. */
  #isDue(behind: { readonly walBytes: bigint; readonly micros: Micros }): boolean {
    const { lsn, commitAt } = this.#lookedAt;
    const due = this.#commitAt - commitAt >= behind.micros / 16 || this.#lsn - lsn >= behind.walBytes / 16n;
    if (due) this.#lookedAt = { lsn: this.#lsn, commitAt: this.#commitAt };
    return due;
  }

  /**
   * From the next row on, other rules or lists: a batch is judged by one set. Every partition ends here, whatever rows
   * it has, so that each of them comes by every set: which partial matches a change ends does not depend on the rows.
   */
  change(to: Partial<InForce>): void {
    this.closeAll();
    this.#inForce = { ...this.#inForce, ...to };
  }

  /** Every partition ends at what has been read: a drain, or a change of rules or lists. */
  closeAll(): void {
    for (const open of this.#open) this.#close(open);
  }

  #isCommitted(open: Open, ordinal: number): boolean {
    const { lsn, ordinal: startOrdinal } = open.start;
    return this.#lsn < lsn || (this.#lsn === lsn && ordinal <= startOrdinal);
  }

  #closeFull(): void {
    for (const open of this.#full) if (open.events.length > 0) this.#close(open);
    this.#full.length = 0;
  }

  #close(open: Open): void {
    const to = this.#ordinal === MAX_ORDINAL ? closing(this.#lsn) : positionText(this.#lsnHex, this.#ordinal);
    // In a replay a partition may be ahead of the stream.
    if (to <= open.from) return;
    const { commitAt, watermarks } = this.#options.time();
    const { partition, from, events, bytes, transactions } = open;
    const head = { v: 1, epoch: this.#options.epoch, partition, from, to, ...this.#inForce } as const;
    const batch = { ...head, rows: events.length, bytes, commitAt, watermarks, transactions, events };
    this.#rows -= events.length;
    open.from = to;
    open.fromLsn = this.#lsn;
    open.events = [];
    open.bytes = 0;
    open.transactions = [];
    open.transaction = -1;
    open.closedAt = commitAt;
    this.#options.onBatch(batch as unknown as Batch);
  }
}
