import { isNamedList, typeOf } from '../cel/check.ts';
import { checkSource, newReads } from '../cel/compile.ts';
import { emit } from '../cel/emit.ts';
import type { CelFailure } from '../cel/result.ts';
import type { Scope, Variable } from '../cel/scope.ts';
import { findSignature } from '../cel/signatures.ts';
import { ARITHMETIC, COMPARISONS, LOGIC, partsOf, type Term } from '../cel/term.ts';
import type { ValueType } from '../plan-parts.ts';
import { baseName, columnPart, textNeedsSettings } from './column-sql.ts';
import { callSql, FUNCTION_NAMES } from './functions.ts';
import { inArray, inItems, inNamedList } from './membership.ts';
import { arithmetic, comparison } from './operators.ts';
import { constantPart, type SqlPart, sqlPart, Untranslatable } from './sql-part.ts';
import { clockSql } from './time-sql.ts';

export interface Translation {
  readonly scope: Scope;
  /** By the index of the `let`; none is a window. */
  readonly lets: readonly SqlPart[];
  /** PostgreSQL computes them after the trigger has run. */
  readonly generated: ReadonlySet<string>;
  readonly reads: GuardReads;
}

/** What the SQL of a rule looks at. */
export interface GuardReads {
  readonly columns: Set<string>;
  readonly lists: Set<string>;
  /** The text of a value depends on how the session writes dates, floats and the like. */
  settings: boolean;
}

/**
 * A condition over the row that is to be inserted and over lists, in SQL. `source` has been checked.
 * @throws Nothing: what SQL cannot do as CEL does is a mistake, with its place.
 */
export function translate(
  source: string,
  to: Translation,
  expected: ValueType | 'any' = 'bool',
): SqlPart | CelFailure {
  const checked = checkSource(source, to.scope, expected);
  if ('kind' in checked) return checked;
  try {
    return partOf(checked.term, to);
  } catch (error) {
    if (!(error instanceof Untranslatable)) throw error;
    const { offset, message, hint } = error;
    return { kind: 'error', problems: [{ offset, message, ...(hint === undefined ? {} : { hint }) }] };
  }
}

function partOf(term: Term, to: Translation): SqlPart {
  const constant = constantOf(term, to);
  if (constant !== null) return constant;
  switch (term.kind) {
    case 'variable':
      return variable(term.variable, term, to);
    case 'unary': {
      const operand = partOf(term.operand, to);
      if (term.op === '!') return sqlPart('bool', `(not ${operand.sql})`);
      return sqlPart(operand.type, `(- ${operand.sql})`, { nan: operand.nan, plain: operand.plain });
    }
    case 'binary':
      return binary(term, to);
    case 'conditional': {
      const [condition, yes, no] = [term.condition, term.yes, term.no].map((part) => partOf(part, to).sql);
      return sqlPart(resultOf(term), `(case ${condition} when true then ${yes} when false then ${no} end)`);
    }
    case 'call':
      return call(term, to);
    case 'known':
      return sqlPart('bool', `(${partOf(term.of, to).sql} is ${term.answer ? 'not ' : ''}null)`);
    case 'literal':
      throw refused(term, 'this text is none in PostgreSQL');
    default:
      throw refused(term, 'lists of values are not translated', 'write x in [1, 2], or x in lists.NAME');
  }
}

function refused(term: Term, what: string, hint?: string): Untranslatable {
  return new Untranslatable(term.node.pos, `${what}: in a guard rule it would have to be SQL`, hint);
}

function resultOf(term: Term): ValueType {
  return typeOf(term) ?? 'string';
}

/** Null where it looks at anything. Folded by the closures, so that both have one answer. */
function constantOf(term: Term, { scope }: Translation): SqlPart | null {
  if (readsAnything(term)) return null;
  const { constant } = emit(term, { scope, problems: [], locals: new Map(), ...newReads() });
  return constant === null ? null : constantPart(resultOf(term), constant.value);
}

function readsAnything(term: Term): boolean {
  return term.kind === 'variable' || term.kind === 'local' || partsOf(term).some(readsAnything);
}

function variable({ name, type, origin }: Variable, term: Term, to: Translation): SqlPart {
  switch (origin.kind) {
    case 'column':
      if (to.generated.has(name)) {
        const message = `column "${name}" is generated: PostgreSQL computes it after the guard has looked`;
        throw new Untranslatable(term.node.pos, message, 'use the columns that it is made from');
      }
      to.reads.columns.add(name);
      // A float4 is read by its text.
      to.reads.settings ||= /^(float4|real)$/.test(baseName(origin.pgType));
      return columnPart(name, origin.pgType, type);
    case 'let': {
      const part = to.lets[origin.index];
      if (part === undefined) throw new Error(`the let ${name} was not translated`);
      return part;
    }
    case 'at': {
      const message = `at: the time of a row is known once it is committed, and a guard judges it before`;
      throw new Untranslatable(term.node.pos, message, 'name a column that holds the time');
    }
    case 'old':
      throw new Untranslatable(term.node.pos, `old.${name}: a row that is inserted has no old one`);
    case 'list':
      throw refused(term, 'the values of a list', `a guard rule asks x in lists.${name}`);
    default:
      throw new Error(`a rule has no ${origin.kind}`);
  }
}

function binary(term: Extract<Term, { kind: 'binary' }>, to: Translation): SqlPart {
  if (term.op === 'in') return sqlPart('bool', membership(term, to));
  const { op } = term;
  const [left, right] = [partOf(term.left, to), partOf(term.right, to)];
  if (LOGIC.some((one) => one === op)) {
    return sqlPart('bool', `(${left.sql} ${op === '&&' ? 'and' : 'or'} ${right.sql})`);
  }
  const compared = COMPARISONS.find((one) => one === op);
  if (compared !== undefined) {
    const sql = comparison(compared, left, right);
    if (sql === null) throw refused(term, 'lists are not compared');
    return sqlPart('bool', sql);
  }
  const computed = ARITHMETIC.find((one) => one === op);
  const part = computed === undefined ? null : arithmetic(computed, left, right);
  if (part !== null) return { ...part, type: resultOf(term) };
  throw refused(term, `${op} has no counterpart that gives the same`);
}

function membership(term: Extract<Term, { kind: 'binary' }>, to: Translation): string {
  const { right } = term;
  const left = partOf(term.left, to);
  if (right.kind === 'variable' && right.variable.origin.kind === 'list' && isNamedList(right)) {
    const { name } = right.variable.origin;
    const sql = inNamedList(left, name, to.scope.lists.get(name) ?? new Set());
    if (sql === null) {
      const why = 'what is computed is looked up by its text, which PostgreSQL may write in another way';
      throw new Untranslatable(term.left.node.pos, why, 'look up a column');
    }
    to.reads.lists.add(name);
    to.reads.settings ||= readsSettings(term.left);
    return sql;
  }
  if (right.kind === 'list')
    return inItems(
      left,
      right.items.map((item) => partOf(item, to)),
    );
  const sql = inArray(left, partOf(right, to), right.kind === 'variable' ? right.variable.origin : null);
  if (sql !== null) return sql;
  throw refused(
    term,
    'this list is not looked into',
    'texts and whole numbers are, in columns that are arrays',
  );
}

function readsSettings(term: Term): boolean {
  const origin = term.kind === 'variable' ? term.variable.origin : null;
  return origin?.kind === 'column' && textNeedsSettings(origin.pgType);
}

function call(term: Extract<Term, { kind: 'call' }>, to: Translation): SqlPart {
  const terms = term.receiver === null ? term.args : [term.receiver, ...term.args];
  const [first, zone] = terms;
  const result = resultOf(term);
  const clock = first === undefined ? null : clockSql(term.name, first, zone ?? null);
  const parts = terms.map((part) => partOf(part, to));
  if (clock !== null) return sqlPart(result, clock, { nan: false });
  const types = terms.map(resultOf);
  const signature = findSignature(term.name, term.receiver !== null, types);
  const sql = signature === null ? null : callSql(signature.text, parts);
  if (sql !== null) return sqlPart(result, sql);
  const hint = `a guard rule may call ${FUNCTION_NAMES.join(', ')}; the parts of a time (getHours(), …) of columns`;
  throw refused(term, `${term.name}() of this has no counterpart that gives the same on every row`, hint);
}
