import type { Expression, Frame, Value } from '../plan-parts.ts';
import { asNumber, asText, type Compiled, compiled } from './compiled.ts';
import type { Comparison } from './term.ts';

type Order = Exclude<Comparison, '==' | '!='>;
type Numbers = (frame: Frame) => number | null;

export function compileComparison(op: Comparison, left: Compiled, right: Compiled): Compiled {
  const throws = left.throws || right.throws;
  if (op === '==' || op === '!=') return compiled('bool', equality(op === '==', left, right), throws);
  return compiled(
    'bool',
    left.type === 'string' ? orderTexts(op, left, right) : orderNumbers(op, left, right),
    throws,
  );
}

/** Two whole-number columns by their texts, which are exact; all else by value. */
function equality(wanted: boolean, left: Compiled, right: Compiled): Expression {
  if (left.exact && right.exact && left.text !== null && right.text !== null && left.texts === null) {
    return equalScalars(wanted, left.text, right.text);
  }
  if (typeof left.type === 'string') return equalScalars(wanted, left.run, right.run);
  return (frame) => {
    const equal = equalValues(left.run(frame), right.run(frame));
    return equal === null ? null : equal === wanted;
  };
}

function equalScalars(wanted: boolean, a: Expression, b: Expression): Expression {
  return (frame) => {
    const left = a(frame);
    if (left === null) return null;
    const right = b(frame);
    return right === null ? null : (left === right) === wanted;
  };
}

/** Lists as rows in SQL: one pair that differs decides, else one that is unknown. */
export function equalValues(left: Value, right: Value): boolean | null {
  if (left === null || right === null) return null;
  if (typeof left !== 'object' || typeof right !== 'object') return left === right;
  if (left.length !== right.length) return false;
  let equal: boolean | null = true;
  for (const [index, item] of left.entries()) {
    const same = equalValues(item, right[index] ?? null);
    if (same === false) return false;
    if (same === null) equal = null;
  }
  return equal;
}

function orderNumbers(op: Order, left: Compiled, right: Compiled): Expression {
  const bound = right.constant?.value;
  if (typeof bound === 'number') return BOUNDS[op](asNumber(left), bound);
  return NUMBERS[op](asNumber(left), asNumber(right));
}

/** One closure an operator: a shared one that takes the operator costs a call on each row. */
const BOUNDS: Readonly<Record<Order, (a: Numbers, bound: number) => Expression>> = {
  '<': (a, bound) => (frame) => {
    const value = a(frame);
    return value === null ? null : value < bound;
  },
  '<=': (a, bound) => (frame) => {
    const value = a(frame);
    return value === null ? null : value <= bound;
  },
  '>': (a, bound) => (frame) => {
    const value = a(frame);
    return value === null ? null : value > bound;
  },
  '>=': (a, bound) => (frame) => {
    const value = a(frame);
    return value === null ? null : value >= bound;
  },
};

const NUMBERS: Readonly<Record<Order, (a: Numbers, b: Numbers) => Expression>> = {
  '<': (a, b) => ordered(a, b, (left, right) => left < right),
  '<=': (a, b) => ordered(a, b, (left, right) => left <= right),
  '>': (a, b) => ordered(a, b, (left, right) => left > right),
  '>=': (a, b) => ordered(a, b, (left, right) => left >= right),
};

function orderTexts(op: Order, left: Compiled, right: Compiled): Expression {
  const [a, b] = [asText(left), asText(right)];
  const holds: Readonly<Record<Order, (order: number) => boolean>> = {
    '<': (order) => order < 0,
    '<=': (order) => order <= 0,
    '>': (order) => order > 0,
    '>=': (order) => order >= 0,
  };
  const test = holds[op];
  return ordered(a, b, (first, second) => test(compareTexts(first, second)));
}

function ordered<T extends Value>(
  a: (frame: Frame) => T | null,
  b: (frame: Frame) => T | null,
  test: (left: T, right: T) => boolean,
): Expression {
  return (frame) => {
    const left = a(frame);
    if (left === null) return null;
    const right = b(frame);
    return right === null ? null : test(left, right);
  };
}

/** By code points, as PostgreSQL's COLLATE "C" over UTF-8; JavaScript's `<` puts surrogates before U+E000. */
export function compareTexts(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i += 1) {
    const [a, b] = [left.charCodeAt(i), right.charCodeAt(i)];
    if (a !== b) return inCodePointOrder(a) - inCodePointOrder(b);
  }
  return left.length - right.length;
}

function inCodePointOrder(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
