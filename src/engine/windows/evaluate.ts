import type { Row } from '../../events/row.ts';
import type { Value } from '../../rules/plan-parts.ts';
import type { WindowProgram } from '../program.ts';
import { readCell } from '../value.ts';
import { type AggregateSpec, startAggregate } from './aggregate.ts';
import type { Entries, Follower, Range } from './entries.ts';
import { ExactSum } from './exact-sum.ts';
import { compareValues } from './order.ts';
import { identityOf, RunningDistinct } from './running-distinct.ts';
import { RunningExtreme } from './running-extreme.ts';
import { RunningSum } from './running-sum.ts';

/** Windows of fewer entries are read through; from here on an aggregate follows them. */
export const FOLLOW_FROM = 8;

/** What a window is asked: by which row, of which entries, and whether that row is the last of its time in them. */
export interface Question {
  row: Row;
  entries: Entries;
  own: boolean;
  specs: readonly AggregateSpec[];
  readonly followFrom: number;
}

/**
 * A window's value for a row: over the entries with time in (at - over, at], and after W - keep, so that what
 * has been forgotten is never missed.
 */
export function evaluateWindow(window: WindowProgram, question: Question): Value {
  const { plan } = window;
  const { row, entries, own } = question;
  const lower = Math.max(row.at - plan.over, row.watermark - window.store.keep);
  const end = entries.upper(row.at);
  // The row came last, so it is the last entry of its time or earlier.
  const hi = own && (!plan.current || plan.fn === 'previous') ? end - 1 : end;
  const lo = lowerIndex(entries, lower, hi);
  if (plan.fn === 'count') return hi - lo;
  if (lo >= hi) return emptyValue(window);
  const value = plan.value ?? 0;
  if (plan.fn === 'first') return readCell(entries.cell(lo, value), window.read);
  if (plan.fn === 'last' || plan.fn === 'previous') return readCell(entries.cell(hi - 1, value), window.read);
  if (hi - lo < question.followFrom) return scan(window, entries, { lo, hi, lower });
  return follow(window, question, { lo, hi, lower });
}

export function emptyValue(window: WindowProgram): Value {
  const { fn } = window.plan;
  return fn === 'count' || fn === 'sum' || fn === 'distinct' ? 0 : null;
}

/** The first entry before `hi` with time after `lower`; from the end, where short windows are. */
function lowerIndex(entries: Entries, lower: number, hi: number): number {
  const { times, head } = entries;
  if (hi <= head) return hi;
  if ((times[head] as number) > lower) return head;
  let step = 1;
  while (hi - step > head && (times[hi - step] as number) > lower) step *= 2;
  let low = Math.max(head, hi - step);
  let high = hi;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) > lower) high = middle;
    else low = middle + 1;
  }
  return low;
}

function follow(window: WindowProgram, { entries, specs }: Question, range: Range): Value {
  const follower = followerOf(entries, specs, window.aggregate);
  if (follower instanceof RunningSum) {
    follower.moveTo(entries, range.lo, range.hi);
    return window.plan.fn === 'sum' ? follower.sum.total() : follower.sum.average();
  }
  if (follower instanceof RunningDistinct) {
    follower.moveTo(entries, range.lo, range.hi);
    return follower.distinct;
  }
  if (follower instanceof RunningExtreme) return follower.query(entries, range);
  throw new Error(`nothing follows ${window.plan.fn}`);
}

function followerOf(
  entries: Entries,
  specs: readonly AggregateSpec[],
  aggregate: number,
): Follower | undefined {
  const spec = specs[aggregate];
  if (spec === undefined) return undefined;
  if (entries.followers?.specs !== specs) entries.followers = { specs, list: specs.map(() => null) };
  const { list } = entries.followers;
  const follower = list[aggregate] ?? startAggregate(spec);
  list[aggregate] = follower;
  return follower;
}

const scratchSum = new ExactSum();
const scratchValues: string[] = [];

/** Reads the entries through. */
function scan(window: WindowProgram, entries: Entries, range: Range): Value {
  const { fn, value } = window.plan;
  const index = value ?? 0;
  if (fn === 'min' || fn === 'max') return scanExtreme(window, entries, range);
  if (fn === 'distinct') return scanDistinct(window, entries, range);
  scratchSum.clear();
  for (let i = range.lo; i < range.hi; i++) {
    const cell = entries.cell(i, index);
    if (typeof cell === 'string') scratchSum.add(cell);
  }
  return fn === 'sum' ? scratchSum.total() : scratchSum.average();
}

/** For few entries, comparing each with those that differ is cheaper than hashing. */
function scanDistinct({ plan, type }: WindowProgram, entries: Entries, { lo, hi }: Range): number {
  scratchValues.length = 0;
  for (let i = lo; i < hi; i++) {
    const cell = entries.cell(i, plan.value ?? 0);
    if (typeof cell !== 'string') continue;
    const identity = identityOf(cell, type);
    if (!scratchValues.includes(identity)) scratchValues.push(identity);
  }
  return scratchValues.length;
}

function scanExtreme({ plan, read }: WindowProgram, entries: Entries, { lo, hi }: Range): Value {
  const sign = plan.fn === 'max' ? 1 : -1;
  let best: Value = null;
  for (let i = lo; i < hi; i++) {
    const value = readCell(entries.cell(i, plan.value ?? 0), read);
    if (value !== null && (best === null || compareValues(value, best) * sign > 0)) best = value;
  }
  return best;
}
