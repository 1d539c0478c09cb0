import type { Outputs } from '../engine/outputs.ts';
import type { PositionText } from '../events/position.ts';
import type { AggregationPlan } from '../rules/aggregation-plan.ts';
import type { ScoringPlan } from '../rules/plan.ts';

/** What one partition asks of a commit. */
export interface PartitionCommit {
  readonly partition: number;
  readonly epoch: number;
  /** Where the partition stands in the database; else it is fenced. */
  readonly expected: PositionText;
  readonly to: PositionText;
  /** Which of the partition's segment tables takes the segment. */
  readonly generation: 0 | 1;
  /** Only time has moved: no row, no segment, no output. */
  readonly idle?: boolean;
  /** JSON of bucket → delta; null: no state changed. */
  readonly segment: string | null;
  readonly outputs: Outputs;
  readonly rulesVersion: string;
  /** `Plan.scoring` of that version. */
  readonly scoring: ReadonlyMap<string, ScoringPlan>;
  /** `Plan.aggregates` of that version. */
  readonly aggregates: readonly AggregationPlan[];
}

/** Who commits. */
export interface Writer {
  readonly processorId: string;
  /** Unique to this process: with it a commit whose answer was lost is told from somebody else's. */
  readonly owner: string;
}
