import type { Lsn } from '../../../src/events/position.ts';
import type { Cell } from '../../../src/events/row.ts';
import type { Change, Relation } from '../../../src/source/change.ts';
import { encodeMessage, messagePrefix } from '../../../src/source/message.ts';
import { VERSIONS } from '../rules.ts';
import { ListBook, tokenOf } from './list-book.ts';

export const SLOT = 'simulation';
/** Where the slot was made: the partitions stand at the end of this transaction. */
export const START = 0x1000n as Lsn;
const EPOCH_MS = Date.parse('2026-01-01T00:00:00Z');
/** A commit record is some 34 bytes and aligned to 8, so this is as near as two can be. */
const ADJACENT = 40n;
const MESSAGE_BYTES = 60;

/** What a transaction holds, in the order in which it was written. */
export type Written =
  | {
      readonly row: 'transaction';
      readonly user: number | null;
      readonly device: string | null;
      readonly amount: string;
      readonly country: string;
      /** Seconds that created_at is behind the commit; null: no created_at. */
      readonly lag: number | null;
    }
  | { readonly row: 'login'; readonly user: number | null; readonly device: string | null }
  /** A table that no rule looks at. */
  | { readonly row: 'other' }
  | { readonly row: 'heartbeat' }
  | { readonly row: 'rules'; readonly version: number }
  /** Edits the list; where the store is another server nothing announces it yet. */
  | { readonly row: 'list'; readonly value: string; readonly announced: boolean }
  /** Announces what was announced so many revisions ago (0: the last), or what nobody has heard of. */
  | { readonly row: 'announcement'; readonly back: number | null }
  /** Two dead letters are asked for, from this one on: those that are there by then. */
  | { readonly row: 'letters'; readonly from: number };

export interface Transaction {
  readonly lsn: Lsn;
  readonly changes: readonly Change[];
}

function relation(oid: number, name: string, columns: readonly string[]): Relation {
  const described = columns.map((column) => ({
    name: column,
    typeOid: 25,
    typmod: -1,
    key: column === 'id',
  }));
  return { oid, schema: 'public', name, replicaIdentity: 'default', columns: described };
}

/** Not in the plan's order, and with a column that it does not use. */
const TRANSACTIONS = relation(1, 'transactions', [
  'id',
  'created_at',
  'user_id',
  'note',
  'device_id',
  'country',
  'amount',
]);
const LOGINS = relation(2, 'logins', ['id', 'device_id', 'user_id']);
const OTHER = relation(3, 'others', ['id']);

/** The transactions that were committed, and the slot on them. */
export class Wal {
  readonly transactions: Transaction[] = [];
  readonly lists = new ListBook();
  /** `confirmed_flush_lsn`: what commits before it is never sent again. */
  confirmed: Lsn = (START + 1n) as Lsn;
  #ms = EPOCH_MS;
  #rows = 0;
  readonly #letters: () => readonly string[];

  /** `letters`: the ids of those in the store. */
  constructor(letters: () => readonly string[]) {
    this.#letters = letters;
  }

  /** Commit timestamps may go back by a millisecond. */
  commit(afterMs: number, written: readonly Written[]): Transaction {
    this.#ms += afterMs;
    const last = this.transactions.at(-1)?.lsn ?? START;
    const lsn = (last + ADJACENT * BigInt(1 + written.length)) as Lsn;
    const commitAt = this.#ms * 1_000;
    const changes: Change[] = [{ kind: 'begin', commitLsn: lsn, commitAt, xid: 1 }];
    for (const one of written) changes.push(...this.#changes(one, lsn));
    changes.push({ kind: 'commit', commitLsn: lsn, endLsn: (lsn + ADJACENT) as Lsn, commitAt });
    const transaction = { lsn, changes };
    this.transactions.push(transaction);
    return transaction;
  }

  /** What START_REPLICATION sends: whole transactions whose commit record is not before either position. */
  from(requested: Lsn): Change[] {
    const start = requested > this.confirmed ? requested : this.confirmed;
    return this.transactions.filter(({ lsn }) => lsn >= start).flatMap(({ changes }) => changes);
  }

  #changes(written: Written, lsn: Lsn): readonly Change[] {
    if (written.row !== 'list') return [this.#change(written, lsn)];
    const revision = this.lists.toggle(written.value);
    return written.announced ? [announcement(revision, lsn)] : [];
  }

  #change(written: Exclude<Written, { row: 'list' }>, lsn: Lsn): Change {
    const id = String(++this.#rows);
    switch (written.row) {
      case 'transaction': {
        const { user, device, amount, country, lag } = written;
        const created = lag === null ? null : new Date(this.#ms - lag * 1_000).toISOString();
        const row: Cell[] = [id, created, text(user), 'a note', device, country, amount];
        return { kind: 'insert', relation: TRANSACTIONS, row };
      }
      case 'login':
        return { kind: 'insert', relation: LOGINS, row: [id, written.device, text(written.user)] };
      case 'other':
        return { kind: 'insert', relation: OTHER, row: [id] };
      case 'heartbeat':
        return message(encodeMessage({ kind: 'heartbeat', sentAt: this.#ms }), lsn);
      case 'rules':
        return message(
          encodeMessage({ kind: 'rules', version: VERSIONS[written.version] ?? 'unknown' }),
          lsn,
        );
      case 'announcement':
        return announcement(written.back === null ? 0 : Math.max(0, this.lists.revision - written.back), lsn);
      case 'letters': {
        const ids = this.#letters().slice(written.from, written.from + 2);
        return message(encodeMessage({ kind: 'letters', ids }), lsn);
      }
    }
  }
}

function text(value: number | null): string | null {
  return value === null ? null : String(value);
}

function announcement(revision: number, lsn: Lsn): Change {
  return message(encodeMessage({ kind: 'lists', token: tokenOf(revision) }), lsn);
}

function message(content: string, lsn: Lsn): Change {
  return {
    kind: 'message',
    transactional: true,
    lsn,
    prefix: messagePrefix(SLOT),
    content: Buffer.from(content),
  };
}

/** Bytes on the wire of each message. */
export function sizesOf(changes: readonly Change[]): number[] {
  return changes.map(() => MESSAGE_BYTES);
}

/** Something that a batch may be closed for. */
export function hasContent({ changes }: Transaction): boolean {
  return changes.length > 2;
}
