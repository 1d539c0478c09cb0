import type { Micros } from '../../events/row.ts';

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** An ISO 8601 timestamp to the microsecond, `infinity` and `-infinity`; without a zone it is UTC. null: not one. */
export function parseTimestamp(text: string): Micros | null {
  if (text === 'infinity' || text === '-infinity') return text === 'infinity' ? Infinity : -Infinity;
  const match = ISO.exec(text.trim());
  if (match === null) return null;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match;
  const date = [Number(year), Number(month) - 1, Number(day)] as const;
  const millis = Date.UTC(...date, Number(hour), Number(minute), Number(second));
  const back = new Date(Date.UTC(...date));
  if (back.getUTCMonth() !== date[1] || Number(hour) > 24 || Number(minute) > 59 || Number(second) > 60)
    return null;
  return millis * 1000 + Number(fraction.padEnd(6, '0')) - zoneMicros(zone);
}

function zoneMicros(zone: string): Micros {
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return (match[1] === '-' ? -minutes : minutes) * 60_000_000;
}

/** PostgreSQL's text of a timestamptz in UTC, as pgoutput sends it. */
export function timestampText(at: Micros): string {
  if (at === Infinity || at === -Infinity) return at > 0 ? 'infinity' : '-infinity';
  const millis = Math.floor(at / 1000);
  const micros = String(Math.round(at - millis * 1000)).padStart(3, '0');
  const iso = new Date(millis).toISOString();
  const fraction = `${iso.slice(20, 23)}${micros}`.replace(/0+$/, '');
  return `${iso.slice(0, 19).replace('T', ' ')}${fraction === '' ? '' : `.${fraction}`}+00`;
}
