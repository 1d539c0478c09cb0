import type { ValueType } from '../plan-parts.ts';
import { type CelType, type Check, celName, checkedType, interceptCheck, valueTypeFrom } from './cel-js.ts';
import { CheckError, explain } from './explain.ts';
import type { CelProblem } from './result.ts';
import { partsOf, type Term } from './term.ts';

/**
 * Hands the tree's types to cel-js's checker, node by node: names have the types of the scope, functions that
 * give int give double, and a mistake becomes a problem and an unknown type (`dyn`), so that all others are
 * found as well. A mistake inside silences those that follow from it.
 */
export function installChecks(term: Term, source: string, problems: CelProblem[]): void {
  const silenced = holdsMistake(term);
  interceptCheck(term.node, (original) => {
    const check = checkOf(term, original);
    return (checker, context) => {
      const before = problems.length;
      try {
        return check(checker, context);
      } catch (error) {
        if (problems.length === before && !silenced) problems.push(explain(error, term, source));
        return checker.getType('dyn');
      }
    };
  });
  for (const part of partsOf(term)) installChecks(part, source, problems);
}

/** Some name below has no type: it was reported when names were resolved. */
function holdsMistake(term: Term): boolean {
  return term.kind === 'mistake' || partsOf(term).some(holdsMistake);
}

function checkOf(term: Term, original: Check): Check {
  switch (term.kind) {
    case 'mistake':
      return (checker) => checker.getType('dyn');
    case 'variable':
      return (checker) => checker.getType(celName(term.variable.type));
    case 'known':
      return (checker, context) => {
        checker.check(term.of.node, context);
        return checker.getType('bool');
      };
    case 'element':
      return checkElement(term);
    case 'binary':
      if (term.op === '+') return checkSum(term, original);
      return term.op === 'in' && isNamedList(term.right) ? checkInList(term.left) : original;
    case 'call':
      return (checker, context) => asDouble(original(checker, context), checker.getType('double'));
    default:
      return original;
  }
}

export function isNamedList(term: Term): boolean {
  return term.kind === 'variable' && term.variable.origin.kind === 'list';
}

function asDouble(type: CelType, double: CelType): CelType {
  return type.name === 'int' ? double : type;
}

/** cel-js calls duration + timestamp a duration (8.0.0), and evaluates it to a timestamp. */
function checkSum(term: Extract<Term, { kind: 'binary' }>, original: Check): Check {
  return (checker, context) => {
    const type = original(checker, context);
    const right = checker.check(term.right.node, context);
    return right.name === celName('timestamp') ? right : type;
  };
}

/** A list is asked by a number; cel-js would have an int. */
function checkElement(term: Extract<Term, { kind: 'element' }>): Check {
  return (checker, context) => {
    const list = checker.check(term.list.node, context);
    const index = checker.check(term.index.node, context);
    if (list.kind === 'dyn' || index.kind === 'dyn') return checker.getType('dyn');
    if (list.kind !== 'list' || list.valueType === undefined || index.name !== 'double') {
      throw new CheckError('brackets take an element of a list by its number, from 0');
    }
    return list.valueType;
  };
}

/** The text of whatever single value is looked up. */
function checkInList(left: Term): Check {
  return (checker, context) => {
    const type = checker.check(left.node, context);
    if (type.kind === 'list') throw new CheckError('a list is not looked up in a list');
    return checker.getType('bool');
  };
}

/** The type of a term without problems; null where conditions have no such type. */
export function typeOf(term: Term): ValueType | null {
  const type = checkedType(term.node);
  return type === null ? null : valueTypeFrom(type);
}
