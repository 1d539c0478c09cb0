import type { Micros } from '../../../events/row.ts';
import { formatValue } from '../../value-format.ts';
import { CelEvaluationError, type Compiled } from '../compiled.ts';
import { type Build, type Signature, signature, strict } from '../signature.ts';
import { parseDuration, parseIso, SECONDS } from '../time.ts';

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NOT_FINITE: ReadonlyMap<string, number> = new Map([
  ['inf', Number.POSITIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
  ['nan', Number.NaN],
]);

function toDouble(text: string): number {
  if (NUMBER.test(text)) return Number(text);
  const [, sign, name = ''] = /^([+-]?)(\w+)$/.exec(text.toLowerCase()) ?? [];
  const value = NOT_FINITE.get(name);
  if (value === undefined) throw new CelEvaluationError(`${quoted(text)} is not a number`);
  return sign === '-' ? -value : value;
}

function truncate(value: number): number {
  if (!Number.isFinite(value)) throw new CelEvaluationError(`int(${value}): no whole number`);
  return Math.trunc(value);
}

function toInt(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new CelEvaluationError(`${quoted(text)} is not a whole number`);
  return Number(text);
}

function toBool(text: string): boolean {
  if (['1', 't', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new CelEvaluationError(`${quoted(text)} is neither true nor false`);
}

function toTimestamp(text: string): Micros {
  const micros = parseIso(text);
  if (micros === null) {
    throw new CelEvaluationError(`${quoted(text)} is not a timestamp such as "2026-01-31T08:30:00Z"`);
  }
  return micros;
}

function toDuration(text: string): Micros {
  const micros = parseDuration(text);
  if (micros === null)
    throw new CelEvaluationError(`${quoted(text)} is not a duration such as "24h" or "1m30s"`);
  return micros;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

const WHOLE = /^-?\d+$/;

/** A column of whole numbers keeps all its digits. */
function doubleToText([part]: readonly Compiled[]): ReturnType<Build> {
  if (part === undefined) throw new Error('string() without its argument');
  const { run, text } = part;
  return (frame) => {
    const exact = text === null ? null : text(frame);
    if (exact !== null && WHOLE.test(exact)) return exact;
    const value = run(frame);
    return value === null ? null : formatValue(value, 'double');
  };
}

export const CONVERSIONS: readonly Signature[] = [
  signature(
    'double(double): double',
    strict((value: number) => value),
  ),
  signature('double(string): double', strict(toDouble), { throws: true }),
  signature('int(double): double', strict(truncate), { throws: true }),
  signature('int(string): double', strict(toInt), { throws: true }),
  signature(
    'int(timestamp): double',
    strict((at: Micros) => Math.floor(at / SECONDS)),
    { own: true },
  ),
  signature(
    'bool(bool): bool',
    strict((value: boolean) => value),
  ),
  signature('bool(string): bool', strict(toBool), { throws: true }),
  signature(
    'string(string): string',
    strict((value: string) => value),
  ),
  signature(
    'string(bool): string',
    strict((value: boolean) => String(value)),
  ),
  signature('string(double): string', doubleToText),
  signature(
    'string(timestamp): string',
    strict((at: Micros) => formatValue(at, 'timestamp')),
    { own: true },
  ),
  signature(
    'string(duration): string',
    strict((span: Micros) => formatValue(span, 'duration')),
    { own: true },
  ),
  signature('timestamp(string): timestamp', strict(toTimestamp), { throws: true }),
  signature(
    'timestamp(double): timestamp',
    strict((seconds: number) => seconds * SECONDS),
    { own: true },
  ),
  signature(
    'timestamp(timestamp): timestamp',
    strict((at: Micros) => at),
    { own: true },
  ),
  signature('duration(string): duration', strict(toDuration), { throws: true }),
  signature(
    'duration(duration): duration',
    strict((span: Micros) => span),
    { own: true },
  ),
];
