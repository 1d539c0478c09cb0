import { formatDuration, formatIso } from './cel/time.ts';
import type { Value, ValueType } from './plan-parts.ts';

export type Json = string | number | boolean | null | readonly Json[];

/** A value as a person reads it: in messages, and where values are compared with the entries of a list. */
export function formatValue(value: Value, type: ValueType): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return formatNumber(value, type);
  if (typeof value !== 'object') return String(value);
  const element = typeof type === 'string' ? 'string' : type.list;
  return `[${value.map((item) => formatValue(item, element)).join(', ')}]`;
}

function formatNumber(value: number, type: ValueType): string {
  if (type === 'timestamp') return formatIso(value);
  if (type === 'duration') return formatDuration(value);
  if (Object.is(value, -0)) return '0';
  // Whole numbers keep their digits: 1e21 would be written with an exponent.
  return Number.isInteger(value) && Math.abs(value) >= 1e21 ? BigInt(value).toString() : String(value);
}

/** A value in alerts and in replay's output; times and durations as text, since JSON has none. */
export function valueToJson(value: Value, type: ValueType): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    return type === 'double' && Number.isFinite(value) ? value : formatNumber(value, type);
  }
  const element = typeof type === 'string' ? 'string' : type.list;
  return value.map((item) => valueToJson(item, element));
}
