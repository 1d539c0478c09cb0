import type { Cell, Micros, Op } from '../events/row.ts';
import type { AggregationPlan } from './aggregation-plan.ts';
import type { Over } from './over.ts';
import type { PatternPlan } from './pattern-plan.ts';
import type {
  Action,
  BlockPlan,
  By,
  Condition,
  Expression,
  MessageTemplate,
  Mode,
  Severity,
  ValueType,
} from './plan-parts.ts';

/**
 * The plan: a checked rule set, compiled once and immutable. The source takes routing and time from it, the
 * engines everything else. Every process compiles it from the same stored text and catalog (weir.rule_versions),
 * so all of them have the same one.
 */
export interface Plan {
  /** Hash of the rule files and of the column types they were checked against. */
  readonly version: string;
  /** Captured tables; the index is the `table` of a row. */
  readonly tables: readonly TablePlan[];
  /** Rules that are live or shadow, in file order. */
  readonly rules: readonly RulePlan[];
  /** Patterns that are live or shadow, in file order. */
  readonly patterns: readonly PatternPlan[];
  /** Window stores, each shared by all windows that are equal; the index is the `store` of a window. */
  readonly stores: readonly StorePlan[];
  /** By the name of the table's event. */
  readonly scoring: ReadonlyMap<string, ScoringPlan>;
  readonly aggregates: readonly AggregationPlan[];
  /** Lists by name, with what the rule files put into them at first. */
  readonly lists: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface ColumnPlan {
  readonly name: string;
  /** PostgreSQL's name of the type, domains resolved to their base: `int8`, `numeric`, `timestamptz`, `text[]`. */
  readonly pgType: string;
  readonly type: ValueType;
}

/** A name that a row bears: its table's event, or a view of it (`from`, `when`). */
export interface EventPlan {
  readonly name: string;
  /** null: every row of the table (of its `ops`). A view's `when`, and those of what it is a view of. */
  readonly when: Condition | null;
}

export interface TablePlan {
  readonly schema: string;
  readonly name: string;
  /** The table's own event; `events` holds it first, then its views. */
  readonly event: string;
  readonly events: readonly EventPlan[];
  readonly ops: readonly Op[];
  /** The columns that rules use, and so all that a row carries. */
  readonly columns: readonly ColumnPlan[];
  /** Index of the `time` column; null: commit time. */
  readonly time: number | null;
  readonly lateness: Micros;
  readonly ahead: Micros;
  readonly idle: Micros;
  /** Indexes of what a decision is about. */
  readonly id: readonly number[];
  readonly primaryKey: readonly number[];
  /** The routing keys of its rows; bit i + 1 of `Row.roles` is `keys[i]`. At most 30. */
  readonly keys: readonly TableKey[];
}

export interface TableKey {
  /** Dimensions are numbered over the whole plan; windows over several tables share one. */
  readonly dimension: number;
  /** Empty: the one lane of patterns without `by`. */
  readonly columns: readonly number[];
}

export interface RulePlan {
  readonly id: string;
  readonly description: string | null;
  readonly table: number;
  /** The event's name, and its index in `TablePlan.events`. */
  readonly event: string;
  readonly eventIndex: number;
  /** Index into `TablePlan.keys`: where it runs; null: at the row's home. */
  readonly key: number | null;
  /** The names of the key's columns, for subjects. */
  readonly by: By | null;
  readonly lets: readonly LetPlan[];
  readonly when: Condition | null;
  readonly unless: Condition | null;
  readonly score: number;
  readonly severity: Severity;
  readonly actions: readonly Action[];
  readonly block: BlockPlan | null;
  readonly cooldown: { readonly by: By; readonly forMicros: Micros } | null;
  readonly message: MessageTemplate | null;
  readonly mode: Mode;
  /** With `guard: true`: for the trigger that judges a row inside its insert. */
  readonly guard: GuardPlan | null;
}

/** A rule in SQL, over `new`. */
export interface GuardPlan {
  /** True where the rule fires, but for `unless`; like that it is a boolean of SQL, and never raises. */
  readonly when: string;
  readonly unless: string | null;
  readonly columns: readonly string[];
  readonly lists: readonly string[];
  /** Its values must be written as Weir reads them: DateStyle and the like have to be set. */
  readonly settings: boolean;
}

export type LetPlan =
  | { readonly kind: 'window'; readonly name: string; readonly type: ValueType; readonly window: WindowPlan }
  | { readonly kind: 'cel'; readonly name: string; readonly type: ValueType; readonly value: Expression };

export const WINDOW_FUNCTIONS = [
  'count',
  'sum',
  'avg',
  'stddev',
  'min',
  'max',
  'percentile',
  'distinct',
  'first',
  'last',
  'previous',
  'list',
  'speed_kmh',
  'first_seen',
] as const;
export type WindowFunction = (typeof WINDOW_FUNCTIONS)[number];

export interface WindowPlan {
  readonly store: number;
  readonly fn: WindowFunction;
  /** Indexes into `StorePlan.values`: none for count, latitude and longitude for speed_kmh, else one. */
  readonly values: readonly number[];
  /** Of first_seen and speed_kmh, by `values`: the columns of the rule's own table that say what the row itself shows. */
  readonly own: readonly number[];
  /** Of percentile: from 0 to 100. */
  readonly percent: number | null;
  readonly over: Over;
  /** false: the row itself is left out. */
  readonly current: boolean;
  /** The window's `by`, as columns of the rule's own table: the key that the row looks up. */
  readonly by: readonly number[];
}

/** The rows kept for all windows of the same event, `by`, `when` and routing: their times and values. */
export interface StorePlan {
  /** Hash of what it holds: state of the same id survives a change of rules. */
  readonly id: string;
  readonly table: number;
  readonly eventIndex: number;
  /** Index into the `keys` of its table: the routing key whose partition keeps it. */
  readonly key: number;
  /** As columns of its table. */
  readonly by: readonly number[];
  readonly when: Condition | null;
  /** Columns whose cells are kept, with their types. */
  readonly values: readonly { readonly column: number; readonly type: ValueType; readonly pgType: string }[];
  /** Of its event. */
  readonly lateness: Micros;
  /** The furthest that its windows by time look back, plus the lateness: what is older before W is gone. */
  readonly keep: Micros;
  /** For windows of rows: of what is that old, so many rows are kept at and before W - lateness, unless older than this before W. */
  readonly rows: { readonly count: number; readonly keep: Micros } | null;
  /** What is at or before W - lateness is one entry a pane of `every`, which has these parts; null: every row is one, with its values. */
  readonly panes: PanesPlan | null;
}

/** What is kept of the rows of a pane: how many, and of a column's values how many are known, and what they make. */
export type PanePart = 'rows' | 'known' | 'sum' | 'squares' | 'min' | 'max';

export interface PanesPlan {
  readonly every: Micros;
  /** `value`: index into `StorePlan.values`; of rows -1. */
  readonly parts: readonly { readonly part: PanePart; readonly value: number }[];
}

/** How many cells an entry of the store has. */
export function widthOf({ values, panes }: StorePlan): number {
  return panes === null ? values.length : panes.parts.length;
}

export interface ScoringPlan {
  readonly event: string;
  readonly combine: 'sum' | 'max';
  /** Ascending; a band is reached ABOVE its bound. */
  readonly bands: readonly {
    readonly name: string;
    readonly above: number;
    readonly actions: readonly Action[];
  }[];
  readonly block: BlockPlan | null;
  /** Some rule of this event is in shadow: then every hit also counts in the shadow decision. */
  readonly shadow: boolean;
}

/** A cell that is known: text. */
export function known(cell: Cell | undefined): string | null {
  return typeof cell === 'string' ? cell : null;
}
