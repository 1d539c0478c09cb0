import type { Lsn, PositionText } from '../events/position.ts';
import type { Micros } from '../events/row.ts';
import type { StoredLetter } from './dead-letters.ts';
import type { ListControl } from './list-control.ts';

/** Time as the source has made it up to a position; stored with each acknowledgement, so that a replay stamps the same. */
export interface SourceTimes {
  /** Monotone commit time. */
  readonly commitAt: Micros;
  /** By the table's event: the latest time seen, and the commit time of its last row (for `idle`). */
  readonly events: Readonly<Record<string, { readonly latest: Micros; readonly seenAt: Micros }>>;
}

export interface Acknowledgement {
  /** Start of the commit record of the last transaction that is done with. */
  readonly lsn: Lsn;
  /** `Plan.version` in force at that position. */
  readonly rules: string;
  /** Revision of the lists in force at that position; 0: before the first. */
  readonly lists: number;
  readonly times: SourceTimes;
}

/** What of the source an instance was made for; a mismatch at start is refused (invariant 8). */
export interface SourceIdentity {
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly database: string;
  readonly slot: string;
  /** Publication name → OID. */
  readonly publications: Readonly<Record<string, number>>;
}

export interface Instance extends SourceIdentity {
  readonly processorId: string;
  readonly epoch: number;
  readonly partitions: number;
  readonly ack: Acknowledgement;
}

/**
 * The control rows of one instance in the store: epoch, positions, acknowledgements, rule versions, revisions of lists.
 * Every write is fenced by the epoch: `false` says that another source has taken over.
 */
export interface ControlStore extends ListControl {
  /** null: `weir init` has not been here. */
  instance(): Promise<Instance | null>;
  /** By the holder of the slot only: a new epoch; what was asked for before is answered by it. */
  raiseEpoch(): Promise<{
    readonly epoch: number;
    readonly ack: Acknowledgement;
    readonly positions: readonly PositionText[];
  }>;
  currentEpoch(): Promise<number>;
  /** By whoever sees a gap or gains a partition: at most once an epoch has an effect. */
  requestEpoch(epoch: number, reason: string): Promise<void>;
  /** Positions of all partitions, and why a new epoch has been asked for (null: it has not). */
  progress(): Promise<{
    readonly epoch: number;
    readonly positions: readonly PositionText[];
    readonly requested: string | null;
  }>;
  /** Partitions that some worker owns now. */
  owned(): Promise<ReadonlySet<number>>;
  /** Before it is sent to the slot. Only upward. */
  recordAck(epoch: number, ack: Acknowledgement): Promise<boolean>;
  /** A validated rule set, whole; its content is what `rules/` needs to compile it again. */
  putRules(version: string, content: string): Promise<void>;
  getRules(version: string): Promise<string | null>;
  /** Dead letters by id, but for those that have been judged again. */
  letters(ids: readonly string[]): Promise<readonly StoredLetter[]>;
}
