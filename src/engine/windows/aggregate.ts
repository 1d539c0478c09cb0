import type { Micros } from '../../events/row.ts';
import { fromText } from '../../rules/cel/cells.ts';
import type { StorePlan, WindowPlan } from '../../rules/plan.ts';
import type { ValueType } from '../../rules/plan-parts.ts';
import type { Follower } from './entries.ts';
import { RunningDistinct } from './running-distinct.ts';
import { RunningExtreme } from './running-extreme.ts';
import { RunningSum } from './running-sum.ts';

/** What is kept up to date for the windows of a store that need more than a place in its entries. */
export interface AggregateSpec {
  readonly kind: 'sum' | 'distinct' | 'min' | 'max';
  readonly value: number;
  readonly type: ValueType;
  readonly pgType: string;
  readonly over: Micros;
  readonly current: boolean;
}

/** The index of the aggregate of a window among those of its store, which it may join; -1: it needs none. */
export function aggregateOf(window: WindowPlan, store: StorePlan, specs: AggregateSpec[]): number {
  const kind = kindOf(window);
  if (kind === null) return -1;
  const value = store.values[window.value ?? -1];
  if (window.value === null || value === undefined) throw new Error(`a window's ${window.fn} has no value`);
  // Sums and counts of values step back over the row itself for nothing; a deque does not go back.
  const current = kind === 'sum' || kind === 'distinct' ? true : window.current;
  const { type, pgType } = value;
  const spec: AggregateSpec = { kind, type, pgType, value: window.value, over: window.over, current };
  const known = specs.findIndex((other) => JSON.stringify(other) === JSON.stringify(spec));
  return known >= 0 ? known : specs.push(spec) - 1;
}

function kindOf(window: WindowPlan): AggregateSpec['kind'] | null {
  if (window.fn === 'avg') return 'sum';
  return window.fn === 'sum' || window.fn === 'distinct' || window.fn === 'min' || window.fn === 'max'
    ? window.fn
    : null;
}

export function startAggregate(spec: AggregateSpec): Follower {
  switch (spec.kind) {
    case 'sum':
      return new RunningSum(spec.value);
    case 'distinct':
      return new RunningDistinct(spec.value, spec.type);
    case 'min':
      return new RunningExtreme(spec.value, fromText(spec.type, spec.pgType), -1);
    case 'max':
      return new RunningExtreme(spec.value, fromText(spec.type, spec.pgType), 1);
  }
}
