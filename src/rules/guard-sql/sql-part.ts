import { escapeIdentifier, escapeLiteral } from 'pg';
import type { Value, ValueType } from '../plan-parts.ts';

/**
 * A part of a condition in SQL: it gives what CEL's closure gives, NULL for unknown, and never raises. Numbers, times
 * and durations (in microseconds) are float8, texts are COLLATE "C".
 */
export interface SqlPart {
  readonly sql: string;
  readonly type: ValueType;
  /** It can be NaN, which is equal to nothing in CEL, and to itself and above all else in PostgreSQL. */
  readonly nan: boolean;
  /** A whole-number column, or a constant, that one addition, product or division cannot take out of float8. */
  readonly plain: boolean;
  /** Of a whole-number column: as int8, in which equality loses no digit. */
  readonly whole: string | null;
  /** Of a column: its text, as lists are asked for it. */
  readonly text: string | null;
  /** Of a column of type inet or cidr: itself. */
  readonly inet: string | null;
  readonly constant: { readonly value: Value } | null;
}

export function sqlPart(type: ValueType, sql: string, some: Partial<SqlPart> = {}): SqlPart {
  return {
    ...{
      sql,
      type,
      nan: type === 'double',
      plain: false,
      whole: null,
      text: null,
      inet: null,
      constant: null,
    },
    ...some,
  };
}

/** A condition that has no counterpart in SQL that gives the same on every row. */
export class Untranslatable extends Error {
  readonly hint: string | undefined;
  /** The offset in the source. */
  readonly offset: number;

  constructor(offset: number, message: string, hint?: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}

/** null: PostgreSQL has no such text. */
export function constantPart(type: ValueType, value: Value): SqlPart | null {
  if (value === null) return sqlPart(type, 'null', { nan: false });
  const constant = { value };
  if (typeof value === 'boolean') return sqlPart('bool', String(value), { constant });
  if (typeof value === 'number') {
    const size = Math.abs(value);
    const plain = size === 0 || (size >= 1e-100 && size <= 1e100);
    return sqlPart(type, numberSql(value), { constant, nan: Number.isNaN(value), plain });
  }
  if (typeof value !== 'string' || !isText(value)) return null;
  return sqlPart('string', textSql(`${escapeLiteral(value)}::text`), { constant });
}

function numberSql(value: number): string {
  return `'${Object.is(value, -0) ? '-0' : value}'::float8`;
}

/** A lone surrogate would become U+FFFD on its way. */
function isText(value: string): boolean {
  return !value.includes('\0') && Buffer.from(value).toString() === value;
}

export function textSql(sql: string): string {
  return `(${sql} collate "C")`;
}

/** A column of the row that is about to be inserted. */
export function newColumn(name: string): string {
  return `new.${escapeIdentifier(name)}`;
}
