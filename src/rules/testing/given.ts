import type { Cell } from '../../events/row.ts';
import { parseInstant } from '../instant.ts';
import type { ColumnPlan } from '../plan.ts';
import { valueTypeOf } from '../value-type.ts';

/** A number as a person wrote it: `5.00` and 9007199254740993 keep their digits. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value of a row in a test or a replayed line. */
export type Given =
  | string
  | boolean
  | null
  | NumberText
  | readonly unknown[]
  | Readonly<Record<string, unknown>>;

/** What is wrong with a value, for the place where it was given. */
export class GivenError extends Error {}

/** The cell that PostgreSQL would send; throws a GivenError that says what the column takes. */
export function cellOf(column: ColumnPlan, given: Given | undefined): Cell {
  if (given === undefined || given === null) return null;
  const text = textOf(column, given);
  const problem = misfit(column, text);
  if (problem === null) return text;
  throw new GivenError(
    `column "${column.name}" is ${column.pgType}, and ${JSON.stringify(text)} is not ${problem}`,
  );
}

function textOf({ pgType }: ColumnPlan, given: Given): string {
  if (typeof given === 'boolean') return given ? 't' : 'f';
  if (given instanceof NumberText) return decimal(given.text);
  if (Array.isArray(given) && pgType.endsWith('[]')) return arrayText(given);
  if (typeof given !== 'string') return jsonText(given);
  if (pgType !== 'bool') return given;
  return { true: 't', false: 'f' }[given.toLowerCase()] ?? given;
}

/** 1e3 is 1000, as PostgreSQL writes it. */
function decimal(text: string): string {
  if (/^-?\d+(\.\d+)?$/.test(text)) return text;
  const number = Number(text);
  if (!Number.isFinite(number)) return text;
  return Number.isInteger(number) ? BigInt(number).toString() : String(number);
}

function arrayText(items: readonly unknown[]): string {
  const texts = items.map((item) => {
    if (item === null) return 'NULL';
    if (Array.isArray(item)) return arrayText(item);
    const text = item instanceof NumberText ? item.text : String(item);
    return `"${text.replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${texts.join(',')}}`;
}

/** JSON in which numbers keep their digits. */
export function jsonText(value: unknown): string {
  if (value instanceof NumberText) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}:${jsonText(item)}`)
    .join(',')}}`;
}

const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

/** What the text is not; null: it fits. A column that is text in conditions takes anything. */
function misfit({ pgType }: ColumnPlan, text: string): string | null {
  switch (valueTypeOf(pgType)) {
    case 'double':
      return NUMBER.test(text) || /^(nan|[+-]?infinity)$/i.test(text) || pgType === 'money'
        ? null
        : 'a number';
    case 'timestamp':
      return parseInstant(text) === null ? 'a timestamp' : null;
    case 'bool':
      return text === 't' || text === 'f' ? null : 'true or false';
    default:
      return null;
  }
}
