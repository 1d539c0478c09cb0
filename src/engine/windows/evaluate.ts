import type { Value } from '../../rules/plan-parts.ts';
import type { WindowProgram } from '../program.ts';
import { readCell } from '../value.ts';
import { evaluatePanes } from './evaluate-panes.ts';
import { followerOf } from './followers.ts';
import { listOf } from './list.ts';
import { isNew } from './novelty.ts';
import type { Question } from './question.ts';
import { setRange } from './range.ts';
import { RunningDeviation } from './running-deviation.ts';
import { RunningDistinct } from './running-distinct.ts';
import { RunningExtreme } from './running-extreme.ts';
import { RunningPercentile } from './running-percentile.ts';
import { RunningSum } from './running-sum.ts';
import { scan } from './scan.ts';
import { speedFrom } from './speed.ts';

/** Windows of fewer entries are read through; from here on an aggregate follows them. */
export const FOLLOW_FROM = 8;

/** A window's value for a row. */
export function evaluateWindow(window: WindowProgram, question: Question): Value {
  const { plan, value, read } = window;
  const { entries, range } = question;
  setRange(window, question);
  const { lo, hi } = range;
  switch (plan.fn) {
    case 'count':
      if (window.panes !== null && lo < hi) return evaluatePanes(window, window.panes, question);
      return hi - lo;
    case 'first':
      return lo < hi ? readCell(entries.cell(lo, value), read) : null;
    case 'last':
    case 'previous':
      return lo < hi ? readCell(entries.cell(hi - 1, value), read) : null;
    case 'list':
      return listOf(window, question);
    case 'speed_kmh':
      return lo < hi ? speedFrom(hi - 1, window, question) : null;
    case 'first_seen':
      return isNew(window, question);
    default:
      if (lo >= hi) return emptyValue(window);
      if (window.panes !== null) return evaluatePanes(window, window.panes, question);
      return hi - lo < question.followFrom ? scan(window, entries, range) : follow(window, question);
  }
}

/** Of a window without rows, whatever the row; not of first_seen, which is about the row too. */
export function emptyValue({ plan: { fn } }: WindowProgram): Value {
  return fn === 'count' || fn === 'sum' || fn === 'distinct' ? 0 : null;
}

function follow(window: WindowProgram, { entries, specs, range }: Question): Value {
  const { fn, percent } = window.plan;
  const follower = followerOf(entries, specs, window.aggregate);
  if (follower instanceof RunningExtreme) return follower.query(entries, range);
  if (follower instanceof RunningSum) {
    follower.moveTo(entries, range.lo, range.hi);
    return fn === 'sum' ? follower.sum.total() : follower.sum.average();
  }
  if (follower instanceof RunningDistinct) {
    follower.moveTo(entries, range.lo, range.hi);
    return follower.distinct;
  }
  if (follower instanceof RunningDeviation) {
    follower.moveTo(entries, range.lo, range.hi);
    return follower.deviation;
  }
  if (follower instanceof RunningPercentile) {
    follower.moveTo(entries, range.lo, range.hi);
    return follower.percentile(percent ?? 0);
  }
  throw new Error(`nothing follows ${fn}`);
}
