import { type ArrayItem, parseArray } from '../../events/cell.ts';
import { parseInterval, parseTimestamp } from '../../events/cell-time.ts';
import type { Frame, Value, ValueType } from '../plan-parts.ts';
import { isIntegerType } from '../value-type.ts';
import type { Compiled } from './compiled.ts';
import type { Origin } from './scope.ts';

type CellOrigin = Extract<Origin, { kind: 'column' | 'old' | 'take' | 'key' }>;
type ReadText = (frame: Frame) => string | null;
type FromText = (text: string) => Value;

/** A column of the row, of the old row, or of a row that a step took. NULL, unchanged and not sent are unknown. */
export function compileCell(origin: CellOrigin, type: ValueType): Compiled {
  const text = padded(origin.pgType) ? trimmed(readText(origin)) : readText(origin);
  const element = typeof type === 'string' ? null : origin.pgType.replace(/\[\]$/, '');
  const exact = isIntegerType(element ?? origin.pgType);
  const texts = element === null ? null : readTexts(text);
  return { type, run: compileRead(origin, type, text), throws: false, constant: null, text, exact, texts };
}

function compileRead(origin: CellOrigin, type: ValueType, text: ReadText): (frame: Frame) => Value {
  if (type === 'string') return text;
  const convert = fromText(type, origin.pgType);
  if (origin.kind !== 'column') {
    return (frame) => {
      const cell = text(frame);
      return cell === null ? null : convert(cell);
    };
  }
  const { column } = origin;
  // The common reads are spelled out: a call less on each row.
  if (convert === Number) {
    return ({ row }) => {
      const cell = row.cells[column];
      return typeof cell === 'string' ? Number(cell) : null;
    };
  }
  return ({ row }) => {
    const cell = row.cells[column];
    return typeof cell === 'string' ? convert(cell) : null;
  };
}

function readText(origin: CellOrigin): ReadText {
  if (origin.kind === 'take') return readTake(origin);
  if (origin.kind === 'key') return readKey(origin);
  const { kind, column } = origin;
  if (kind === 'column') {
    return ({ row }) => {
      const cell = row.cells[column];
      return typeof cell === 'string' ? cell : null;
    };
  }
  return ({ row }) => {
    const cell = row.old?.[column];
    return typeof cell === 'string' ? cell : null;
  };
}

/** Unknown where the step took nothing. */
function readTake({ step, which, column }: Extract<Origin, { kind: 'take' }>): ReadText {
  return ({ match }) => {
    const row = which === 'first' ? match?.first(step) : match?.last(step);
    const cell = row?.cells[column];
    return typeof cell === 'string' ? cell : null;
  };
}

/** All events of a match have the same key: any that was taken tells it. */
function readKey({ takes }: Extract<Origin, { kind: 'key' }>): ReadText {
  return ({ match }) => {
    for (const { step, column } of takes) {
      const cell = match?.first(step)?.cells[column];
      if (typeof cell === 'string') return cell;
    }
    return null;
  };
}

/** char(n) is padded with blanks, which PostgreSQL does not compare. */
function padded(pgType: string): boolean {
  return /^(bpchar|character|char)\b(?! varying)/.test(pgType);
}

function trimmed(text: ReadText): ReadText {
  return (frame) => {
    const cell = text(frame);
    return cell === null ? null : cell.replace(/ +$/, '');
  };
}

function readTexts(text: ReadText): (frame: Frame) => readonly (string | null)[] | null {
  return (frame) => {
    const cell = text(frame);
    return cell === null ? null : elementsOf(cell);
  };
}

/** However many dimensions the array has, as for PostgreSQL's ANY. */
function elementsOf(text: string): readonly (string | null)[] {
  const flat = (items: readonly ArrayItem[]): (string | null)[] =>
    items.flatMap((item) => (typeof item === 'object' && item !== null ? flat(item) : [item]));
  return flat(parseArray(text));
}

/** PostgreSQL's text of a value, as a condition's value. */
export function fromText(type: ValueType, pgType: string): FromText {
  if (typeof type !== 'string') {
    const element = fromText(type.list, pgType.replace(/\[\]$/, ''));
    return (text) => elementsOf(text).map((item) => (item === null ? null : element(item)));
  }
  switch (type) {
    case 'double':
      return pgType === 'money' ? fromMoney : Number;
    case 'bool':
      return (text) => text === 't';
    case 'timestamp':
      return parseTimestamp;
    case 'duration':
      return parseInterval;
    case 'string':
      return padded(pgType) ? (text) => text.replace(/ +$/, '') : (text) => text;
  }
}

/** `-$1,234.56`: without the currency's sign and the commas. */
function fromMoney(text: string): number {
  return Number(text.replace(/[^0-9.-]/g, ''));
}
