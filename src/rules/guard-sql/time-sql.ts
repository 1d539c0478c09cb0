import { escapeLiteral } from 'pg';
import type { Term } from '../cel/term.ts';
import { baseName } from './column-sql.ts';
import { newColumn } from './sql-part.ts';

/** As `cel/functions/time.ts` has them, of a `timestamp` at the wall. */
const GETTERS: Readonly<Record<string, (local: string) => string>> = {
  getFullYear: (local) =>
    `case when isfinite(${local}) then extract(year from ${local}) + (extract(year from ${local}) < 0)::int end`,
  getMonth: (local) => `extract(month from ${local}) - 1`,
  getDate: (local) => `extract(day from ${local})`,
  getDayOfMonth: (local) => `extract(day from ${local}) - 1`,
  getDayOfWeek: (local) => `extract(dow from ${local})`,
  getDayOfYear: (local) => `extract(doy from ${local}) - 1`,
  getHours: (local) => `extract(hour from ${local})`,
  getMinutes: (local) => `extract(minute from ${local})`,
  getSeconds: (local) => `floor(extract(second from ${local}))`,
  getMilliseconds: (local) => `floor(extract(milliseconds from ${local})) % 1000`,
  hour: (local) => `extract(hour from ${local})`,
};

/** A part of the clock at a zone (null: UTC); null: of what is no column, or not known at the time of writing. */
export function clockSql(name: string, time: Term, zone: Term | null): string | null {
  const get = GETTERS[name];
  const zoneName = zone === null ? 'UTC' : zone.kind === 'literal' ? zone.value : null;
  if (get === undefined || typeof zoneName !== 'string') return null;
  if (time.kind !== 'variable' || time.variable.type !== 'timestamp') return null;
  if (time.variable.origin.kind !== 'column') return null;
  const column = newColumn(time.variable.name);
  const type = baseName(time.variable.origin.pgType);
  if (type === 'date') return null; // some dates are no timestamps
  const zoned = type === 'timestamptz' || type === 'timestamp with time zone';
  const at = zoned ? column : `(${column} at time zone 'UTC')`;
  const local = zoneName === 'UTC' && !zoned ? column : `(${at} at time zone ${zoneSql(zoneName)})`;
  return `(${get(local)})::float8`;
}

/** PostgreSQL reads "+02:00" as POSIX does, west of Greenwich; an interval is what it says. */
function zoneSql(zone: string): string {
  const offset = /^([+-]?)(\d\d:\d\d)$/.exec(zone);
  return offset === null ? escapeLiteral(zone) : `interval '${offset[1]}${offset[2]}'`;
}
