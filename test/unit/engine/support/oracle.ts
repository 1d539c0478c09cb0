import type { Row } from '../../../../src/events/row.ts';
import type { Plan, WindowPlan } from '../../../../src/rules/plan.ts';
import type { Value } from '../../../../src/rules/plan-parts.ts';

/**
 * A window by its definition: filter all rows that have arrived, sort them, compute. It shares nothing with the
 * engine but the row type; scores of thousandths are enough for the numbers that tests use.
 */
export function oracle(...asked: Asked): Value {
  const [plan, window] = asked;
  const store = plan.stores[window.store] as Plan['stores'][number];
  const cells = cellsOf(...asked);
  if (cells === null) return null;
  const type = window.value === null ? 'double' : (store.values[window.value]?.type ?? 'double');
  return compute(window.fn, cells, type === 'double');
}

/** The text that `first`, `last` or `previous` found; null: nothing, or another function. */
export function foundText(...asked: Asked): string | null {
  const { fn } = asked[1];
  const cells = cellsOf(...asked) ?? [];
  if (fn === 'first') return cells[0] ?? null;
  return fn === 'last' || fn === 'previous' ? (cells.at(-1) ?? null) : null;
}

type Asked = [plan: Plan, window: WindowPlan, rows: readonly Row[], index: number];

/** In the order of their times, then of arrival; null: the key is NULL. */
function cellsOf(...[plan, window, rows, index]: Asked): (string | null)[] | null {
  const store = plan.stores[window.store] as Plan['stores'][number];
  const row = rows[index] as Row;
  const wanted = textOf(row, window.by);
  if (wanted === null) return null;
  const members = rows
    .map((other, arrival) => ({ other, arrival }))
    .slice(0, index + 1)
    .filter(({ other, arrival }) => {
      const bears = plan.tables[store.table]?.events[store.eventIndex]?.when ?? null;
      const frame = { row: other, lets: [], lists: [] };
      return (
        other.table === store.table &&
        !other.late &&
        (bears === null || bears(frame) === true) &&
        (store.when === null || store.when(frame) === true) &&
        textOf(other, store.by) === wanted &&
        other.at > row.at - window.over &&
        other.at <= row.at &&
        other.at > row.watermark - store.keep &&
        (arrival !== index || (window.current && window.fn !== 'previous'))
      );
    })
    .sort((a, b) => a.other.at - b.other.at || a.arrival - b.arrival)
    .map(({ other }) => other);
  const column = window.value === null ? 0 : (store.values[window.value]?.column ?? 0);
  return members.map((member) => cellOf(member, column));
}

function textOf(row: Row, columns: readonly number[]): string | null {
  const cells = columns.map((column) => cellOf(row, column));
  return cells.includes(null) ? null : JSON.stringify(cells);
}

function cellOf(row: Row, column: number): string | null {
  const cell = row.cells[column];
  return typeof cell === 'string' ? cell : null;
}

function compute(fn: WindowPlan['fn'], cells: readonly (string | null)[], numeric: boolean): Value {
  const value = (cell: string | null | undefined): Value => {
    if (cell === null || cell === undefined) return null;
    return numeric ? Number(cell) : cell;
  };
  const known = cells.filter((cell) => cell !== null);
  switch (fn) {
    case 'count':
      return cells.length;
    case 'first':
      return value(cells[0]);
    case 'last':
    case 'previous':
      return value(cells.at(-1));
    case 'distinct':
      return new Set(known.map((cell) => (numeric ? thousandths(cell) : cell))).size;
    case 'sum':
      return total(known) ?? 0;
    case 'avg':
      return average(known);
    case 'min':
      return [...known].sort((a, b) => order(a, b, numeric)).map(value)[0] ?? null;
    case 'max':
      return [...known].sort((a, b) => order(b, a, numeric)).map(value)[0] ?? null;
  }
}

const SPECIAL = ['-Infinity', 'Infinity', 'NaN'];

/** Exact, for at most three decimals; a special value stands for itself. */
export function thousandths(cell: string): bigint | string {
  if (SPECIAL.includes(cell)) return cell;
  const negative = cell.startsWith('-');
  const [whole = '0', part = ''] = cell.replace('-', '').split('.');
  const amount = BigInt(whole) * 1000n + BigInt(part.padEnd(3, '0'));
  return negative ? -amount : amount;
}

function special(cells: readonly string[]): number | null {
  const found = new Set(cells.filter((cell) => SPECIAL.includes(cell)));
  if (found.has('NaN') || (found.has('Infinity') && found.has('-Infinity'))) return NaN;
  if (found.has('Infinity')) return Infinity;
  return found.has('-Infinity') ? -Infinity : null;
}

function sumOf(cells: readonly string[]): bigint {
  return cells.map(thousandths).reduce<bigint>((sum, amount) => sum + (amount as bigint), 0n);
}

function total(cells: readonly string[]): number | null {
  return cells.length === 0 ? null : (special(cells) ?? Number(`${sumOf(cells)}e-3`));
}

/** 60 decimals of the quotient: no double's rounding turns on a digit beyond them for numbers of this size. */
function average(cells: readonly string[]): number | null {
  if (cells.length === 0) return null;
  const found = special(cells);
  if (found !== null) return found;
  return Number(`${(sumOf(cells) * 10n ** 60n) / BigInt(cells.length)}e-63`);
}

function order(a: string, b: string, numeric: boolean): number {
  if (!numeric) {
    const [x, y] = [[...a].map(point), [...b].map(point)];
    const i = x.findIndex((code, at) => code !== y[at]);
    return i < 0 ? x.length - y.length : (x[i] as number) - (y[i] ?? -1);
  }
  const rank = (cell: string): number => (cell === 'NaN' ? 1 : 0);
  return rank(a) - rank(b) || (Number(a) < Number(b) ? -1 : Number(a) > Number(b) ? 1 : 0);
}

function point(character: string): number {
  return character.codePointAt(0) as number;
}
