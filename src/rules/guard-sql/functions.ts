import { escapeLiteral } from 'pg';
import { parseCidr } from '../cel/cidr.ts';
import type { SqlPart } from './sql-part.ts';
import { textSql } from './sql-part.ts';

type Args = readonly SqlPart[];
/** null: not of these arguments. */
type Translate = (args: Args) => string | null;

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** What JavaScript's trim() takes away. */
const BLANKS = `E'\\t\\n\\u000b\\f\\r \\u00a0\\u1680\\u2000\\u2001\\u2002\\u2003\\u2004\\u2005\\u2006\\u2007\\u2008\\u2009\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff'`;

/** All the functions that a guard rule can call, by the texts of their signatures; those of times are in time-sql.ts. */
const FUNCTIONS: ReadonlyMap<string, Translate> = new Map<string, Translate>([
  ['size(string): double', of((a) => `length(${a})::float8`)],
  ['string.size(): double', of((a) => `length(${a})::float8`)],
  ['string.contains(string): bool', of((a, b) => `(strpos(${a}, ${b}) > 0)`)],
  ['string.startsWith(string): bool', of((a, b) => `starts_with(${a}, ${b})`)],
  ['string.endsWith(string): bool', of((a, b) => `(right(${a}, length(${b})) = ${b})`)],
  ['string.lowerAscii(): string', text((a) => `translate(${a}, '${UPPER}', '${UPPER.toLowerCase()}')`)],
  ['string.upperAscii(): string', text((a) => `translate(${a}, '${UPPER.toLowerCase()}', '${UPPER}')`)],
  ['string.trim(): string', text((a) => `btrim(${a}, ${BLANKS})`)],
  ['string.indexOf(string): double', of((a, b) => `(strpos(${a}, ${b}) - 1)::float8`)],
  ['string.replace(string, string): string', replace],
  ['like(string, string): bool', like],
  ['in_cidr(string, string): bool', inCidr],
  ['distance_km(double, double, double, double): double', (args) => `weir.cel_distance_km(${list(args)})`],
  ['abs(double): double', of((a) => `abs(${a})`)],
  ['round(double): double', of((a) => `weir.cel_round(${a})`)],
  ['double(double): double', of((a) => a)],
  ['int(timestamp): double', of((a) => `floor(${a} / 1000000)`)],
  ['bool(bool): bool', of((a) => a)],
  ['string(string): string', text((a) => a)],
  ['string(bool): string', text((a) => `case ${a} when true then 'true' when false then 'false' end`)],
  ['string(double): string', wholeText],
  ['timestamp(timestamp): timestamp', of((a) => a)],
  ['duration(duration): duration', of((a) => a)],
  ['duration.getHours(): double', of((a) => `trunc(${a} / 3600000000)`)],
  ['duration.getMinutes(): double', of((a) => `trunc(${a} / 60000000)`)],
  ['duration.getSeconds(): double', of((a) => `trunc(${a} / 1000000)`)],
  ['duration.getMilliseconds(): double', of((a) => `trunc(${a} / 1000)`)],
]);

/** null: it has no counterpart in SQL, or not of these arguments. `signature`: its text. */
export function callSql(signature: string, args: Args): string | null {
  const extreme = /^(min|max)\(double(?:, double)+\)/.exec(signature)?.[1];
  if (extreme !== undefined) return `weir.cel_${extreme}(${list(args)})`;
  return FUNCTIONS.get(signature)?.(args) ?? null;
}

/** For whoever has used another. */
export const FUNCTION_NAMES: readonly string[] = [
  ...new Set([...FUNCTIONS.keys()].flatMap((signature) => /(\w+)\(/.exec(signature)?.[1] ?? [])),
  'min',
  'max',
  'hour',
];

function list(args: Args): string {
  return args.map(({ sql }) => sql).join(', ');
}

function of(build: (...args: string[]) => string): Translate {
  return (args) => build(...args.map(({ sql }) => sql));
}

function text(build: (...args: string[]) => string): Translate {
  return (args) => textSql(`(${build(...args.map(({ sql }) => sql))})`);
}

/** Of the empty text PostgreSQL replaces nothing, and JavaScript what stands before each letter. */
function replace([a, from, to]: Args): string | null {
  if (a === undefined || to === undefined || typeof from?.constant?.value !== 'string') return null;
  return from.constant.value === '' ? null : textSql(`replace(${a.sql}, ${from.sql}, ${to.sql})`);
}

/** The pattern must be known: PostgreSQL raises where one ends in the middle of an escape. */
function like([a, pattern]: Args): string | null {
  const written = pattern?.constant?.value;
  if (a === undefined || typeof written !== 'string') return null;
  const escapes = /\\*$/.exec(written)?.[0].length ?? 0;
  const whole = escapes % 2 === 1 ? `${written}\\` : written;
  return `(${a.sql} like ${textSql(`${escapeLiteral(whole)}::text`)})`;
}

/** Of a column of type inet or cidr: any other text may be no address. */
function inCidr([address, net]: Args): string | null {
  const column = address?.inet ?? null;
  const written = net?.constant?.value;
  const cidr = typeof written === 'string' ? parseCidr(written) : null;
  if (column === null || cidr === null) return null;
  return `weir.cel_in_cidr(${column}, '${netText(cidr.bytes)}/${cidr.bits}')`;
}

function netText(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  return groups.map((group) => group.toString(16)).join(':');
}

/** Only of whole-number columns: PostgreSQL writes other numbers in another way than CEL. */
function wholeText([a]: Args): string | null {
  return a?.whole === null || a === undefined ? null : a.text;
}
