import { createHash } from 'node:crypto';
import { rowToJson } from '../events/cell-json.ts';
import { keyText } from '../events/keys.ts';
import type { Micros, Row } from '../events/row.ts';
import { formatIso } from '../rules/cel/time.ts';
import type { TablePlan } from '../rules/plan.ts';
import type { BlockPlan, Mode } from '../rules/plan-parts.ts';

/** Hex digits of an alert's id: 128 bits. */
const ID_DIGITS = 32;

/** The same for the same rule, key, position and mode: a replay makes the same alert. */
export function alertIdOf(of: { rule: string; key: string; position: string; mode: Mode }): string {
  const text = JSON.stringify([of.rule, of.key, of.position, of.mode]);
  return createHash('sha256').update(text).digest('hex').slice(0, ID_DIGITS);
}

export function rowJson(table: TablePlan, row: Row): string {
  return rowToJson(table.columns, row.cells);
}

/** The row as the one event of an alert or a decision. */
export function eventsJson(table: TablePlan, event: string, row: Row): string {
  return `[${eventJson(table, { event }, row)}]`;
}

/** One event of an alert: what it is called there, where and when it was, its columns. */
export function eventJson(
  table: TablePlan,
  names: { readonly event: string; readonly step?: string },
  row: Row,
): string {
  const { position } = row;
  const head = JSON.stringify({ ...names, position, at: formatIso(row.at) }).slice(0, -1);
  return `${head},"columns":${rowJson(table, row)}}`;
}

/** Some columns of the row with their values: what an alert or a decision is about. */
export function subjectJson(table: TablePlan, columns: readonly number[], row: Row): string {
  const plans = columns.flatMap((column) => table.columns[column] ?? []);
  return rowToJson(
    plans,
    columns.map((column) => row.cells[column] ?? null),
  );
}

/** Who is blocked, and until when; null where the key is NULL. */
export function blockOf(
  plan: BlockPlan,
  row: Row,
): { readonly key: string; readonly value: string; readonly until: Micros } | null {
  const value = keyText(row.cells, plan.by.columns);
  if (value === null) return null;
  return { key: plan.by.names.join(','), value, until: row.commitAt + plan.forMicros };
}
