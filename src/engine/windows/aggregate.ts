import type { Micros } from '../../events/row.ts';
import { fromText } from '../../rules/cel/cells.ts';
import type { Over } from '../../rules/over.ts';
import type { StorePlan, WindowFunction, WindowPlan } from '../../rules/plan.ts';
import type { ValueType } from '../../rules/plan-parts.ts';
import type { Follower } from './entries.ts';
import { RunningDeviation } from './running-deviation.ts';
import { RunningDistinct } from './running-distinct.ts';
import { RunningExtreme } from './running-extreme.ts';
import { RunningPercentile } from './running-percentile.ts';
import { RunningSum } from './running-sum.ts';
import { Sessions } from './sessions.ts';

/** What is kept up to date for the windows of a store that need more than a place in its entries. */
export type AggregateSpec = ValuesSpec | { readonly kind: 'sessions'; readonly gap: Micros };

export interface ValuesSpec {
  readonly kind: 'sum' | 'deviation' | 'distinct' | 'percentile' | 'min' | 'max';
  readonly value: number;
  readonly type: ValueType;
  readonly pgType: string;
  readonly over: Over;
  readonly current: boolean;
}

/** The index of the aggregate of a window among those of its store, which it may join; -1: it needs none. */
export function aggregateOf(window: WindowPlan, store: StorePlan, specs: AggregateSpec[]): number {
  const kind = KINDS[window.fn];
  if (kind === undefined) return -1;
  const [index = -1] = window.values;
  const value = store.values[index];
  if (value === undefined) throw new Error(`a window's ${window.fn} has no value`);
  // Sums and counts of values step back over the row itself for nothing; a deque does not go back.
  const current = kind === 'min' || kind === 'max' ? window.current : true;
  const { type, pgType } = value;
  return indexOf({ kind, type, pgType, value: index, over: window.over, current }, specs);
}

/** The same of what knows where sessions begin. */
export function sessionsOf({ over }: WindowPlan, specs: AggregateSpec[]): number {
  return over.kind === 'session' ? indexOf({ kind: 'sessions', gap: over.gap }, specs) : -1;
}

function indexOf(spec: AggregateSpec, specs: AggregateSpec[]): number {
  const known = specs.findIndex((other) => JSON.stringify(other) === JSON.stringify(spec));
  return known >= 0 ? known : specs.push(spec) - 1;
}

const KINDS: Readonly<Partial<Record<WindowFunction, ValuesSpec['kind']>>> = {
  sum: 'sum',
  avg: 'sum',
  stddev: 'deviation',
  min: 'min',
  max: 'max',
  percentile: 'percentile',
  distinct: 'distinct',
  first_seen: 'distinct',
};

export function startAggregate(spec: AggregateSpec): Follower {
  switch (spec.kind) {
    case 'sum':
      return new RunningSum(spec.value);
    case 'deviation':
      return new RunningDeviation(spec.value);
    case 'distinct':
      return new RunningDistinct(spec.value, spec.type);
    case 'percentile':
      return new RunningPercentile(spec.value);
    case 'min':
      return new RunningExtreme(spec.value, fromText(spec.type, spec.pgType), -1);
    case 'max':
      return new RunningExtreme(spec.value, fromText(spec.type, spec.pgType), 1);
    case 'sessions':
      return new Sessions(spec.gap);
  }
}
