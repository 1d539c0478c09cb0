import type { Value } from '../../rules/plan-parts.ts';
import type { WindowProgram } from '../program.ts';
import { readCell } from '../value.ts';
import { deviation } from './deviation.ts';
import type { Entries, Range } from './entries.ts';
import { ExactSum } from './exact-sum.ts';
import { compareValues } from './order.ts';
import { numberOf, percentileOf, sortNumbers } from './percentile.ts';
import { identityOf } from './running-distinct.ts';

const scratchSum = new ExactSum();
const scratchSquares = new ExactSum({ squares: true });
const scratchValues: string[] = [];

/** A window's value by reading its entries through: for few, that is the fastest. */
export function scan(window: WindowProgram, entries: Entries, range: Range): Value {
  switch (window.plan.fn) {
    case 'min':
    case 'max':
      return scanExtreme(window, entries, range);
    case 'distinct':
      return scanDistinct(window, entries, range);
    case 'percentile':
      return scanPercentile(window, entries, range);
    case 'stddev':
      return scanDeviation(window, entries, range);
    default:
      return scanSum(window, entries, range);
  }
}

function scanSum({ plan, value }: WindowProgram, entries: Entries, { lo, hi }: Range): Value {
  scratchSum.clear();
  for (let i = lo; i < hi; i++) {
    const cell = entries.cell(i, value);
    if (typeof cell === 'string') scratchSum.add(cell);
  }
  return plan.fn === 'sum' ? scratchSum.total() : scratchSum.average();
}

function scanDeviation({ value }: WindowProgram, entries: Entries, { lo, hi }: Range): Value {
  scratchSum.clear();
  scratchSquares.clear();
  for (let i = lo; i < hi; i++) {
    const cell = entries.cell(i, value);
    if (typeof cell !== 'string') continue;
    scratchSum.add(cell);
    scratchSquares.add(cell);
  }
  return deviation(scratchSum, scratchSquares);
}

/** For few entries, comparing each with those that differ is cheaper than hashing. */
function scanDistinct({ value, type }: WindowProgram, entries: Entries, { lo, hi }: Range): number {
  scratchValues.length = 0;
  for (let i = lo; i < hi; i++) {
    const cell = entries.cell(i, value);
    if (typeof cell !== 'string') continue;
    const identity = identityOf(cell, type);
    if (!scratchValues.includes(identity)) scratchValues.push(identity);
  }
  return scratchValues.length;
}

function scanPercentile({ plan, value }: WindowProgram, entries: Entries, { lo, hi }: Range): Value {
  const numbers: number[] = [];
  for (let i = lo; i < hi; i++) {
    const cell = entries.cell(i, value);
    if (typeof cell === 'string') numbers.push(numberOf(cell));
  }
  sortNumbers(numbers);
  return percentileOf(plan.percent ?? 0, numbers.length, (place) => numbers[place] as number);
}

export function scanExtreme(
  { plan, value, read }: WindowProgram,
  entries: Entries,
  { lo, hi }: Range,
): Value {
  const sign = plan.fn === 'max' ? 1 : -1;
  let best: Value = null;
  for (let i = lo; i < hi; i++) {
    const found = readCell(entries.cell(i, value), read);
    if (found !== null && (best === null || compareValues(found, best) * sign > 0)) best = found;
  }
  return best;
}
