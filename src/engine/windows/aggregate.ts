import type { Micros } from '../../events/row.ts';
import { fromText } from '../../rules/cel/cells.ts';
import type { Over } from '../../rules/over.ts';
import { partsOf } from '../../rules/panes.ts';
import type { PanePart, StorePlan, WindowFunction, WindowPlan } from '../../rules/plan.ts';
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
  const extreme = kind === 'min' || kind === 'max';
  if (kind === undefined || (store.panes !== null && !extreme)) return -1;
  const value = store.values[window.values[0] ?? -1];
  if (value === undefined) throw new Error(`a window's ${window.fn} has no value`);
  // Sums and counts of values step back over the row itself for nothing; a deque does not go back.
  const current = extreme ? window.current : true;
  const { type, pgType } = value;
  return indexOf({ kind, type, pgType, value: cellOf(window, store), over: window.over, current }, specs);
}

/** Which cell of an entry has the value of a window; in panes, that of an extreme. */
export function cellOf({ fn, values }: WindowPlan, { panes }: StorePlan): number {
  const [value = 0] = values;
  if (panes === null) return value;
  return panes.parts.findIndex((one) => one.part === fn && one.value === value);
}

/** By part of the panes that a window adds up: its cell in an entry, and the aggregate that follows its sum. */
export type PaneWindow = Readonly<Partial<Record<PanePart, PaneSum>>>;
export interface PaneSum {
  readonly cell: number;
  readonly aggregate: number;
}

/** null: the entries of its store are rows. */
export function paneWindow(
  { fn, values, over }: WindowPlan,
  { panes }: StorePlan,
  specs: AggregateSpec[],
): PaneWindow | null {
  if (panes === null) return null;
  const sums = partsOf(fn)
    .filter((part) => part !== 'min' && part !== 'max')
    .map((part): [PanePart, PaneSum] => {
      const value = part === 'rows' ? -1 : values[0];
      const cell = panes.parts.findIndex((one) => one.part === part && one.value === value);
      if (cell < 0) throw new Error(`the panes of a ${fn} have no ${part}`);
      const sum = {
        kind: 'sum',
        type: 'double',
        pgType: 'numeric',
        value: cell,
        over,
        current: true,
      } as const;
      return [part, { cell, aggregate: indexOf(sum, specs) }];
    });
  return Object.fromEntries(sums);
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
