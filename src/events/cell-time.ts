import { malformed } from './cell.ts';
import { type Micros, SECOND } from './row.ts';

const DAY = 86_400 * SECOND;
/** As `extract(epoch from interval)` counts them. */
const MONTH = 30 * DAY;
const YEAR = 365.25 * DAY;

const ZERO = 0x30;
const NINE = 0x39;

/**
 * A timestamptz, timestamp (read as UTC) or date in ISO DateStyle, which our replication session sets: exact
 * microseconds since the Unix epoch, ±Infinity for PostgreSQL's. `T` and `Z` are taken too, as people write
 * times in tests. Throws `WEIR_VALUE` for what is not a time.
 */
export function parseTimestamp(text: string): Micros {
  if (text === 'infinity') return Infinity;
  if (text === '-infinity') return -Infinity;
  const dash = text.indexOf('-');
  const bc = text.endsWith(' BC');
  const end = bc ? text.length - 3 : text.length;
  const year = dash < 4 || dash > 7 ? -1 : digits(text, 0, dash);
  const month = text.charCodeAt(dash + 3) === 0x2d ? digits(text, dash + 1, dash + 3) : -1;
  const dateEnd = dash + 6;
  const day = digits(text, dash + 4, dateEnd);
  if (year < 1 || day < 1 || dateEnd > end || month < 1 || month > 12) throw malformed('a timestamp', text);
  const civilYear = bc ? 1 - year : year;
  if (day > daysIn(civilYear, month)) throw malformed('a timestamp', text);
  const midnight = daysFromCivil(civilYear, month, day) * DAY;
  return dateEnd === end ? midnight : midnight + parseClock(text, dateEnd, end);
}

/** ` 12:00:00.123456+05:30`, as microseconds since midnight, UTC. */
function parseClock(text: string, start: number, end: number): Micros {
  const separator = text.charCodeAt(start);
  const hour = digits(text, start + 1, start + 3);
  const minute = digits(text, start + 4, start + 6);
  const second = digits(text, start + 7, start + 9);
  const colons = text.charCodeAt(start + 3) === 0x3a && text.charCodeAt(start + 6) === 0x3a;
  const valid = hour >= 0 && hour <= 24 && minute >= 0 && minute < 60 && second >= 0 && second <= 60;
  if ((separator !== 0x20 && separator !== 0x54) || !colons || !valid || start + 9 > end)
    throw malformed('a timestamp', text);
  let micros = (hour * 3600 + minute * 60 + second) * SECOND;
  let at = start + 9;
  if (text.charCodeAt(at) === 0x2e) {
    const from = at + 1;
    at = from;
    while (at < end && isDigit(text.charCodeAt(at))) at++;
    micros += fraction(text, from, at);
  }
  return at === end ? micros : micros - parseOffset(text, at, end);
}

/** At most six digits: PostgreSQL has no more, and more could not be kept. */
function fraction(text: string, from: number, to: number): Micros {
  if (to === from || to - from > 6) throw malformed('a timestamp of microseconds', text);
  return digits(text, from, to) * 10 ** (6 - (to - from));
}

/** `Z`, `+00`, `-03:30`, `+00:19:32` (local mean time, before there were zones). */
function parseOffset(text: string, start: number, end: number): Micros {
  const sign = text.charCodeAt(start);
  if (sign === 0x5a && start + 1 === end) return 0;
  const parts = (end - start) / 3;
  if ((sign !== 0x2b && sign !== 0x2d) || !Number.isInteger(parts) || parts > 3)
    throw malformed('a timestamp', text);
  let seconds = 0;
  for (let i = 0; i < parts; i++) {
    const at = start + 3 * i;
    const value = digits(text, at + 1, at + 3);
    if (value < 0 || value > 59 || (i > 0 && text.charCodeAt(at) !== 0x3a))
      throw malformed('a timestamp', text);
    seconds += value * 60 ** (2 - i);
  }
  return sign === 0x2d ? -seconds * SECOND : seconds * SECOND;
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

/** -1 where something else than digits stands there. */
function digits(text: string, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!isDigit(code)) return -1;
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
