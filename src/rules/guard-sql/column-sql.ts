import type { ValueType } from '../plan-parts.ts';
import { isIntegerType } from '../value-type.ts';
import { newColumn, type SqlPart, sqlPart, textSql } from './sql-part.ts';

/** Types whose `::text` is what PostgreSQL writes of them, however the session is set. */
const PLAIN_TEXT = new Set([
  ...['int2', 'int4', 'int8', 'smallint', 'integer', 'bigint', 'numeric', 'decimal', 'oid'],
  ...['text', 'varchar', 'uuid', 'enum', 'json', 'jsonb'],
]);
/** Types whose text is what PostgreSQL writes, but not by `::text`. */
const FORMATTED = new Set([
  'bool',
  'boolean',
  'bpchar',
  'char',
  'character',
  'name',
  'inet',
  'cidr',
  'macaddr',
]);

/** The text that keys are made of: what PostgreSQL sends of the column. */
export function rawText(name: string, pgType: string): string {
  const column = newColumn(name);
  if (PLAIN_TEXT.has(baseName(pgType))) return `${column}::text`;
  // The output function; of NULL it would give the empty text.
  return `case when ${column} is distinct from null then format('%s', ${column}) end`;
}

/** Whether the text of its values depends on settings of the session. */
export function textNeedsSettings(pgType: string): boolean {
  const name = baseName(pgType);
  return !PLAIN_TEXT.has(name) && !FORMATTED.has(name);
}

export function baseName(pgType: string): string {
  const name = pgType
    .replace(/\([^)]*\)/g, '')
    .trim()
    .toLowerCase();
  return name === 'character varying' ? 'varchar' : name;
}

/** A column as conditions see it: `cells.ts` in SQL. */
export function columnPart(name: string, pgType: string, type: ValueType): SqlPart {
  const column = newColumn(name);
  const text = conditionText(name, pgType);
  if (typeof type !== 'string') return sqlPart(type, column);
  switch (type) {
    case 'double':
      return { ...numberPart(column, pgType), text };
    case 'bool':
      return sqlPart(type, `${column}::bool`, { text });
    case 'timestamp':
    case 'duration':
      return sqlPart(type, `(extract(epoch from ${column}) * 1000000)::float8`, { text });
    case 'string':
      return sqlPart(type, text, { text, inet: /^(inet|cidr)$/.test(baseName(pgType)) ? column : null });
  }
}

/** `char(n)` without its padding, which conditions do not see. */
function conditionText(name: string, pgType: string): string {
  const padded = /^(bpchar|character|char)$/.test(baseName(pgType));
  return textSql(padded ? `${newColumn(name)}::text` : `(${rawText(name, pgType)})`);
}

function numberPart(column: string, pgType: string): SqlPart {
  if (isIntegerType(pgType)) {
    const whole = `${column}::int8`;
    return sqlPart('double', `${whole}::float8`, { nan: false, plain: true, whole });
  }
  switch (baseName(pgType)) {
    case 'money':
      return sqlPart('double', `${column}::numeric::float8`, { nan: false });
    case 'float4':
    case 'real':
      // By its text: 0.1 of float4 is 0.1 to Weir, and no other double.
      return sqlPart('double', `${column}::text::float8`);
    case 'numeric':
    case 'decimal':
      return sqlPart(
        'double',
        `(case when abs(${column}) between 1e-300 and 1e300 then ${column}::float8 else weir.cel_double(${column}) end)`,
      );
    default:
      return sqlPart('double', `${column}::float8`);
  }
}
