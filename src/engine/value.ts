import type { Cell } from '../events/row.ts';
import type { Value } from '../rules/plan-parts.ts';

/** From PostgreSQL's text to a condition's value. */
export type ReadValue = (text: string) => Value;

/** A kept cell as conditions see it; null where it was not known. */
export function readCell(cell: Cell, read: ReadValue): Value {
  return typeof cell === 'string' ? read(cell) : null;
}

/** What a store keeps of a cell: its text, or NULL. Of money the plain number: `-$1,234.56` cannot be added up. */
export function keptCell(cell: Cell | undefined, pgType: string): string | null {
  if (typeof cell !== 'string') return null;
  return pgType === 'money' ? cell.replace(/[^0-9.-]/g, '') : cell;
}
