import { keyText } from '../../../src/events/keys.ts';
import { positionText } from '../../../src/events/position.ts';
import type { Cell, Row } from '../../../src/events/row.ts';
import type { Plan } from '../../../src/rules/plan.ts';

/** A line of a replay file, as far as tests of patterns need it: columns by name; `at` in milliseconds. */
export type Line = { readonly at: number } & { readonly [column: string]: unknown };

const MICROS = 1000;

/**
 * Inserts into the plan's first table, in the order in which they arrive, stamped as the source does: W is the latest
 * time so far, less `lateness`, less a microsecond. With `watermarks`, W is what they say, by index of the line.
 */
export function rowsOf(
  { tables }: Plan,
  lines: readonly Line[],
  watermarks: ((line: number) => number) | null = null,
): readonly Row[] {
  const table = tables[0];
  if (table === undefined) throw new Error('the plan has no table');
  let latest = Number.NEGATIVE_INFINITY;
  return lines.map((line, index) => {
    const at = line.at * MICROS;
    const watermark = watermarks === null ? latest - table.lateness - 1 : watermarks(index) * MICROS;
    latest = Math.max(latest, at);
    const cells = table.columns.map(({ name }) => cellOf(line[name]));
    const keys = table.keys.map(({ columns }) => columns.length === 0 || keyText(cells, columns) !== null);
    const roles = keys.reduce((bits, has, key) => (has ? bits | (2 << key) : bits), 1);
    const position = positionText('0000000000000001', index);
    const late = at <= watermark;
    return {
      table: 0,
      op: 'insert',
      cells,
      old: null,
      position,
      at,
      commitAt: latest,
      watermark,
      late,
      roles,
    };
  });
}

function cellOf(value: unknown): Cell {
  return value === null || value === undefined ? null : String(value);
}
