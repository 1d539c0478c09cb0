import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { ByteBudget } from '../queue/byte-budget.ts';
import type { BatchProducer } from '../queue/queue.ts';
import type { Plan } from '../rules/plan.ts';
import type { ControlStore } from '../store/control.ts';

/** What the source measures; the monitor's `Metrics` is one. */
export interface SourceMetrics {
  rows(table: string, count: number): void;
  lag(measure: { readonly bytes?: number; readonly seconds?: number }): void;
  paused(is: boolean): void;
  inFlight(bytes: number): void;
  reconnected(): void;
  epochBegun(epoch: number, reason: string): void;
  sent(partition: number, batches: number): void;
  queueDepths(depths: readonly number[]): void;
  /** Partitions that have work and have had no owner for 5 seconds. */
  unowned(partitions: number): void;
}

export interface SourceOptions {
  /** `partitions`: how many the producer has queues for. */
  readonly config: Pick<Config, 'databaseUrl' | 'slot' | 'partitions' | 'batch' | 'heartbeatMs'>;
  readonly control: ControlStore;
  readonly producer: BatchProducer;
  readonly budget: ByteBudget;
  /** From the text of weir.rule_versions: `compileStored` of rules/. */
  readonly compile: (content: string) => Plan;
  readonly logger: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  readonly metrics: SourceMetrics;
  /** The rule set that this process has announced, or is about to: publications may fit it already. */
  readonly announced?: Plan;
  /** Each change of what the source is doing: for readiness. */
  readonly onStatus?: (status: SourceStatus) => void;
  /** Each change of which partitions have work and no owner: for readiness. */
  readonly onOwnerless?: (partitions: readonly number[]) => void;
  /**
   * The slot is held, no epoch is begun: only now may this process change what the next epoch builds on. true: it has
   * changed the number of partitions, and the source ends so that the process can begin anew.
   */
  readonly onHeld?: () => Promise<boolean>;
  /** A drain waits so long for the workers. */
  readonly drainMs?: number;
}

export type SourceState =
  | 'starting'
  /** Another source holds the slot: this one is a hot standby. */
  | 'waiting-for-slot'
  | 'streaming'
  /** The byte budget is used up: the socket waits for commits. */
  | 'paused'
  /** An epoch has ended, and the next is about to begin. */
  | 'recovering'
  | 'draining'
  | 'stopped';

export interface SourceStatus {
  readonly state: SourceState;
  /** For people: why, of what. */
  readonly detail: string;
  readonly since: Date;
}
