import { type ArrayItem, parseArray, parseBoolean } from '../events/cell.ts';
import { parseInterval, parseTimestamp } from '../events/cell-time.ts';
import type { Cell } from '../events/row.ts';
import type { Value, ValueType } from '../rules/plan.ts';

/** A cell as conditions see it; null where it is not known. */
export function toValue(cell: Cell | undefined, type: ValueType): Value {
  if (typeof cell !== 'string') return null;
  switch (type) {
    case 'double':
      return Number(cell);
    case 'string':
      return cell;
    case 'bool':
      return parseBoolean(cell);
    case 'timestamp':
      return parseTimestamp(cell);
    case 'duration':
      return parseInterval(cell);
    default:
      return parseArray(cell).map((item) => itemValue(item, type.list));
  }
}

function itemValue(item: ArrayItem, type: ValueType): Value {
  return typeof item === 'object' && item !== null
    ? item.map((inner) => itemValue(inner, type))
    : toValue(item, type);
}

/** What a store keeps of a cell: its text, or NULL. */
export function keptCell(cell: Cell | undefined): string | null {
  return typeof cell === 'string' ? cell : null;
}
