import type { Micros, Row } from '../events/row.ts';

/** What a value is in conditions and outputs. `timestamp` and `duration` are Micros at run time. */
export type ValueType =
  | 'double'
  | 'string'
  | 'bool'
  | 'timestamp'
  | 'duration'
  | { readonly list: ValueType };
/** A value in a condition, a `let` or a message; null is unknown. */
export type Value = number | string | boolean | null | readonly Value[];

/** The entries of a named list, as of the place in the stream at which a condition is asked. */
export interface ListEntries {
  has(value: string): boolean;
  values(): Iterable<string>;
}
/** In the order of `Plan.lists`. */
export type Lists = readonly ListEntries[];

/**
 * What a condition reads: the row at hand, a rule's `let` values so far (by index), the lists, and in patterns the
 * match so far.
 */
export interface Frame {
  readonly row: Row;
  readonly lets: readonly Value[];
  readonly lists: Lists;
  readonly match?: MatchView;
}

/** Compiled CEL. Three-valued: null is unknown. Throws what CEL calls an error (1 / 0 is not one: doubles). */
export type Expression = (frame: Frame) => Value;
export type Condition = (frame: Frame) => boolean | null;

export type Severity = 'info' | 'warning' | 'high' | 'critical';
export type Mode = 'live' | 'shadow';
export type Action =
  | { readonly kind: 'alert' }
  | { readonly kind: 'flag' }
  | { readonly kind: 'block' }
  | { readonly kind: 'webhook'; readonly name: string };

/** `by` columns, as indexes into the cells of the rule's table, with their names. */
export interface By {
  readonly names: readonly string[];
  readonly columns: readonly number[];
}

export interface BlockPlan {
  readonly by: By;
  readonly forMicros: Micros;
}

/** Literal texts and values in turn. */
export type MessageTemplate = readonly (
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'column'; readonly column: number }
  | { readonly kind: 'let'; readonly index: number }
  /** In patterns: of the match (`Frame.match`). */
  | { readonly kind: 'value'; readonly value: Expression; readonly type: ValueType }
)[];

/** What conditions see of a match: whole, or so far. */
export interface MatchView {
  count(step: number): number;
  /** null: the step has taken nothing. */
  first(step: number): Row | null;
  last(step: number): Row | null;
  /** By index of `PatternPlan.aggregates`; null: unknown. */
  aggregate(index: number): Value;
  /** As `aggregate`, for people: a sum is text where a double does not hold every digit. */
  told(index: number): Value;
}
