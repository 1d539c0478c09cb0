import type { Expression, ValueType } from '../plan-parts.ts';
import { compileArithmetic, compileNegative } from './arithmetic.ts';
import { compileCell } from './cells.ts';
import { isNamedList, typeOf } from './check.ts';
import { compileComparison } from './comparison.ts';
import { ArgumentError, CelEvaluationError, type Compiled, compiled, constant } from './compiled.ts';
import { compileElement, compileList } from './list-values.ts';
import { compileConditional, compileKnown, compileLogic, compileNot } from './logic.ts';
import { compileMacro, type Local } from './macros.ts';
import type { MatchOrigin } from './match-scope.ts';
import { compileInItems, compileInList, compileInNamedList, compileNamedList } from './membership.ts';
import type { CelProblem, Look } from './result.ts';
import type { Scope, Variable } from './scope.ts';
import { findSignature } from './signatures.ts';
import { ARITHMETIC, COMPARISONS, LOGIC, type Term } from './term.ts';

/** Where the closures of a checked condition are made, and what they are found to read. */
export interface Emission {
  readonly scope: Scope;
  readonly problems: CelProblem[];
  readonly locals: ReadonlyMap<string, Local>;
  readonly columns: Set<number>;
  readonly oldColumns: Set<number>;
  readonly lets: Set<number>;
  readonly lists: Set<string>;
  /** What it reads of a match; a column is null where it is none. */
  readonly looks: Look[];
}

/** Of a term that the checker has accepted. Mistakes in constants are found here, and reported. */
export function emit(term: Term, to: Emission): Compiled {
  switch (term.kind) {
    case 'literal':
      return constant(resultType(term), term.value);
    case 'variable':
      return emitVariable(term.variable, to);
    case 'local':
      return emitLocal(term.name, to);
    case 'unary': {
      const operand = emit(term.operand, to);
      return folded(term.op === '!' ? compileNot(operand) : compileNegative(operand), [operand], term, to);
    }
    case 'binary':
      return emitBinary(term, to);
    case 'conditional':
      return compileConditional(emit(term.condition, to), emit(term.yes, to), emit(term.no, to));
    case 'call':
      return emitCall(term, to);
    case 'macro':
      return emitMacro(term, to);
    case 'known':
      return compileKnown(emit(term.of, to), term.answer);
    case 'element':
      return compileElement(emit(term.list, to), emit(term.index, to), resultType(term));
    case 'list':
      return compileList(
        term.items.map((item) => emit(item, to)),
        resultType(term),
      );
    case 'mistake':
      throw new Error('a condition with mistakes was compiled');
  }
}

function resultType(term: Term): ValueType {
  return typeOf(term) ?? 'string';
}

function emitVariable({ type, origin }: Variable, to: Emission): Compiled {
  switch (origin.kind) {
    case 'column':
      to.columns.add(origin.column);
      return compileCell(origin, type);
    case 'old':
      to.oldColumns.add(origin.column);
      return compileCell(origin, type);
    case 'let': {
      const { index } = origin;
      to.lets.add(index);
      return compiled(type, ({ lets }) => lets[index] ?? null, false);
    }
    case 'at':
      return compiled(type, ({ row }) => row.at, false);
    case 'list':
      return compileNamedList(listIndex(origin.name, to), type);
    default:
      return emitMatch(type, origin, to);
  }
}

function emitMatch(type: ValueType, origin: MatchOrigin, to: Emission): Compiled {
  if (origin.kind === 'key') {
    to.looks.push(...origin.takes);
    return compileCell(origin, type);
  }
  const { step } = origin;
  to.looks.push({ step, column: 'column' in origin ? origin.column : null });
  switch (origin.kind) {
    case 'take':
      return compileCell(origin, type);
    case 'take_at': {
      const { which } = origin;
      const at: Expression = ({ match }) =>
        (which === 'first' ? match?.first(step) : match?.last(step))?.at ?? null;
      return compiled(type, at, false);
    }
    case 'count':
      return compiled(type, ({ match }) => match?.count(step) ?? null, false);
    case 'aggregate': {
      const { kind: _, ...wanted } = origin;
      const index = to.scope.match?.aggregate(wanted) ?? -1;
      return compiled(type, ({ match }) => match?.aggregate(index) ?? null, false);
    }
  }
}

/** In `Frame.lists`. */
function listIndex(name: string, to: Emission): number {
  to.lists.add(name);
  return [...to.scope.lists.keys()].indexOf(name);
}

function emitLocal(name: string, to: Emission): Compiled {
  const local = to.locals.get(name);
  if (local === undefined) throw new Error(`no list macro has the variable ${name}`);
  return compiled(local.type, () => local.value, false);
}

function emitBinary(term: Extract<Term, { kind: 'binary' }>, to: Emission): Compiled {
  if (term.op === 'in') return emitIn(term.left, term.right, to);
  const { op } = term;
  const parts = [emit(term.left, to), emit(term.right, to)] as const;
  const logic = LOGIC.find((one) => one === op);
  if (logic !== undefined) return compileLogic(logic, ...parts);
  const comparison = COMPARISONS.find((one) => one === op);
  if (comparison !== undefined) return compileComparison(comparison, ...parts);
  const arithmetic = ARITHMETIC.find((one) => one === op);
  if (arithmetic === undefined) throw new Error(`no operator ${op}`);
  return folded(compileArithmetic(arithmetic, parts, resultType(term)), parts, term, to);
}

function emitIn(left: Term, right: Term, to: Emission): Compiled {
  const value = emit(left, to);
  if (right.kind === 'variable' && right.variable.origin.kind === 'list' && isNamedList(right)) {
    return compileInNamedList(value, listIndex(right.variable.origin.name, to));
  }
  if (right.kind === 'list')
    return compileInItems(
      value,
      right.items.map((item) => emit(item, to)),
    );
  return compileInList(value, emit(right, to));
}

function emitCall(term: Extract<Term, { kind: 'call' }>, to: Emission): Compiled {
  const terms = term.receiver === null ? term.args : [term.receiver, ...term.args];
  const parts = terms.map((part) => emit(part, to));
  const signature = findSignature(
    term.name,
    term.receiver !== null,
    parts.map((part) => part.type),
  );
  if (signature === null) throw new Error(`${term.name}() was checked, and has no such signature`);
  try {
    const call = compiled(
      signature.result,
      signature.build(parts),
      signature.throws || parts.some((p) => p.throws),
    );
    return folded(call, parts, term, to);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    const offset = terms[error.argument]?.node.pos ?? term.node.pos;
    to.problems.push({
      offset,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
    return compiled(signature.result, () => null, false);
  }
}

/** The same for every row: evaluated now, so that `timestamp("junk")` is a mistake of the file. */
function folded(part: Compiled, of: readonly Compiled[], ...[term, to]: [Term, Emission]): Compiled {
  if (of.some((one) => one.constant === null)) return part;
  try {
    // No part of it looks at the frame.
    return constant(part.type, (part.run as () => ReturnType<Expression>)());
  } catch (error) {
    if (!(error instanceof CelEvaluationError)) throw error;
    to.problems.push({ offset: term.node.pos, message: error.message });
    return part;
  }
}

function emitMacro(term: Extract<Term, { kind: 'macro' }>, to: Emission): Compiled {
  const list = emit(term.list, to);
  const local: Local = { type: typeof list.type === 'string' ? list.type : list.type.list, value: null };
  const inside: Emission = { ...to, locals: new Map([...to.locals, [term.local, local]]) };
  const predicate = term.predicate === null ? null : emit(term.predicate, inside);
  const result = term.result === null ? null : emit(term.result, inside);
  return compileMacro({ name: term.macro, list, local, predicate, result }, resultType(term));
}
