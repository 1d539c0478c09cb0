import type { Micros } from '../../events/row.ts';

export const SECONDS: Micros = 1_000_000;
const MINUTES = 60 * SECONDS;
const HOURS = 60 * MINUTES;

const UNITS: ReadonlyMap<string, Micros> = new Map([
  ['d', 24 * HOURS],
  ['h', HOURS],
  ['m', MINUTES],
  ['s', SECONDS],
  ['ms', 1000],
  ['us', 1],
  ['µs', 1],
  ['ns', 0.001],
]);

/** `24h`, `1m30s`, `-1.5h`, as in CEL; also `7d`, as elsewhere in rules. null: not a duration. */
export function parseDuration(text: string): Micros | null {
  const [, sign, parts = ''] = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:d|h|ms|m|s|us|µs|ns))+)$/.exec(text) ?? [];
  if (parts === '') return null;
  let micros = 0;
  for (const [, amount, unit = ''] of parts.matchAll(/([\d.]+)([a-zµ]+)/g)) {
    // To the nanosecond: 59.999999 * 1e6 is not whole in doubles.
    micros += Math.round(Number(amount) * (UNITS.get(unit) ?? 0) * 1000) / 1000;
  }
  return Math.trunc(sign === '-' ? -micros : micros);
}

const ISO = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):?(\d\d))$/;

/** RFC 3339, to the microsecond. null: not a time. */
export function parseIso(text: string): Micros | null {
  const [matched, day = '', time = '', fraction = '', sign, hours = '0', minutes = '0'] =
    ISO.exec(text) ?? [];
  if (matched === undefined) return null;
  const utc = Date.parse(`${day}T${time}Z`);
  // Date.parse turns February 30 into March 2.
  if (Number.isNaN(utc) || new Date(utc).toISOString().slice(0, 10) !== day) return null;
  const offset = (Number(hours) * HOURS + Number(minutes) * MINUTES) * (sign === '-' ? -1 : 1);
  return utc * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0')) - offset;
}

/** `2026-01-31T08:30:00Z`; milliseconds or microseconds where there are any. */
export function formatIso(at: Micros): string {
  if (!Number.isFinite(at)) return Number.isNaN(at) ? 'NaN' : at > 0 ? 'infinity' : '-infinity';
  const second = Math.floor(at / SECONDS);
  const micros = Math.round(at - second * SECONDS);
  const date = new Date(second * 1000);
  if (Number.isNaN(date.getTime())) return `${at}us`;
  const digits = String(micros).padStart(6, '0');
  const fraction = micros === 0 ? '' : `.${micros % 1000 === 0 ? digits.slice(0, 3) : digits}`;
  return date.toISOString().replace('.000Z', `${fraction}Z`);
}

/** `24h`, `1m30s`, `0.25s`: what `parseDuration` reads. */
export function formatDuration(span: Micros): string {
  if (!Number.isFinite(span)) return formatIso(span);
  const rest = Math.abs(span);
  const hours = Math.floor(rest / HOURS);
  const minutes = Math.floor((rest % HOURS) / MINUTES);
  const seconds = (rest % MINUTES) / SECONDS;
  const parts = [
    hours > 0 ? `${hours}h` : '',
    minutes > 0 ? `${minutes}m` : '',
    seconds > 0 ? `${plain(seconds)}s` : '',
  ];
  return `${span < 0 ? '-' : ''}${parts.join('') || '0s'}`;
}

/** Without an exponent, to the microsecond. */
function plain(seconds: number): string {
  return Number.isInteger(seconds) ? String(seconds) : seconds.toFixed(6).replace(/0+$/, '');
}

/** A clock on a wall: the local time of an instant, in milliseconds as if it were UTC. */
export type WallClock = (at: Micros) => number;

const clocks = new Map<string, WallClock>();

/** null: no such zone. Zones are IANA names, or fixed offsets such as `+02:00`. */
export function wallClock(zone: string): WallClock | null {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  const clock = fixedClock(zone) ?? zoneClock(zone);
  if (clock !== null) clocks.set(zone, clock);
  return clock;
}

function fixedClock(zone: string): WallClock | null {
  const [matched, sign, hours, minutes] = /^([+-]?)([01]\d|2[0-3]):([0-5]\d)$/.exec(zone) ?? [];
  if (matched === undefined) return null;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return (at) => Math.floor(at / 1000) + offset;
}

/** Offsets change at quarter-hours at the most often: rows of one quarter-hour ask Intl once. */
const QUARTER_HOUR_MS = 900_000;

function zoneClock(zone: string): WallClock | null {
  const format = formatOf(zone);
  if (format === null) return null;
  let slot = Number.NaN;
  let offset = 0;
  return (at) => {
    const millis = Math.floor(at / 1000);
    const now = Math.floor(millis / QUARTER_HOUR_MS);
    if (now !== slot) {
      offset = offsetAt(format, now * QUARTER_HOUR_MS);
      slot = now;
    }
    return millis + offset;
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat | null {
  try {
    const numeric = { year: 'numeric', month: 'numeric', day: 'numeric' } as const;
    const time = { hour: 'numeric', minute: 'numeric', second: 'numeric' } as const;
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      era: 'short',
      ...numeric,
      ...time,
    });
  } catch {
    return null;
  }
}

function offsetAt(format: Intl.DateTimeFormat, millis: number): number {
  if (!Number.isFinite(millis)) return 0;
  const part = new Map(format.formatToParts(millis).map(({ type, value }) => [type as string, value]));
  const number = (name: string): number => Number(part.get(name));
  const year = part.get('era') === 'BC' ? 1 - number('year') : number('year');
  const local = new Date(0);
  local.setUTCFullYear(year, number('month') - 1, number('day'));
  local.setUTCHours(number('hour'), number('minute'), number('second'));
  return local.getTime() - millis;
}
