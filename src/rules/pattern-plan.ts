import type { Micros } from '../events/row.ts';
import type {
  Action,
  Condition,
  Expression,
  MessageTemplate,
  Mode,
  Severity,
  ValueType,
} from './plan-parts.ts';

/**
 * A checked pattern (shared/spec/rules.md, "Patterns"). Steps that take events are numbered in file order, groups
 * flattened: that number is a step everywhere (`steps`, takes, `MatchView`).
 */
export interface PatternPlan {
  readonly id: string;
  readonly description: string | null;
  /** Hash of what its partial matches depend on: state of the same hash survives a change of rules. */
  readonly state: string;
  /** Names of the key's columns, for subjects; null: no `by`, one lane for all rows. */
  readonly by: readonly string[] | null;
  readonly inputs: readonly PatternInput[];
  readonly steps: readonly StepPlan[];
  /** The sequence as written. */
  readonly sequence: readonly ElementPlan[];
  /** last - first < within; null: no limit. A `within` on the first step stands here. */
  readonly within: Micros | null;
  readonly afterMatch: AfterMatch;
  readonly emit: 'at_once' | 'in_order';
  /** What `MatchView.aggregate` gives, kept take by take. */
  readonly aggregates: readonly AggregatePlan[];
  /** Judged on a whole match, in order. */
  readonly lets: readonly PatternLetPlan[];
  readonly when: Condition | null;
  readonly unless: Condition | null;
  readonly score: number;
  /** Steps whose last take's row the score is added to (the latest of them in the match); empty: no score. */
  readonly scoreOn: readonly number[];
  readonly severity: Severity;
  readonly actions: readonly Action[];
  readonly block: PatternSubject | null;
  /** Its `by` contains the pattern's. */
  readonly cooldown: PatternSubject | null;
  readonly message: MessageTemplate | null;
  readonly onTimeout: {
    readonly severity: Severity;
    readonly actions: readonly Action[];
    readonly message: MessageTemplate | null;
  } | null;
  readonly mode: Mode;
}

/** Who is blocked, or whose actions are silenced, and for how long. */
export interface PatternSubject {
  readonly names: readonly string[];
  /** Of `Frame.match`, whole: the text of each column, as PostgreSQL wrote it; null: unknown. */
  readonly values: readonly Expression[];
  readonly forMicros: Micros;
}

/** Which rows of a table enter, under which key, and for which steps. */
export interface PatternInput {
  readonly table: number;
  /** Index into `TablePlan.keys`: the routing key whose partition keeps the state. */
  readonly key: number;
  /** Columns of the table; empty: the one lane of a pattern without `by`. */
  readonly by: readonly number[];
  /** Indexes into `TablePlan.events`: a row enters if it bears one of them. */
  readonly events: readonly number[];
  /** The steps that may take the rows. */
  readonly steps: readonly number[];
}

export type Contiguity = 'strict' | 'relaxed' | 'any';

export interface Quantifier {
  /** At least 1; that a step is `optional` says `skippable`. */
  readonly min: number;
  /** null: unbounded. */
  readonly max: number | null;
  readonly skippable: boolean;
  readonly greedy: boolean;
  /** How a take follows the one before it inside the loop. */
  readonly loop: Contiguity;
}

interface ElementParts {
  /** How it follows the element before. */
  readonly contiguity: Contiguity;
  readonly quantifier: Quantifier;
}

export type ElementPlan =
  | ({ readonly kind: 'step'; readonly step: number } & ElementParts)
  | { readonly kind: 'absence'; readonly step: number; readonly contiguity: 'strict' | 'relaxed' }
  | ({
      readonly kind: 'group';
      readonly elements: readonly ElementPlan[];
      readonly until: GroupUntil | null;
    } & ElementParts);

/** Of an `n+` group: the row that satisfies it is taken by no step of the group, and ends it. */
export interface GroupUntil {
  /** Rows of other tables do not satisfy it. */
  readonly table: number;
  readonly when: Condition;
  readonly looksBack: boolean;
}

/** A row's steps are the bits of one number. The loader refuses a pattern with more. */
export const MAX_STEPS = 32;

export interface StepPlan {
  readonly name: string;
  readonly table: number;
  /** Index into `TablePlan.events` of its table. */
  readonly eventIndex: number;
  /** The parts of `when` that look at the row alone; equal conditions of one pattern are the same closure. */
  readonly rowWhen: Condition | null;
  /** The parts that look at the match so far (`Frame.match`); null: none. Both must be true. */
  readonly matchWhen: Condition | null;
  readonly until: Condition | null;
  /** Whether `until` looks at the match. */
  readonly untilLooksBack: boolean;
  /** First take - the take before it < within. */
  readonly within: Micros | null;
  /** Between two takes of its loop, less than. */
  readonly gap: Micros | null;
}

export type AfterMatch =
  | { readonly kind: 'no_skip' | 'skip_to_next' | 'skip_past_last' }
  | { readonly kind: 'skip_to_first' | 'skip_to_last'; readonly step: number };

/** Of a step's takes in a match. */
export interface AggregatePlan {
  readonly fn: 'sum' | 'avg' | 'min' | 'max' | 'distinct';
  readonly step: number;
  /** Column of the step's table. */
  readonly column: number;
  readonly type: ValueType;
  readonly pgType: string;
}

export type PatternLetPlan = {
  readonly name: string;
  readonly type: ValueType;
} /** `told`: what people are told in place of its value; null: the value. */ & (
  | { readonly kind: 'cel'; readonly value: Expression; readonly told: Expression | null }
  /** Two events of the match differ in a column of this name; by step, its column in the step's table, or null. */
  | { readonly kind: 'changed'; readonly columns: readonly (number | null)[] }
);
