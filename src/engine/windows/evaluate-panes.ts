import type { Value } from '../../rules/plan-parts.ts';
import type { WindowProgram } from '../program.ts';
import type { PaneWindow } from './aggregate.ts';
import { deviation } from './deviation.ts';
import { ExactSum } from './exact-sum.ts';
import { followerOf } from './followers.ts';
import type { Question } from './question.ts';
import { RunningExtreme } from './running-extreme.ts';
import { RunningSum } from './running-sum.ts';
import { scanExtreme } from './scan.ts';

const scratch = { rows: new ExactSum(), known: new ExactSum(), sum: new ExactSum(), squares: new ExactSum() };
type Summed = keyof typeof scratch;

/** A window's value where its entries are panes. The range has one at least. */
export function evaluatePanes(window: WindowProgram, panes: PaneWindow, question: Question): Value {
  switch (window.plan.fn) {
    case 'count':
      return sumOf('rows', panes, question).total();
    case 'sum':
      return sumOf('sum', panes, question).total();
    case 'avg':
      return sumOf('sum', panes, question).average(sumOf('known', panes, question).total());
    case 'stddev':
      return deviation(
        sumOf('sum', panes, question),
        sumOf('squares', panes, question),
        sumOf('known', panes, question).total(),
      );
    case 'min':
    case 'max':
      return extreme(window, question);
    default:
      throw new Error(`panes do not make up ${window.plan.fn}`);
  }
}

function sumOf(part: Summed, panes: PaneWindow, { entries, range, specs, followFrom }: Question): ExactSum {
  const { cell, aggregate } = panes[part] ?? { cell: 0, aggregate: -1 };
  if (range.hi - range.lo >= followFrom) {
    const follower = followerOf(entries, specs, aggregate);
    if (!(follower instanceof RunningSum)) throw new Error(`nothing follows the ${part} of panes`);
    follower.moveTo(entries, range.lo, range.hi);
    return follower.sum;
  }
  const sum = scratch[part];
  sum.clear();
  for (let i = range.lo; i < range.hi; i++) {
    const text = entries.cell(i, cell);
    if (typeof text === 'string') sum.add(text);
  }
  return sum;
}

function extreme(window: WindowProgram, { entries, range, specs, followFrom }: Question): Value {
  if (range.hi - range.lo < followFrom) return scanExtreme(window, entries, range);
  const follower = followerOf(entries, specs, window.aggregate);
  if (follower instanceof RunningExtreme) return follower.query(entries, range);
  throw new Error(`nothing follows ${window.plan.fn}`);
}
