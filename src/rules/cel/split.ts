import type { Condition } from '../plan-parts.ts';
import { checkSource, failure, isTrue, newReads } from './compile.ts';
import type { Compiled } from './compiled.ts';
import { emit } from './emit.ts';
import { compileLogic } from './logic.ts';
import type { CelFailure, Reads } from './result.ts';
import type { Scope } from './scope.ts';
import type { Term } from './term.ts';

/** A condition in two: both must be true. */
export interface CelSplit extends Reads {
  readonly kind: 'split';
  /** Looks at the row alone; null: there is nothing to ask. */
  readonly row: Condition | null;
  /** Looks at the match too. */
  readonly match: Condition | null;
}

interface Part {
  readonly term: Term;
  readonly compiled: Compiled;
  readonly looksBack: boolean;
}

/**
 * Compiles a condition of a step, taken apart at its outer `&&`: what looks at the row alone is asked once a row,
 * not once a partial match. `shared`: closures by the text of what they ask, so that equal ones are the same.
 */
export function compileSplit(
  source: string,
  scope: Scope,
  shared: Map<string, Condition>,
): CelSplit | CelFailure {
  const checked = checkSource(source, scope, 'bool');
  if ('kind' in checked) return checked;
  const { term, problems } = checked;
  const reads = newReads();
  const parts = conjuncts(term).map((part): Part => {
    const looks = reads.looks.length;
    const compiled = emit(part, { scope, problems, locals: new Map(), ...reads });
    return { term: part, compiled, looksBack: reads.looks.length > looks };
  });
  if (problems.length > 0) return failure(problems);
  const asked = parts.filter((part) => !isTrue(part.term));
  // What can fail is asked with the rest: a false part beside it silences the failure.
  const back = asked.some(({ looksBack }) => looksBack);
  const alone = asked.filter(({ looksBack, compiled }) => !looksBack && !(back && compiled.throws));
  const others = asked.filter((part) => !alone.includes(part));
  const text = alone.map((part) => source.slice(part.term.node.start, part.term.node.end)).join('\n&&\n');
  const row = alone.length === 0 ? null : (shared.get(text) ?? joined(alone));
  if (row !== null) shared.set(text, row);
  return { kind: 'split', row, match: others.length === 0 ? null : joined(others), ...reads };
}

function conjuncts(term: Term): Term[] {
  if (term.kind !== 'binary' || term.op !== '&&') return [term];
  return [...conjuncts(term.left), ...conjuncts(term.right)];
}

function joined(parts: readonly Part[]): Condition {
  const all = parts.map(({ compiled }) => compiled);
  return all.reduce((left, right) => compileLogic('&&', left, right)).run as Condition;
}
