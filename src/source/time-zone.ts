import type { Client } from 'pg';
import type { TablePlan } from '../rules/plan.ts';
import { type Finding, failed, passed } from './finding.ts';

export interface TimeZone {
  readonly name: string;
  /** UTC under whatever name, in summer too. */
  readonly utc: boolean;
}

export async function readTimeZone(client: Pick<Client, 'query'>): Promise<TimeZone> {
  const { rows } = await client.query(
    `SELECT current_setting('TimeZone') AS name,
       timestamptz '2026-01-01 00:00Z' = timestamp '2026-01-01 00:00'
         AND timestamptz '2026-07-01 00:00Z' = timestamp '2026-07-01 00:00' AS utc`,
  );
  const [row] = rows as TimeZone[];
  if (row === undefined) throw new Error('PostgreSQL did not tell its TimeZone');
  return row;
}

type Timed = Pick<TablePlan, 'event' | 'time' | 'columns'>;

/** Pure: events whose time says no zone, where the host may well write another one than UTC. */
export function judgeTimes(tables: readonly Timed[], { name, utc }: TimeZone): readonly Finding[] {
  return tables.flatMap(({ event, time, columns }) => {
    const column = time === null ? undefined : columns[time];
    if (column?.pgType !== 'timestamp') return [];
    const id = `time-${event}`;
    const measured = `time of ${event} is ${column.name}, a timestamp without time zone, and TimeZone is ${name}`;
    const why = 'it is read as UTC: where the host writes local time, rows are late, or ahead of time';
    if (utc) return [passed(id, measured, why)];
    const fix = `make ${column.name} a timestamptz, or make sure that the host writes UTC into it`;
    return [failed({ id, severity: 'warning', measured, why, fix })];
  });
}
