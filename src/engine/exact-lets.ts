import type { Value } from '../rules/plan-parts.ts';
import { isDecimalType } from '../rules/value-type.ts';
import { withEveryDigit } from './digits.ts';
import type { RuleProgram, WindowProgram } from './program.ts';
import type { RowContext } from './row-context.ts';

/**
 * The values of a rule's `let` as they are told: conditions see doubles, but where one does not hold every digit of
 * the cell that `first`, `last` or `previous` found, its text stands for it.
 */
export function exactLets({ windows }: RuleProgram, lets: readonly Value[], context: RowContext): Value[] {
  return lets.map((value, i) => {
    const window = windows[i];
    if (typeof value !== 'number' || !window || !findsDecimal(window)) return value;
    const text = context.foundCell(window);
    return text === null ? value : withEveryDigit(value, text);
  });
}

function findsDecimal({ plan, store, type, value }: WindowProgram): boolean {
  const finds = plan.fn === 'first' || plan.fn === 'last' || plan.fn === 'previous';
  return finds && type === 'double' && isDecimalType(store.values[value]?.pgType ?? '');
}
