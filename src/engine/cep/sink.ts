import type { Micros, Row } from '../../events/row.ts';
import type { Value } from '../../rules/plan-parts.ts';

/** One event that a step took. */
export interface Took {
  readonly step: number;
  readonly row: Row;
}

export interface Match {
  /** In the order of time. */
  readonly takes: readonly Took[];
  /** By index of `PatternPlan.lets`. */
  readonly lets: readonly Value[];
  /** The time of the row that completed it, or when its absence at the end had held. */
  readonly at: Micros;
}

/** A partial match that ran out of time. */
export interface Timeout {
  readonly takes: readonly Took[];
  /** Its deadline. */
  readonly at: Micros;
}

/** Where what comes of a lane goes. During `match` and `timeout` the definition's `match` is the one at hand. */
export interface Sink {
  match(match: Match): void;
  /** Called only where the pattern has `on_timeout`. */
  timeout(timeout: Timeout): void;
  /** A condition threw on the row, and counts as not satisfied; the first one of a row, and of a match. */
  failed(failure: { readonly name: string; readonly error: unknown; readonly row: Row }): void;
  /** Partial matches that the cap has cost. */
  evicted(count: number): void;
}
