import type { Micros } from '../events/row.ts';
import type { ValueType } from './plan-parts.ts';

/** A checked aggregate (shared/spec/rules.md, "Real-time data"): what is counted and added up, by group and bucket. */
export interface AggregationPlan {
  readonly id: string;
  /** The event's name, or `*`. */
  readonly event: string;
  /** Names of what rows are grouped by: columns, and `event` for the event's name. */
  readonly by: readonly string[];
  /** Length of a bucket; buckets begin at multiples of it since 1970. */
  readonly every: Micros;
  /** null: for good. */
  readonly keep: Micros | null;
  readonly measures: readonly MeasurePlan[];
  /** The columns that measures take, each kept once. */
  readonly values: readonly MeasuredColumn[];
  readonly inputs: readonly AggregationInput[];
}

/** `latency` is commit − event time, `effect_latency` Weir's commit − commit: means, in seconds. */
export type MeasurePlan =
  | { readonly kind: 'count' | 'latency' | 'effect_latency'; readonly name: string }
  /** `value`: index into `AggregationPlan.values`. */
  | { readonly kind: 'sum' | 'avg' | 'min' | 'max'; readonly name: string; readonly value: number };

export interface MeasuredColumn {
  readonly name: string;
  readonly type: ValueType;
}

/** The rows of a table that an aggregate takes. */
export interface AggregationInput {
  readonly table: number;
  readonly eventIndex: number;
  /** What the rows' event is called in groups. */
  readonly event: string;
  /** By name in `AggregationPlan.by`: a column of the table, `event`; null: this table has no such column. */
  readonly by: readonly (number | 'event' | null)[];
  /** By index of `AggregationPlan.values`; null: this table has no such column. */
  readonly values: readonly ({ readonly column: number; readonly pgType: string } | null)[];
}
