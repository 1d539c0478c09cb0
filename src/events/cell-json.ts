import type { ColumnPlan } from '../rules/plan.ts';
import { type ArrayItem, isKnown, parseArray } from './cell.ts';
import type { Cell } from './row.ts';

type JsonKind = 'number' | 'boolean' | 'json' | 'text';

const KINDS: ReadonlyMap<string, JsonKind> = new Map<string, JsonKind>([
  ...['int2', 'int4', 'int8', 'smallint', 'integer', 'bigint', 'numeric', 'decimal'].map(asNumber),
  ...['float4', 'float8', 'real', 'double precision', 'double'].map(asNumber),
  ['bool', 'boolean'],
  ['boolean', 'boolean'],
  ['json', 'json'],
  ['jsonb', 'json'],
]);

function asNumber(name: string): [string, JsonKind] {
  return [name, 'number'];
}

/**
 * A cell as JSON text that keeps every digit: integers, numeric and floats are JSON numbers as PostgreSQL wrote
 * them (NaN and the infinities are strings), json and jsonb stand as they are, an array is an array of its
 * elements, whatever else is a string. NULL and what is not known are null: leave out what is not `isKnown`.
 */
export function cellToJson(pgType: string, cell: Cell): string {
  if (typeof cell !== 'string') return 'null';
  const type = jsonTypeOf(pgType);
  return type.array ? arrayToJson(cell, type) : scalarToJson(cell, type.kind);
}

/** An object of the cells that are known. */
export function rowToJson(columns: readonly ColumnPlan[], cells: readonly Cell[]): string {
  const members: string[] = [];
  for (const [i, { name, pgType }] of columns.entries()) {
    const cell = cells[i];
    if (isKnown(cell)) members.push(`${JSON.stringify(name)}:${cellToJson(pgType, cell)}`);
  }
  return `{${members.join(',')}}`;
}

interface JsonType {
  readonly kind: JsonKind;
  readonly array: boolean;
  readonly delimiter: string;
}

/** There are as many types as the catalog has: few. */
const types = new Map<string, JsonType>();

function jsonTypeOf(pgType: string): JsonType {
  const cached = types.get(pgType);
  if (cached !== undefined) return cached;
  // `numeric(12,2)[]`: a modifier changes nothing here.
  const name = pgType.replace(/\([^)]*\)/g, '').trim();
  const element = name.replace(/(?:\[\])+$/, '').trim();
  const type = {
    kind: KINDS.get(element.toLowerCase()) ?? 'text',
    array: element !== name,
    delimiter: element === 'box' ? ';' : ',',
  };
  types.set(pgType, type);
  return type;
}

function scalarToJson(text: string, kind: JsonKind): string {
  switch (kind) {
    case 'number':
      return numberToJson(text);
    case 'boolean':
      return booleanToJson(text);
    case 'json':
      return jsonOrString(text);
    case 'text':
      return JSON.stringify(text);
  }
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const LOOSE_NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+)?$/;

/** PostgreSQL's own are valid JSON; those that people write in tests (`5.`, `.5`, `+5`, `007`) are made so. */
function numberToJson(text: string): string {
  if (JSON_NUMBER.test(text)) return text;
  const match = LOOSE_NUMBER.exec(text);
  const [, sign, whole = '', part = '', exponent = ''] = match ?? [];
  if (whole + part === '') return JSON.stringify(text);
  const integer = whole.replace(/^0+(?=\d)/, '') || '0';
  return `${sign === '-' ? '-' : ''}${integer}${part === '' ? '' : `.${part}`}${exponent}`;
}

function booleanToJson(text: string): string {
  if (text === 't' || text === 'true') return 'true';
  return text === 'f' || text === 'false' ? 'false' : JSON.stringify(text);
}

/** One line, for JSON lines: between the tokens of a `json` value there may be line breaks, inside strings not. */
function jsonOrString(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return JSON.stringify(text); // only where a person wrote it
  }
  return text.replace(/[\r\n]/g, ' ');
}

function arrayToJson(text: string, type: JsonType): string {
  try {
    return itemsToJson(parseArray(text, type.delimiter), type.kind);
  } catch {
    return JSON.stringify(text); // an array type of its own, as int2vector is
  }
}

function itemsToJson(items: readonly ArrayItem[], kind: JsonKind): string {
  const parts = items.map((item) => {
    if (item === null) return 'null';
    return typeof item === 'string' ? scalarToJson(item, kind) : itemsToJson(item, kind);
  });
  return `[${parts.join(',')}]`;
}
