import type { PositionText } from '../events/position.ts';
import type { Micros } from '../events/row.ts';
import type { Action, Mode, Severity } from '../rules/plan-parts.ts';
import type { Json } from '../rules/value-format.ts';
import type { SavedTally } from './aggregations/tally.ts';

/**
 * What a fold of a batch puts out; the store writes it in the transaction that moves the position.
 * Fields that end in `Json` are JSON text: numbers in it keep PostgreSQL's own digits.
 */
export interface Outputs {
  readonly hits: Hit[];
  /** Of patterns: matches, and partial matches that ran out of time. */
  readonly matches: PatternOutput[];
  readonly decisions: Contribution[];
  readonly alerts: Alert[];
  readonly blocks: Block[];
  readonly aggregates: AggregateDelta[];
  readonly late: LateEvent[];
  readonly deadLetters: DeadLetter[];
  /** Dead letters that have been judged again. */
  readonly replays: Replay[];
  /** Partial matches that a cap has cost. */
  readonly evicted: { readonly pattern: string; readonly partials: number }[];
  /** Rows for which the list of a rule's window did not hold all of its values. */
  readonly cutLists: { readonly rule: string; readonly rows: number }[];
}

export function noOutputs(): Outputs {
  return {
    hits: [],
    matches: [],
    decisions: [],
    alerts: [],
    blocks: [],
    aggregates: [],
    late: [],
    deadLetters: [],
    replays: [],
    evicted: [],
    cutLists: [],
  };
}

/** Whether anything of it goes into the store. */
export function writesNothing(outputs: Outputs): boolean {
  const { decisions, alerts, blocks, aggregates, late, deadLetters, replays } = outputs;
  return [decisions, alerts, blocks, aggregates, late, deadLetters, replays].every(
    ({ length }) => length === 0,
  );
}

/** A rule fired on a row: for metrics, replay, tests. */
export interface Hit {
  readonly rule: string;
  readonly mode: Mode;
  readonly position: PositionText;
  readonly at: Micros;
  readonly score: number;
  /** As told: times as text, numbers as text where a double does not hold their digits. */
  readonly let: Readonly<Record<string, Json>>;
  /** A cooldown kept its actions silent. */
  readonly silenced: boolean;
}

/** A pattern matched, or with `on_timeout` a partial match ran out of time: for metrics, replay, tests. */
export interface PatternOutput {
  readonly kind: 'match' | 'timeout';
  readonly pattern: string;
  readonly mode: Mode;
  /** null: the pattern has no `by`. */
  readonly key: string | null;
  readonly at: Micros;
  readonly takes: readonly { readonly step: string; readonly position: PositionText }[];
  /** As told; of a timeout empty. */
  readonly let: Readonly<Record<string, Json>>;
  /** A cooldown kept its actions silent. */
  readonly silenced: boolean;
}

/** What one partition adds to the decision of a row. */
export interface Contribution {
  /** The table's event, which has `scoring`. */
  readonly event: string;
  readonly entityId: string;
  readonly position: PositionText;
  readonly mode: Mode;
  readonly at: Micros;
  /** Commit time of the row. */
  readonly commitAt: Micros;
  readonly reasons: readonly Reason[];
  /** It counts only what the decision has no reason of yet: of a dead letter, which may be judged twice. */
  readonly once?: true;
  /** The action `flag`: the decision is at least in the band `flag`. */
  readonly flag: boolean;
  /** What a band's actions need, should this one take the score over its bound. */
  readonly subjectJson: string;
  readonly eventsJson: string;
  readonly block: { readonly key: string; readonly value: string; readonly until: Micros } | null;
}

export interface Reason {
  readonly rule: string;
  readonly score: number;
  readonly let: Readonly<Record<string, Json>>;
  /** The row was late: the rule judged it by what the windows still held. */
  readonly late?: true;
}

export interface Alert {
  /** A hash of rule, key and positions: a replay makes the same one. */
  readonly alertId: string;
  readonly rule: string;
  readonly kind: 'rule' | 'pattern' | 'decision' | 'anomaly';
  readonly severity: Severity;
  readonly subjectJson: string;
  readonly message: string;
  readonly at: Micros;
  /** Commit time of the row that caused it: what commit-to-effect latency is measured from. */
  readonly commitAt: Micros;
  readonly position: PositionText;
  readonly eventsJson: string;
  readonly detailsJson: string;
  readonly mode: Mode;
  readonly webhooks: readonly string[];
}

export interface Block {
  readonly key: string;
  readonly value: string;
  readonly reason: string;
  /** Of a band: the rules whose scores add up to it, joined by ` + `. */
  readonly scoredBy?: string;
  readonly until: Micros;
}

/** What one partition adds to a group of an aggregate. */
export interface AggregateDelta {
  readonly aggregate: string;
  /** Where the group's bucket begins. */
  readonly bucket: Micros;
  /** By name in the aggregate's `by`; NULL is a group of its own. */
  readonly group: readonly (string | null)[];
  readonly tally: SavedTally;
  /** Sum of the rows' commit times, from the bucket's begin on. */
  readonly commits: Micros;
}

export interface LateEvent {
  readonly event: string;
  readonly position: PositionText;
  readonly at: Micros;
  readonly watermark: Micros;
  readonly eventJson: string;
}

export interface DeadLetter {
  readonly rule: string;
  readonly event: string;
  readonly position: PositionText;
  readonly error: string;
  readonly eventJson: string;
  /** The row, as `encodeRowChange` has it; null: there is none, an output was refused. */
  readonly changeJson: string | null;
}

/** What came of a dead letter that was judged again. */
export interface Replay {
  readonly letter: string;
  /** `forgotten`: no hit, but its windows had lost rows that they held when the row came. */
  readonly outcome: 'hit' | 'silenced' | 'no hit' | 'forgotten' | 'failed again';
}

export type { Action };
