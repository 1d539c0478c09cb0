import type { ValueType } from '../plan-parts.ts';
import { sameType, typeName } from '../value-type.ts';
import { type Parsed, parseCel } from './cel-js.ts';
import { installChecks, typeOf } from './check.ts';
import { emit } from './emit.ts';
import { resolve } from './resolve.ts';
import type { CelFailure, CelProblem, CelResult, Look } from './result.ts';
import type { Scope } from './scope.ts';
import { explainSyntax } from './syntax.ts';
import type { Term } from './term.ts';
import { toldOf } from './told.ts';

/**
 * Checks a condition against the names and types in scope and compiles it to closures. `expected` is the type
 * that it must have; with 'bool', `run` is a `Condition`. Mistakes come with UTF-16 offsets into `source`.
 */
export function compileCel(source: string, scope: Scope, expected: ValueType | 'any'): CelResult {
  const checked = checkSource(source, scope, expected);
  if ('kind' in checked) return checked;
  const { term, type, problems } = checked;
  const reads = newReads();
  const { run, text } = emit(term, { scope, problems, locals: new Map(), ...reads });
  if (problems.length > 0) return failure(problems);
  return { kind: 'ok', type, run, text, told: toldOf(term, scope), ...reads, literalTrue: isTrue(term) };
}

export interface CheckedSource {
  readonly term: Term;
  readonly type: ValueType;
  readonly problems: CelProblem[];
}

/** Everything but the closures. */
export function checkSource(
  source: string,
  scope: Scope,
  expected: ValueType | 'any',
): CheckedSource | CelFailure {
  const parsed = parseCel(source);
  if ('summary' in parsed) return { kind: 'error', problems: [explainSyntax(parsed, source, scope)] };
  const problems: CelProblem[] = [];
  const term = resolve(parsed.root, { scope, problems, locals: new Set() });
  const type = check(term, parsed, { source, problems, expected });
  return problems.length > 0 || type === null ? failure(problems) : { term, type, problems };
}

export function newReads() {
  return {
    columns: new Set<number>(),
    oldColumns: new Set<number>(),
    lets: new Set<number>(),
    lists: new Set<string>(),
    looks: [] as Look[],
  };
}

export function isTrue(term: Term): boolean {
  return term.kind === 'literal' && term.value === true;
}

interface Wanted {
  readonly source: string;
  readonly problems: CelProblem[];
  readonly expected: ValueType | 'any';
}

function check(term: Term, parsed: Parsed, { source, problems, expected }: Wanted): ValueType | null {
  installChecks(term, source, problems);
  parsed.check();
  if (problems.length > 0) return null;
  const type = typeOf(term);
  if (type === null) {
    problems.push({ offset: term.node.pos, message: 'this has no type that a condition can have' });
  } else if (expected !== 'any' && !sameType(type, expected)) {
    problems.push(unexpected(term, type, expected));
  }
  return type;
}

function unexpected(term: Term, type: ValueType, expected: ValueType): CelProblem {
  const message = `this is a ${typeName(type)}, and must be a ${typeName(expected)}`;
  const hint = expected === 'bool' ? 'a condition is true or false: compare it, as in x > 1' : undefined;
  return { offset: term.node.start, message, ...(hint === undefined ? {} : { hint }) };
}

export function failure(problems: readonly CelProblem[]): CelFailure {
  return { kind: 'error', problems: problems.toSorted((a, b) => a.offset - b.offset) };
}
