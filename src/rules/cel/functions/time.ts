import type { Micros } from '../../../events/row.ts';
import { ArgumentError, CelEvaluationError } from '../compiled.ts';
import { type Build, type Signature, signature, strict } from '../signature.ts';
import { SECONDS, type WallClock, wallClock } from '../time.ts';

/** As in CEL: months, days of the month and of the year count from 0, `getDate` from 1, Sunday is 0. */
const GETTERS: Readonly<Record<string, (local: Date) => number>> = {
  getFullYear: (local) => local.getUTCFullYear(),
  getMonth: (local) => local.getUTCMonth(),
  getDate: (local) => local.getUTCDate(),
  getDayOfMonth: (local) => local.getUTCDate() - 1,
  getDayOfWeek: (local) => local.getUTCDay(),
  getDayOfYear: (local) =>
    Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0, 1)) / 86_400_000),
  getHours: (local) => local.getUTCHours(),
  getMinutes: (local) => local.getUTCMinutes(),
  getSeconds: (local) => local.getUTCSeconds(),
  getMilliseconds: (local) => local.getUTCMilliseconds(),
};

/** An infinite time has no hour: unknown, as PostgreSQL's extract. */
function part(get: (local: Date) => number, millis: number): number | null {
  const value = get(new Date(millis));
  return Number.isNaN(value) ? null : value;
}

function inUtc(get: (local: Date) => number): Build {
  return strict((at: Micros) => part(get, Math.floor(at / 1000)));
}

/** `zone` is argument 1 of the parts. */
function inZone(get: (local: Date) => number): Build {
  return (parts) => {
    const zone = parts[1]?.constant?.value;
    if (typeof zone === 'string') {
      const clock = wallClock(zone);
      if (clock === null) throw unknownZone(zone);
      return strict((at: Micros) => part(get, clock(at)))(parts.slice(0, 1));
    }
    return strict((at: Micros, name: string) => part(get, clockOf(name)(at)))(parts);
  };
}

function clockOf(zone: string): WallClock {
  const clock = wallClock(zone);
  if (clock === null) throw new CelEvaluationError(`${JSON.stringify(zone)} is not a time zone`);
  return clock;
}

function unknownZone(zone: string): ArgumentError {
  return new ArgumentError(
    1,
    `${JSON.stringify(zone)} is not a time zone`,
    'zones are names such as "Europe/Berlin" or "UTC", or offsets such as "+02:00"',
  );
}

const hour: Build = inZone((local) => local.getUTCHours());

function whole(unit: Micros): Build {
  return strict((span: Micros) => Math.trunc(span / unit));
}

export const TIME_FUNCTIONS: readonly Signature[] = [
  ...Object.entries(GETTERS).flatMap(([name, get]) => [
    signature(`timestamp.${name}(): double`, inUtc(get)),
    signature(`timestamp.${name}(string): double`, inZone(get), { throws: true }),
  ]),
  signature('hour(timestamp, string): double', hour, { own: true, throws: true }),
  signature('duration.getHours(): double', whole(3600 * SECONDS)),
  signature('duration.getMinutes(): double', whole(60 * SECONDS)),
  signature('duration.getSeconds(): double', whole(SECONDS)),
  signature('duration.getMilliseconds(): double', whole(1000)),
];
