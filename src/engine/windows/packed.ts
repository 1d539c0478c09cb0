import type { Cell, Micros } from '../../events/row.ts';
import { Entries } from './entries.ts';

/** Keys of fewer entries are kept as text. */
export const PACK_BELOW = 8;

/** PostgreSQL's text never holds it. */
const BETWEEN = '\0';
/** Before a cell that is empty, or begins with it; an empty part is NULL. */
const ESCAPE = '\u0001';
const COMMA = ','.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

/**
 * The entries of a key as one string: how many (a digit), their times, their cells. Most keys hold few entries and are
 * seldom touched; as objects, eight of them a key, they are what V8's collector spends its time on.
 */
export function pack(entries: Entries): string {
  const { head, end, width, times } = entries;
  let text = `${end - head}`;
  for (let i = head; i < end; i++) text += i === head ? String(times[i]) : `,${times[i]}`;
  const parts = [text];
  for (let i = head; i < end; i++)
    for (let value = 0; value < width; value++) parts.push(packCell(entries.cell(i, value)));
  // `join` makes a flat string; one that was added up would keep its pieces alive.
  return parts.join(BETWEEN);
}

export function unpack(text: string, width: number): Entries {
  const count = packedSize(text);
  const times = new Array<Micros>(count);
  let from = 1;
  for (let i = 0; i < count; i++) {
    const to = numberEnd(text, from);
    times[i] = Number(text.slice(from, to));
    from = to + 1;
  }
  if (width === 0) return Entries.of(width, times, []);
  const cells: Cell[] = text.slice(from).split(BETWEEN);
  for (let i = 0; i < cells.length; i++) cells[i] = unpackCell(cells[i] as string);
  return Entries.of(width, times, cells);
}

export function packedSize(text: string): number {
  return text.charCodeAt(0) - ZERO;
}

/** The time of the first entry. */
export function packedFirst(text: string): Micros {
  return Number(text.slice(1, numberEnd(text, 1)));
}

function numberEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && text.charCodeAt(end) !== COMMA && text.charCodeAt(end) !== 0) end += 1;
  return end;
}

function packCell(cell: Cell): string {
  if (typeof cell !== 'string') return '';
  return cell === '' || cell.startsWith(ESCAPE) ? ESCAPE + cell : cell;
}

function unpackCell(part: string): string | null {
  if (part === '') return null;
  return part.startsWith(ESCAPE) ? part.slice(1) : part;
}
