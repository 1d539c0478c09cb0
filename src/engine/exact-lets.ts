import type { Value } from '../rules/plan-parts.ts';
import type { RuleProgram, WindowProgram } from './program.ts';
import type { RowContext } from './row-context.ts';

/** Where PostgreSQL's text is decimal, and may have more digits than a double. */
const DECIMAL = ['int8', 'numeric', 'money'];
/** Every decimal number of so many digits comes back from a double as it was. */
const SURE_DIGITS = 15;

/**
 * The values of a rule's `let` as they are told: conditions see doubles, but where one does not hold every digit of
 * the cell that `first`, `last` or `previous` found, its text stands for it.
 */
export function exactLets({ windows }: RuleProgram, lets: readonly Value[], context: RowContext): Value[] {
  return lets.map((value, i) => {
    const window = windows[i];
    if (typeof value !== 'number' || !window || !findsDecimal(window)) return value;
    const text = context.foundCell(window);
    return text === null || holds(value, text) ? value : text;
  });
}

function findsDecimal({ plan, store, type }: WindowProgram): boolean {
  const finds = plan.fn === 'first' || plan.fn === 'last' || plan.fn === 'previous';
  return finds && type === 'double' && DECIMAL.includes(store.values[plan.value ?? -1]?.pgType ?? '');
}

function holds(value: number, text: string): boolean {
  const [, digits] = /^-?0*(\d*?)0*$/.exec(text.replace('.', '')) ?? [];
  if (digits === undefined || digits === '') return true; // NaN, infinity, or zero
  if (!Number.isFinite(value) || value === 0) return false;
  return digits.length <= SURE_DIGITS || String(value) === withoutZeros(text);
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
