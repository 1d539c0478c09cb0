import { type Cell, NOT_SENT, UNCHANGED } from '../../events/row.ts';
import type { Relation } from '../change.ts';
import type { MessageReader } from './message-reader.ts';

const NULL = 0x6e; // 'n'
const TOAST = 0x75; // 'u'
const TEXT = 0x74; // 't'
const BINARY = 0x62; // 'b'

/** Up to here a look at each byte and a part of one decoded string cost less than a call that decodes. */
const SHORT = 64;

/**
 * TupleData: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 * Values are the text of their types' output functions.
 */
export function readTuple(reader: MessageReader, relation: Relation): Cell[] {
  const count = reader.uint16('a column count');
  const expected = relation.columns.length;
  if (count !== expected) {
    reader.offset -= 2;
    reader.fail(`${expected} columns of ${relation.schema}.${relation.name}, not ${count}`);
  }
  const cells = new Array<Cell>(count);
  for (let i = 0; i < count; i++) cells[i] = readCell(reader);
  return cells;
}

/** In a key tuple ('K') PostgreSQL sends NULL for each column outside the replica identity: those are not known. */
export function readKeyTuple(reader: MessageReader, relation: Relation): Cell[] {
  const cells = readTuple(reader, relation);
  for (let i = 0; i < cells.length; i++) {
    if (cells[i] === null && relation.columns[i]?.key === false) cells[i] = NOT_SENT;
  }
  return cells;
}

function readCell(reader: MessageReader): Cell {
  const format = reader.uint8('a column');
  if (format === TEXT) return readText(reader);
  if (format === NULL) return null;
  if (format === TOAST) return UNCHANGED;
  reader.offset--;
  const found = format === BINARY ? 'binary (b), which Weir never asks for' : `byte ${format}`;
  return reader.fail(`a column that is NULL (n), unchanged (u) or text (t), not ${found}`);
}

function readText(reader: MessageReader): string {
  const length = reader.int32('the length of a value');
  const start = reader.offset;
  const end = reader.skip(length, 'a value');
  if (length <= SHORT && isAscii(reader.bytes, start, end)) return reader.latin1(start, end);
  return reader.bytes.toString(undefined, start, end);
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((bytes[i] as number) > 0x7f) return false;
  return true;
}
