import type { Value } from '../../rules/plan-parts.ts';
import type { WindowProgram } from '../program.ts';
import { readCell } from '../value.ts';
import type { Question } from './question.ts';

/** A longer list holds the newest values, and is counted. */
export const MOST_LISTED = 1_000;

/** The values of a window, oldest first, without NULLs; null: there are none. */
export function listOf(window: WindowProgram, { entries, range, cut }: Question): Value {
  const values: Value[] = [];
  for (let i = range.hi - 1; i >= range.lo; i--) {
    const value = readCell(entries.cell(i, window.value), window.read);
    if (value === null) continue;
    if (values.length === MOST_LISTED) {
      cut(window);
      break;
    }
    values.push(value);
  }
  return values.length === 0 ? null : values.reverse();
}
