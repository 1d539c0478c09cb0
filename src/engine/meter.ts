/** What a partition holds in memory, counted as it changes. */
export interface Meter {
  keys: number;
  entries: number;
  /** Partial matches. */
  partials: number;
  /** By `PatternPlan.state`. */
  readonly partialsOf: Map<string, number>;
  /** Approximate. */
  bytes: number;
}
