import type { ValueType } from '../plan-parts.ts';
import { type CelNode, checkedType, valueTypeFrom } from './cel-js.ts';
import type { CelProblem } from './result.ts';
import { COMPARISONS, type Term } from './term.ts';
import { describe } from './unknown-function.ts';

type Complaint = Omit<CelProblem, 'offset'>;

/** A mistake that our own checks find; it says what it means. */
export class CheckError extends Error {}

/** What the checker says of a term, in the words of the rule's author. */
export function explain(error: unknown, term: Term, source: string): CelProblem {
  return { offset: offsetOf(error, term), ...complaint(error, term, source) };
}

function complaint(error: unknown, term: Term, source: string): Complaint {
  const said: Complaint = { message: summaryOf(error) };
  if (error instanceof CheckError) return said;
  switch (term.kind) {
    case 'binary':
      return term.op === '&&' || term.op === '||' ? needsBool(term, source) : mismatch(term, source);
    case 'unary':
      return {
        message: `${term.op}${shown(term.operand, source)}: ${nameOf(term.operand)} has no ${term.op === '!' ? 'opposite' : 'negative'}`,
      };
    case 'call': {
      const args = term.args.map(nameOf).join(', ');
      const on = term.receiver === null ? '' : `${nameOf(term.receiver)}.`;
      const hint = describe(term.name, term.receiver !== null);
      return { message: `${on}${term.name}(${args}): no such arguments`, hint };
    }
    case 'conditional':
      return conditional(term, source, said);
    case 'macro':
      return macro(term, source);
    case 'list':
      return {
        message: 'the elements of a list must have one type',
        hint: term.items.map(nameOf).join(', '),
      };
    default:
      return said;
  }
}

function conditional(
  term: Extract<Term, { kind: 'conditional' }>,
  source: string,
  said: Complaint,
): Complaint {
  if (nameOf(term.condition) !== 'bool') {
    return {
      message: `${shown(term.condition, source)}: before ? stands a bool, not a ${nameOf(term.condition)}`,
    };
  }
  const [yes, no] = [nameOf(term.yes), nameOf(term.no)];
  return yes === no ? said : { message: `both sides of : must have one type, not ${yes} and ${no}` };
}

function macro(term: Extract<Term, { kind: 'macro' }>, source: string): Complaint {
  const { macro: name, list, predicate } = term;
  const type = nameOf(list);
  if (!type.startsWith('list'))
    return { message: `${shown(list, source)}.${name}(…): ${type} is not a list` };
  const wrong = predicate ?? list;
  return { message: `${name}(x, …): ${shown(wrong, source)} must be a bool, and is a ${nameOf(wrong)}` };
}

type Binary = Extract<Term, { kind: 'binary' }>;

function needsBool(term: Binary, source: string): Complaint {
  const wrong = [term.left, term.right].find((part) => nameOf(part) !== 'bool') ?? term;
  return {
    message: `${term.op} stands between conditions, and ${shown(wrong, source)} is a ${nameOf(wrong)}`,
  };
}

function mismatch(term: Binary, source: string): Complaint {
  const [left, right] = [nameOf(term.left), nameOf(term.right)];
  const compares = COMPARISONS.some((op) => op === term.op);
  const what = term.op === 'in' ? 'looked up in' : compares ? 'compared with' : `combined by ${term.op} with`;
  const message = `${shown(term, source)}: ${left} cannot be ${what} ${right}`;
  const hint = mismatchHint(term, source);
  return hint === undefined ? { message } : { message, hint };
}

function mismatchHint({ left, right }: Binary, source: string): string | undefined {
  return (
    literalHint(left, right, source) ??
    literalHint(right, left, source) ??
    conversionHint(left, right, source) ??
    conversionHint(right, left, source)
  );
}

function literalHint(one: Term, other: Term, source: string): string | undefined {
  if (one.kind !== 'literal') return undefined;
  const [text, type, wanted] = [shown(one, source), nameOf(one), nameOf(other)];
  if (one.value === null) return `NULL is asked for by is_null(${shown(other, source)})`;
  if (type === 'double' && wanted === 'string') return `a text is written "${text}"`;
  if (type === 'double' && wanted === 'duration') return `a duration is written duration("${text}s")`;
  if (type === 'string' && wanted === 'double' && typeof one.value === 'string')
    return `a number has no quotes`;
  if (wanted !== 'bool' || other.kind === 'literal') return undefined;
  return `${shown(other, source)} is a condition itself: ${shown(other, source)} or !${shown(other, source)}`;
}

function conversionHint(one: Term, other: Term, source: string): string | undefined {
  const [text, wanted] = [shown(one, source), nameOf(other)];
  if (nameOf(one) !== 'string') return undefined;
  if (wanted === 'timestamp' || wanted === 'duration') return `write ${wanted}(${text})`;
  if (wanted === 'double') return `convert one: double(${text}) or string(${shown(other, source)})`;
  return undefined;
}

/** A type as errors name it. */
function nameOf(term: Term): string {
  const type = checkedType(term.node);
  if (type === null) return 'unknown';
  if (type.name === 'null') return 'null';
  const value = valueTypeFrom(type);
  return value === null ? type.name : plainName(value);
}

function plainName(type: ValueType): string {
  return typeof type === 'string' ? type : `list of ${plainName(type.list)}`;
}

const LONGEST = 40;

function shown(term: Term, source: string): string {
  const text = source.slice(term.node.start, term.node.end);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

function summaryOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'summary' in error ? String(error.summary) : error.message;
}

/** The checker's own place is that of the part that is wrong: a macro's condition, a list's element. */
function offsetOf(error: unknown, term: Term): number {
  const node = error instanceof Error ? (Reflect.get(error, 'node') as CelNode | undefined) : undefined;
  return node?.pos ?? term.node.pos;
}
