import { malformed } from './cell.ts';
import { type Micros, SECOND } from './row.ts';

const DAY = 86_400 * SECOND;
/** As `extract(epoch from interval)` counts them. */
const MONTH = 30 * DAY;
const YEAR = 365.25 * DAY;

const SPACE = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const LETTER_C = 0x43;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

/** As `timestampMicros`; throws `WEIR_VALUE` for what is not a time. */
export function parseTimestamp(text: string): Micros {
  const micros = timestampMicros(text);
  if (micros === null) throw malformed('a timestamp', text);
  return micros;
}

/**
 * A timestamptz, timestamp (read as UTC) or date in ISO DateStyle, which our replication session sets: exact
 * microseconds since the Unix epoch, ±Infinity for PostgreSQL's, null for what is not a time. `T` and `Z` are
 * taken too, as people write times in tests.
 */
export function timestampMicros(text: string): Micros | null {
  // Once a row: character codes throughout, and the usual forms first.
  const bc = text.charCodeAt(text.length - 1) === LETTER_C && text.endsWith(' BC');
  const end = bc ? text.length - 3 : text.length;
  const dash = text.charCodeAt(4) === MINUS ? 4 : text.indexOf('-');
  const dateEnd = dash + 6;
  if (dash < 4 || dash > 7 || dateEnd > end || text.charCodeAt(dash + 3) !== MINUS) return infinity(text);
  const year = digits(text, 0, dash);
  const month = digits(text, dash + 1, dash + 3);
  const day = digits(text, dash + 4, dateEnd);
  const civilYear = bc ? 1 - year : year;
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(civilYear, month))) return null;
  const midnight = daysFromCivil(civilYear, month, day) * DAY;
  const micros = dateEnd === end ? midnight : midnight + clockMicros(text, dateEnd, end);
  return Number.isNaN(micros) ? null : micros;
}

function infinity(text: string): Micros | null {
  if (text === 'infinity') return Infinity;
  return text === '-infinity' ? -Infinity : null;
}

/** ` 12:00:00.123456+05:30`, as microseconds since midnight, UTC. This and what follows: NaN for what is none. */
function clockMicros(text: string, start: number, end: number): number {
  let at = start + 9;
  const separator = text.charCodeAt(start);
  const separated = separator === SPACE || separator === LETTER_T;
  const colons = text.charCodeAt(start + 3) === COLON && text.charCodeAt(start + 6) === COLON;
  if (at > end || !separated || !colons) return Number.NaN;
  const hour = digits(text, start + 1, start + 3);
  const minute = digits(text, start + 4, start + 6);
  const second = digits(text, start + 7, at);
  if (!(hour <= 24 && minute < 60 && second <= 60)) return Number.NaN;
  let micros = (hour * 3600 + minute * 60 + second) * SECOND;
  if (text.charCodeAt(at) === POINT) {
    const from = at + 1;
    at = from;
    while (at < end && isDigit(text.charCodeAt(at))) at++;
    micros += fractionMicros(text, from, at);
  }
  return at === end ? micros : micros - offsetMicros(text, at, end);
}

/** At most six digits: PostgreSQL has no more, and more could not be kept. */
function fractionMicros(text: string, from: number, to: number): number {
  const count = to - from;
  return count < 1 || count > 6 ? Number.NaN : digits(text, from, to) * 10 ** (6 - count);
}

/** `Z`, `+00`, `-03:30`, `+00:19:32` (local mean time, before there were zones). */
function offsetMicros(text: string, start: number, end: number): number {
  const sign = text.charCodeAt(start);
  if (sign === LETTER_Z) return start + 1 === end ? 0 : Number.NaN;
  const parts = (end - start) / 3;
  if ((sign !== PLUS && sign !== MINUS) || !Number.isInteger(parts) || parts > 3) return Number.NaN;
  let seconds = 0;
  for (let i = 0; i < parts; i++) {
    const at = start + 3 * i;
    if (i > 0 && text.charCodeAt(at) !== COLON) return Number.NaN;
    const value = digits(text, at + 1, at + 3);
    seconds += (value < 60 ? value : Number.NaN) * 60 ** (2 - i);
  }
  return (sign === MINUS ? -seconds : seconds) * SECOND;
}

const INTERVAL =
  /^(?:([+-]?\d+) years? ?)?(?:([+-]?\d+) mons? ?)?(?:([+-]?\d+) days? ?)?(?:([+-])?(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?$/;

/** An interval in IntervalStyle `postgres`, in microseconds, as `extract(epoch from …)` counts years and months. */
export function parseInterval(text: string): Micros {
  if (text === 'infinity') return Infinity;
  if (text === '-infinity') return -Infinity;
  const match = INTERVAL.exec(text);
  if (match === null || text === '') throw malformed('an interval', text);
  const [, years, months, days, sign, hours, minutes, seconds, micros] = match;
  const allMonths = Number(years ?? 0) * 12 + Number(months ?? 0);
  const whole = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds ?? 0);
  const clock = whole * SECOND + Number((micros ?? '').padEnd(6, '0'));
  const dates = Math.trunc(allMonths / 12) * YEAR + (allMonths % 12) * MONTH + Number(days ?? 0) * DAY;
  return dates + (sign === '-' ? -clock : clock);
}

/** NaN where something else than digits stands there. */
function digits(text: string, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!isDigit(code)) return Number.NaN;
    value = value * 10 + code - ZERO;
  }
  return value;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : (MONTH_DAYS[month - 1] as number);
}

/** Days since 1970-01-01, proleptic Gregorian as PostgreSQL's: https://howardhinnant.github.io/date_algorithms.html */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
