import type { ValueType } from './plan-parts.ts';

const INTEGERS = new Set(['int2', 'int4', 'int8', 'smallint', 'integer', 'bigint', 'oid']);
const DECIMALS = new Set(['numeric', 'decimal', 'money']);
const DOUBLES = new Set([...INTEGERS, ...DECIMALS, 'float4', 'float8', 'double']);
const NAMED: ReadonlyMap<string, ValueType> = new Map<string, ValueType>([
  ['real', 'double'],
  ['double precision', 'double'],
  ['bool', 'bool'],
  ['boolean', 'bool'],
  ['timestamptz', 'timestamp'],
  ['timestamp', 'timestamp'],
  ['timestamp with time zone', 'timestamp'],
  ['timestamp without time zone', 'timestamp'],
  ['date', 'timestamp'],
  ['interval', 'duration'],
]);

/** A modifier, as in `numeric(12,2)` or `timestamp(3)`, does not change what a value is in conditions. */
function baseName(pgType: string): string {
  return pgType
    .replace(/\([^)]*\)/g, '')
    .trim()
    .toLowerCase();
}

/** What a column of a PostgreSQL type is in conditions. Whatever has no type of its own there is its text. */
export function valueTypeOf(pgType: string): ValueType {
  const name = baseName(pgType);
  if (name.endsWith('[]')) return { list: valueTypeOf(name.slice(0, -2)) };
  if (DOUBLES.has(name)) return 'double';
  return NAMED.get(name) ?? 'string';
}

/** Whether PostgreSQL writes the type's values as plain whole numbers, so that equal texts are equal values. */
export function isIntegerType(pgType: string): boolean {
  return INTEGERS.has(baseName(pgType));
}

/** Whether its values are decimal numbers: sums of them have digits that a double may lack. */
export function isDecimalType(pgType: string): boolean {
  const name = baseName(pgType);
  return INTEGERS.has(name) || DECIMALS.has(name);
}

export function typeName(type: ValueType): string {
  return typeof type === 'string' ? type : `list<${typeName(type.list)}>`;
}

export function sameType(a: ValueType, b: ValueType): boolean {
  return typeName(a) === typeName(b);
}
