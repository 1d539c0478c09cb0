import type { Expression } from '../plan-parts.ts';
import { isDecimalType } from '../value-type.ts';
import type { Scope } from './scope.ts';
import type { Term } from './term.ts';

/** The value with every digit, where it is a sum of decimal numbers and nothing else: conditions see its double. */
export function toldOf(term: Term, { match }: Scope): Expression | null {
  if (term.kind !== 'variable' || match === null) return null;
  const { origin } = term.variable;
  if (origin.kind !== 'aggregate' || origin.fn !== 'sum' || !isDecimalType(origin.pgType)) return null;
  const { kind: _, ...wanted } = origin;
  const index = match.aggregate(wanted);
  return (frame) => frame.match?.told(index) ?? null;
}
