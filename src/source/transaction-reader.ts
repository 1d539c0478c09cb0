import { unreachable } from '../errors.ts';
import type { Lsn } from '../events/position.ts';
import type { Micros } from '../events/row.ts';
import type { Plan } from '../rules/plan.ts';
import type { Acknowledgement, SourceTimes } from '../store/control.ts';
import type { AskedLetter } from './asked-letters.ts';
import type { Batcher, InForce } from './batcher.ts';
import type { Change, Relation } from './change.ts';
import { mayFallBehind } from './deadlines.ts';
import type { Received } from './inbox.ts';
import { decodeMessage, messagePrefix, type WeirMessage } from './message.ts';
import { DELETE, INSERT, NO_CELLS, type RowChange, RowSender, TRUNCATE, UPDATE } from './row-sender.ts';
import { EventClock } from './time.ts';

/** As far in the WAL a partition without rows may fall behind before it is sent an empty batch. */
const BEHIND_BYTES = 16n * 1024n * 1024n;

export interface ReaderOptions {
  readonly slot: string;
  readonly partitions: number;
  /** Transactions up to this commit record are done with, whatever the server sends again. */
  readonly acknowledged: Lsn;
  readonly times: SourceTimes;
  /** Revision of the lists in force there. */
  readonly lists: number;
  readonly batcher: Batcher;
  /** The rule set of a version; null: the store does not know it. */
  readonly loadRules: (version: string) => Promise<Plan | null>;
  /** Dead letters that a message asks for and that the plan can judge. */
  readonly loadLetters: (ids: readonly string[], plan: Plan) => Promise<readonly AskedLetter[]>;
  /** The revision of the lists that a message of this transaction names; null: the store knows none. */
  readonly loadLists: (token: string, xid: number) => Promise<number | null>;
  /** The connection was opened without a publication that this plan needs: the stream has to start anew after it. */
  readonly needsOtherPublications: (plan: Plan) => boolean;
  readonly onHeartbeat: (sentAtMs: number) => void;
  readonly onRows: (event: string, count: number) => void;
}

type Announcement = Exclude<WeirMessage, { kind: 'heartbeat' }>;

/**
 * The stream in order: transactions, ordinals, time, routing, batches. All of it is synchronous but for what
 * messages announce. Ordinals count before any filter, so that another rule set numbers history the same.
 */
export class TransactionReader {
  readonly #options: ReaderOptions;
  readonly #prefix: string;
  #plan: Plan;
  #mayFallBehind: Micros;
  #clock: EventClock;
  #rows: RowSender;
  /** Of the transaction being read; null between transactions. */
  #begin: {
    readonly lsn: Lsn;
    readonly commitAt: Micros;
    readonly xid: number;
    readonly skip: boolean;
  } | null = null;
  /** It came from another server, whose commit time it has. */
  #replicated = false;
  #ordinal = 0;
  /** A published row or a message of our own: what may cause punctuations. */
  #relevant = false;
  #lastCommit: Lsn;
  #lists: number;
  #committed: InForce;
  /** To be done before the next message: rules or lists to switch to, dead letters to judge again. */
  #announced: Announcement | null = null;
  /** Dead letters that were sent: what is asked for again is judged where it was asked for first, in a replay too. */
  readonly #sentLetters = new Set<string>();
  stopAtCommit = false;

  constructor(plan: Plan, options: ReaderOptions) {
    this.#options = options;
    this.#prefix = messagePrefix(options.slot);
    this.#plan = plan;
    this.#mayFallBehind = mayFallBehind(plan);
    this.#lists = options.lists;
    this.#committed = { rules: plan.version, lists: options.lists };
    this.#clock = new EventClock(plan.tables, options.times);
    this.#rows = new RowSender(plan, this.#clock, options);
    this.#lastCommit = options.acknowledged;
  }

  get plan(): Plan {
    return this.#plan;
  }

  /** Time as of the last row read. */
  get clock(): EventClock {
    return this.#clock;
  }

  /** Revision of the lists in force at the last row read. */
  get lists(): number {
    return this.#lists;
  }

  /** The last transaction with something in it that was read whole, with time, rules and lists as of its end. */
  get lastCommit(): Acknowledgement {
    return { lsn: this.#lastCommit, ...this.#committed, times: this.#clock.committed() };
  }

  get lastCommitLsn(): Lsn {
    return this.#lastCommit;
  }

  /** A drain has come to the end of a transaction. */
  get stopped(): boolean {
    return this.stopAtCommit && this.#begin === null;
  }

  async read({ changes, sizes }: Received): Promise<void> {
    for (let i = 0; i < changes.length && !this.stopped; i++) {
      this.#change(changes[i] as Change, sizes[i] as number);
      if (this.#announced !== null) await this.#heed(this.#announced);
    }
    this.#rows.tell();
  }

  #change(change: Change, bytes: number): void {
    switch (change.kind) {
      case 'begin':
        this.#beginTransaction(change);
        break;
      case 'commit':
        this.#commit();
        break;
      case 'insert':
        this.#row({ op: INSERT, relation: change.relation, row: change.row, old: null, bytes });
        break;
      case 'update':
        this.#row({ op: UPDATE, relation: change.relation, row: change.row, old: change.old, bytes });
        break;
      case 'delete':
        this.#row({ op: DELETE, relation: change.relation, row: change.old, old: change.old, bytes });
        break;
      case 'truncate':
        this.#truncate(change.relations, bytes);
        break;
      case 'message':
        this.#message(change);
        break;
      case 'origin':
        this.#replicated = true;
        break;
      case 'relation':
      case 'type':
        break;
      default:
        unreachable(change);
    }
  }

  #beginTransaction({ commitLsn, commitAt, xid }: Extract<Change, { kind: 'begin' }>): void {
    this.#begin = { lsn: commitLsn, commitAt, xid, skip: commitLsn <= this.#options.acknowledged };
    this.#replicated = false;
    this.#ordinal = 0;
    this.#relevant = false;
  }

  /** Counts a row change or message. An empty transaction never comes here, so it never moves anything. */
  #next(): boolean {
    const begin = this.#begin;
    if (begin === null) throw new Error('pgoutput sent a change outside a transaction');
    if (begin.skip) return false;
    this.#ordinal++;
    if (this.#ordinal > 1) return true;
    if (this.#replicated) this.#clock.beginReplicated(begin.commitAt);
    else this.#clock.begin(begin.commitAt);
    this.#options.batcher.begin(begin.lsn, this.#clock.commitAt);
    return true;
  }

  #commit(): void {
    const begin = this.#begin;
    this.#begin = null;
    if (begin === null || begin.skip || this.#ordinal === 0) return;
    const { batcher } = this.#options;
    this.#clock.commit();
    batcher.commit();
    this.#lastCommit = begin.lsn;
    this.#committed = { rules: this.#plan.version, lists: this.#lists };
    if (!this.#relevant) return;
    batcher.punctuate({ walBytes: BEHIND_BYTES, micros: this.#mayFallBehind });
  }

  #row(change: RowChange): void {
    if (!this.#next()) return;
    this.#relevant = true;
    this.#rows.send(change, this.#ordinal);
    this.#options.batcher.advance(this.#ordinal);
  }

  #truncate(relations: readonly Relation[], bytes: number): void {
    if (!this.#next()) return;
    this.#relevant = true;
    for (const relation of relations)
      this.#rows.send({ op: TRUNCATE, relation, row: NO_CELLS, old: null, bytes }, this.#ordinal);
    this.#options.batcher.advance(this.#ordinal);
  }

  #message(change: Extract<Change, { kind: 'message' }>): void {
    // One that is not transactional stands at no place of the commit order.
    if (!change.transactional || !this.#next()) return;
    const message = change.prefix === this.#prefix ? decodeMessage(change.content) : null;
    if (message !== null) {
      this.#relevant = true;
      if (message.kind === 'heartbeat') this.#heartbeat(message.sentAt);
      else this.#announced = message;
    }
    // With dead letters the message has been read once they are sent.
    if (message?.kind !== 'letters') this.#options.batcher.advance(this.#ordinal);
  }

  #heartbeat(sentAtMs: number): void {
    this.#clock.heartbeat();
    this.#options.onHeartbeat(sentAtMs);
  }

  /** Exactly here: what was read before is judged by the old rules and lists, what comes after by the new. */
  #heed(announced: Announcement): Promise<void> {
    this.#announced = null;
    switch (announced.kind) {
      case 'rules':
        return this.#switchRules(announced.version);
      case 'lists':
        return this.#switchLists(announced.token);
      case 'letters':
        return this.#judgeAgain(announced.ids);
    }
  }

  /** Only upward: a revision may be announced again, by whoever has seen it. */
  async #switchLists(token: string): Promise<void> {
    const revision = await this.#options.loadLists(token, this.#begin?.xid ?? 0);
    if (revision === null || revision <= this.#lists) return;
    this.#options.batcher.change({ lists: revision });
    this.#lists = revision;
  }

  async #switchRules(version: string): Promise<void> {
    if (version === this.#plan.version) return;
    const plan = await this.#options.loadRules(version);
    if (plan === null) return;
    this.#rows.tell();
    this.#options.batcher.change({ rules: plan.version });
    this.#clock = EventClock.of(plan.tables, this.#clock);
    this.#rows = new RowSender(plan, this.#clock, this.#options);
    this.#plan = plan;
    this.#mayFallBehind = mayFallBehind(plan);
    if (this.#options.needsOtherPublications(plan)) this.stopAtCommit = true;
  }

  /** Exactly here: a replay of the stream reads the same letters here again, but for those that are committed. */
  async #judgeAgain(ids: readonly string[]): Promise<void> {
    const wanted = ids.filter((id) => !this.#sentLetters.has(id));
    for (const asked of await this.#options.loadLetters(wanted, this.#plan)) {
      this.#rows.sendLetter(asked, this.#ordinal);
      this.#sentLetters.add(asked.id);
    }
    this.#options.batcher.advance(this.#ordinal);
  }
}
