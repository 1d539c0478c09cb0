import type { AggregatePlan } from '../pattern-plan.ts';
import type { ColumnPlan } from '../plan.ts';
import type { ValueType } from '../plan-parts.ts';

/** One of the events that a step has taken. */
export type Which = 'first' | 'last';

/** What comes from a match, whole or so far. */
export type MatchOrigin =
  | {
      readonly kind: 'take';
      readonly step: number;
      readonly which: Which;
      readonly column: number;
      readonly pgType: string;
    }
  | { readonly kind: 'take_at'; readonly step: number; readonly which: Which }
  | { readonly kind: 'count'; readonly step: number }
  | ({ readonly kind: 'aggregate' } & AggregatePlan)
  | { readonly kind: 'key'; readonly takes: readonly Take[]; readonly pgType: string };

/** A column of the row that a step has taken. */
export interface Take {
  readonly step: number;
  readonly column: number;
}

export interface KeyVariable {
  readonly name: string;
  readonly type: ValueType;
  readonly origin: Extract<MatchOrigin, { kind: 'key' }>;
}

export interface StepScope {
  readonly name: string;
  readonly step: number;
  /** The index of a column is the cell it reads. */
  readonly columns: readonly ColumnPlan[];
  /** It takes one event at most, and may be used as that event. */
  readonly single: boolean;
}

export interface MatchScope {
  readonly steps: ReadonlyMap<string, StepScope>;
  /** The condition is judged on a whole match: there is no row at hand. */
  readonly whole: boolean;
  /** Columns of the key, which is the same for all events of a match; of whole matches only. */
  readonly keys: readonly KeyVariable[];
  /** Names that are something, and not to be had here: what is said of them. */
  readonly elsewhere: ReadonlyMap<string, { readonly message: string; readonly hint?: string }>;
  /** Index of the aggregate in `PatternPlan.aggregates`, which keeps each one once. */
  readonly aggregate: (wanted: AggregatePlan) => number;
}

export type AggregateFunction = AggregatePlan['fn'];
export const AGGREGATE_FUNCTIONS: readonly AggregateFunction[] = ['sum', 'avg', 'min', 'max', 'distinct'];

/** What an aggregate gives of values of this type; null: it takes none of them. */
export function aggregateType(fn: AggregateFunction, type: ValueType): ValueType | null {
  if (fn === 'distinct') return 'double';
  if (type === 'double') return type;
  return type === 'timestamp' && (fn === 'min' || fn === 'max') ? type : null;
}
