import { WeirError } from '../errors.ts';
import { type Cell, NOT_SENT, UNCHANGED } from './row.ts';

/** A numeric, exact: `unscaled` / 10 ** `scale`. */
export type Numeric =
  | { readonly kind: 'finite'; readonly unscaled: bigint; readonly scale: number }
  | { readonly kind: 'nan' }
  | { readonly kind: 'infinity'; readonly sign: 1 | -1 };

export type ArrayItem = string | null | readonly ArrayItem[];

/** False for an unchanged TOAST value and for a column that was not sent: there is nothing to show. */
export function isKnown(cell: Cell | undefined): cell is string | null {
  return cell !== undefined && cell !== UNCHANGED && cell !== NOT_SENT;
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;
/** The digits that numeric can have on each side of its point. */
const MAX_SCALE = 131_072;

/** numeric, and float and integer texts as well. Throws `WEIR_VALUE`. */
export function parseNumeric(text: string): Numeric {
  if (text === 'NaN') return { kind: 'nan' };
  if (text === 'Infinity') return { kind: 'infinity', sign: 1 };
  if (text === '-Infinity') return { kind: 'infinity', sign: -1 };
  const match = DECIMAL.exec(text);
  const [, sign = '', whole = '', part = '', exponent = '0'] = match ?? [];
  const scale = part.length - Number(exponent);
  if (whole + part === '' || Math.abs(scale) > MAX_SCALE) throw malformed('a number', text);
  const digits = BigInt(whole + part) * (sign === '-' ? -1n : 1n);
  if (scale < 0) return { kind: 'finite', unscaled: digits * 10n ** BigInt(-scale), scale: 0 };
  return { kind: 'finite', unscaled: digits, scale };
}

/** `t` and `f` are PostgreSQL's; the words are what people write in tests. */
export function parseBoolean(text: string): boolean {
  if (text === 't' || text === 'true') return true;
  if (text === 'f' || text === 'false') return false;
  throw malformed('a boolean', text);
}

/** bytea in hex, which our replication session sets. */
export function parseBytea(text: string): Uint8Array {
  if (!/^\\x(?:[0-9a-fA-F]{2})*$/.test(text)) throw malformed('a bytea in hex', text);
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
}

/** PostgreSQL's limit. */
const MAX_DIMENSIONS = 6;

/**
 * An array's text, nested as it is: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 * Lower bounds (`[0:1]={…}`) are passed over. Only `box` has another delimiter, `;`.
 */
export function parseArray(text: string, delimiter = ','): readonly ArrayItem[] {
  const bounds = /^(?:\[[+-]?\d+:[+-]?\d+\])+=/.exec(text);
  const start = bounds === null ? 0 : bounds[0].length;
  const cursor = { text, delimiter, at: start };
  const items = readItems(cursor, 1);
  if (cursor.at !== text.length) throw malformed('an array', text);
  return items;
}

interface Cursor {
  readonly text: string;
  readonly delimiter: string;
  at: number;
}

function readItems(cursor: Cursor, depth: number): ArrayItem[] {
  const { text, delimiter } = cursor;
  if (text[cursor.at] !== '{' || depth > MAX_DIMENSIONS) throw malformed('an array', text);
  const items: ArrayItem[] = [];
  if (text[cursor.at + 1] === '}') {
    cursor.at += 2;
    return items;
  }
  do {
    cursor.at++;
    items.push(readItem(cursor, depth));
  } while (text[cursor.at] === delimiter);
  if (text[cursor.at] !== '}') throw malformed('an array', text);
  cursor.at++;
  return items;
}

function readItem(cursor: Cursor, depth: number): ArrayItem {
  const first = cursor.text[cursor.at];
  if (first === '{') return readItems(cursor, depth + 1);
  return first === '"' ? readQuoted(cursor) : readBare(cursor);
}

function readQuoted(cursor: Cursor): string {
  const { text } = cursor;
  let item = '';
  for (let i = cursor.at + 1; i < text.length; i++) {
    if (text[i] === '"') {
      cursor.at = i + 1;
      return item;
    }
    if (text[i] === '\\') i++;
    item += text[i] ?? '';
  }
  throw malformed('an array', text);
}

function readBare(cursor: Cursor): string | null {
  const { text, delimiter, at } = cursor;
  let end = at;
  while (end < text.length && text[end] !== delimiter && !'{}"\\'.includes(text[end] as string)) end++;
  if (end === at) throw malformed('an array', text);
  cursor.at = end;
  const item = text.slice(at, end);
  return item === 'NULL' ? null : item;
}

const SHOWN = 80;

/** A value that is not what its type says: it names what was expected, and the value. */
export function malformed(expected: string, text: string): WeirError {
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return new WeirError({ code: 'WEIR_VALUE', message: `not ${expected}: ${JSON.stringify(shown)}` });
}
