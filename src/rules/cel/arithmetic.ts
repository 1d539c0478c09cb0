import type { Expression, Frame, ValueType } from '../plan-parts.ts';
import { asList, asNumber, asText, type Compiled, compiled } from './compiled.ts';
import type { Arithmetic } from './term.ts';

type Numbers = (frame: Frame) => number | null;

/** Numbers, and times and durations, which are numbers of microseconds; `+` also joins texts and lists. */
export function compileArithmetic(
  op: Arithmetic,
  parts: readonly [Compiled, Compiled],
  type: ValueType,
): Compiled {
  const [left, right] = parts;
  const throws = left.throws || right.throws;
  if (typeof type !== 'string') return compiled(type, concatLists(left, right), throws);
  if (type === 'string') return compiled(type, concatTexts(left, right), throws);
  return compiled(type, ARITHMETIC[op](asNumber(left), asNumber(right)), throws);
}

/** One closure an operator: a shared one that takes the operator costs a call on each row. */
const ARITHMETIC: Readonly<Record<Arithmetic, (a: Numbers, b: Numbers) => Numbers>> = {
  '+': (a, b) => (frame) => {
    const left = a(frame);
    if (left === null) return null;
    const right = b(frame);
    return right === null ? null : left + right;
  },
  '-': (a, b) => (frame) => {
    const left = a(frame);
    if (left === null) return null;
    const right = b(frame);
    return right === null ? null : left - right;
  },
  '*': (a, b) => (frame) => {
    const left = a(frame);
    if (left === null) return null;
    const right = b(frame);
    return right === null ? null : left * right;
  },
  '/': (a, b) => (frame) => {
    const left = a(frame);
    if (left === null) return null;
    const right = b(frame);
    return right === null ? null : left / right;
  },
  '%': (a, b) => (frame) => {
    const left = a(frame);
    if (left === null) return null;
    const right = b(frame);
    return right === null ? null : left % right;
  },
};

function concatTexts(left: Compiled, right: Compiled): Expression {
  const [a, b] = [asText(left), asText(right)];
  return (frame) => {
    const first = a(frame);
    if (first === null) return null;
    const second = b(frame);
    return second === null ? null : first + second;
  };
}

function concatLists(left: Compiled, right: Compiled): Expression {
  const [a, b] = [asList(left), asList(right)];
  return (frame) => {
    const first = a(frame);
    if (first === null) return null;
    const second = b(frame);
    return second === null ? null : [...first, ...second];
  };
}

export function compileNegative(operand: Compiled): Compiled {
  const run = asNumber(operand);
  const negative: Expression = (frame) => {
    const value = run(frame);
    return value === null ? null : -value;
  };
  return compiled(operand.type, negative, operand.throws);
}
