import type { Micros } from './row.ts';

const MICROS_PER_DAY = 86_400_000_000;
const PATTERN =
  /^(\d{4,6})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d(?::?\d\d)?(?::?\d\d)?)?( BC)?$/;

/**
 * PostgreSQL's ISO text of a timestamptz, timestamp (read as UTC) or date as microseconds since 1970; exact.
 * ±Infinity for `infinity` and `-infinity`; null for what is not a time.
 */
export function timestampMicros(text: string): Micros | null {
  const match = PATTERN.exec(text);
  if (match === null) return infinity(text);
  const year = match[9] === undefined ? Number(match[1]) : 1 - Number(match[1]);
  const days = daysFromCivil(year, Number(match[2]), Number(match[3]));
  const seconds = Number(match[4] ?? 0) * 3600 + Number(match[5] ?? 0) * 60 + Number(match[6] ?? 0);
  const micros = Number((match[7] ?? '').padEnd(6, '0'));
  return days * MICROS_PER_DAY + (seconds - offsetSeconds(match[8])) * 1_000_000 + micros;
}

function infinity(text: string): Micros | null {
  if (text === 'infinity') return Infinity;
  return text === '-infinity' ? -Infinity : null;
}

function offsetSeconds(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z' || zone === '+00') return 0;
  const digits = zone.slice(1).replaceAll(':', '');
  const seconds =
    Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4, 6));
  return zone.startsWith('-') ? -seconds : seconds;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar, which is PostgreSQL's: https://howardhinnant.github.io/date_algorithms.html */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
