import type { Row } from '../../../../src/events/row.ts';
import { distanceKm } from '../../../../src/rules/cel/functions/number.ts';
import type { Over } from '../../../../src/rules/over.ts';
import type { Plan, StorePlan, WindowPlan } from '../../../../src/rules/plan.ts';
import type { Value } from '../../../../src/rules/plan-parts.ts';
import { deviation, SPECIAL, special, sumOf, thousandths } from './thousandths.ts';

/**
 * A window by its definition: filter all rows that have arrived, sort them, compute. It shares nothing with the
 * engine but the row type and the distance of two places; scores of thousandths are enough for the numbers that tests
 * use.
 */
export function oracle(...asked: Asked): Value {
  const [plan, window, rows, index] = asked;
  const members = membersOf(...asked);
  if (members === null) return null;
  const store = plan.stores[window.store] as StorePlan;
  const row = rows[index] as Row;
  if (window.fn === 'first_seen') return firstSeen(window, store, row, members);
  if (window.fn === 'speed_kmh') return speed(window, store, row, members);
  const { column = 0, type = 'double' } = store.values[window.values[0] ?? -1] ?? {};
  const cells = members.map((member) => cellOf(member, column));
  return compute(window, cells, type === 'double');
}

/** The text that `first`, `last` or `previous` found; null: nothing, or another function. */
export function foundText(...asked: Asked): string | null {
  const [plan, { fn, store, values }] = asked;
  const column = plan.stores[store]?.values[values[0] ?? -1]?.column ?? 0;
  const cells = (membersOf(...asked) ?? []).map((member) => cellOf(member, column));
  if (fn === 'first') return cells[0] ?? null;
  return fn === 'last' || fn === 'previous' ? (cells.at(-1) ?? null) : null;
}

type Asked = [plan: Plan, window: WindowPlan, rows: readonly Row[], index: number];

/** Windows that differ in their function only have the same rows. */
const known = new WeakMap<Row, Map<string, Row[] | null>>();

/** In the order of their times, then of arrival; null: the key is NULL. */
function membersOf(...asked: Asked): Row[] | null {
  const [, window, rows, index] = asked;
  const row = rows[index] as Row;
  const ofRow = known.get(row) ?? new Map<string, Row[] | null>();
  known.set(row, ofRow);
  const key = JSON.stringify([window.store, window.by, window.over, withOwn(window)]);
  const members = ofRow.has(key) ? (ofRow.get(key) ?? null) : membersNow(...asked);
  ofRow.set(key, members);
  return members;
}

function withOwn({ fn, current }: WindowPlan): boolean {
  return current && !['previous', 'first_seen', 'speed_kmh'].includes(fn);
}

function membersNow(...[plan, window, rows, index]: Asked): Row[] | null {
  const store = plan.stores[window.store] as StorePlan;
  const row = rows[index] as Row;
  const wanted = textOf(row, window.by);
  if (wanted === null) return null;
  const bears = plan.tables[store.table]?.events[store.eventIndex]?.when ?? null;
  const arrived = rows
    .map((other, arrival) => ({ other, arrival }))
    .slice(0, index + 1)
    .filter(({ other }) => {
      const frame = { row: other, lets: [], lists: [] };
      return (
        other.table === store.table &&
        !other.late &&
        (bears === null || bears(frame) === true) &&
        (store.when === null || store.when(frame) === true) &&
        textOf(other, store.by) === wanted
      );
    })
    .sort((a, b) => a.other.at - b.other.at || a.arrival - b.arrival)
    .map(({ other }) => other);
  const kept = window.over.kind === 'rows' ? lastKept(arrived, store, row) : youngKept(arrived, store, row);
  const until = seenUntil(store, row);
  const seen = kept.filter((other) => other.at <= until && (other !== row || withOwn(window)));
  return within(window.over, seen, row.at);
}

/** What W leaves of a window by time: a late row sees no more. Panes go as a whole. */
function youngKept(arrived: readonly Row[], { panes, keep }: StorePlan, row: Row): readonly Row[] {
  const start = (at: number) => (panes === null ? at : Math.floor(at / panes.every) * panes.every);
  return arrived.filter(({ at }) => start(at) > row.watermark - keep);
}

/** The time of the row; of one that is at or before W - lateness, where its pane ends, or those that W has settled. */
function seenUntil({ panes, lateness }: StorePlan, { at, watermark }: Row): number {
  if (panes === null || at > watermark - lateness || !Number.isFinite(at)) return at;
  const end = Math.floor(at / panes.every) * panes.every + panes.every;
  return Math.min(watermark - lateness, end - 1);
}

/** What W leaves of a window of rows: the last so many at or before W - lateness, and all after it. */
function lastKept(arrived: readonly Row[], store: StorePlan, row: Row): readonly Row[] {
  const { count = 0, keep = 0 } = store.rows ?? {};
  const settled = arrived.filter(({ at }) => at <= row.watermark - store.lateness);
  const open = arrived.filter((other) => !settled.includes(other));
  return [...settled.slice(-count), ...open].filter(({ at }) => at > row.watermark - keep);
}

/** `seen`: none is later than t. */
function within(over: Over, seen: readonly Row[], t: number): Row[] {
  switch (over.kind) {
    case 'sliding':
      return seen.filter(({ at }) => at > t - over.over);
    case 'hopping': {
      const start = oldestWindow(over, t);
      return seen.filter(({ at }) => at >= start);
    }
    case 'session':
      return session(
        seen.filter(({ at }) => at > t - over.within),
        over.gap,
        t,
      );
    case 'rows':
      return seen.filter(({ at }) => at > t - over.within).slice(-over.rows);
  }
}

/** All windows that hold t begin at a multiple of `every`. */
function oldestWindow({ size, every }: { size: number; every: number }, t: number): number {
  if (!Number.isFinite(t)) return t;
  let start = Math.ceil(t / every) * every;
  while (start > t) start -= every;
  while (start - every + size > t) start -= every;
  return start;
}

function session(seen: readonly Row[], gap: number, t: number): Row[] {
  const held: Row[] = [];
  let next = t;
  for (const row of [...seen].reverse()) {
    if (next - row.at >= gap) break;
    held.unshift(row);
    next = row.at;
  }
  return held;
}

function textOf(row: Row, columns: readonly number[]): string | null {
  const cells = columns.map((column) => cellOf(row, column));
  return cells.includes(null) ? null : JSON.stringify(cells);
}

function cellOf(row: Row, column: number): string | null {
  const cell = row.cells[column];
  return typeof cell === 'string' ? cell : null;
}

type Compared = [window: WindowPlan, store: StorePlan, row: Row, members: readonly Row[]];

function firstSeen(...[window, store, row, members]: Compared): Value {
  const { column = 0, type = 'string' } = store.values[window.values[0] ?? -1] ?? {};
  const equal = (text: string | null): unknown =>
    text !== null && type === 'double' ? thousandths(text) : text;
  const own = equal(cellOf(row, window.own[0] ?? 0));
  if (own === null) return null;
  if (members.some((member) => equal(cellOf(member, column)) === own)) return false;
  const forgotten = row.at <= row.watermark - store.lateness;
  return forgotten || !Number.isFinite(row.at) ? null : true;
}

function speed(...[window, store, row, members]: Compared): Value {
  const before = members.at(-1);
  if (before === undefined) return null;
  const columns = window.values.map((value) => store.values[value]?.column ?? 0);
  const [lat1, lon1] = columns.map((column) => cellOf(before, column));
  const [lat2, lon2] = window.own.map((column) => cellOf(row, column));
  if (!lat1 || !lon1 || !lat2 || !lon2) return null;
  const distance = distanceKm(Number(lat1), Number(lon1), Number(lat2), Number(lon2));
  return distance === 0 ? 0 : distance / ((row.at - before.at) / 3_600_000_000);
}

function compute({ fn, percent }: WindowPlan, cells: readonly (string | null)[], numeric: boolean): Value {
  const value = (cell: string | null | undefined): Value => {
    if (cell === null || cell === undefined) return null;
    return numeric ? Number(cell) : cell;
  };
  const known = cells.filter((cell) => cell !== null);
  const sorted = [...known].sort((a, b) => order(a, b, numeric));
  switch (fn) {
    case 'count':
      return cells.length;
    case 'first':
      return value(cells[0]);
    case 'last':
    case 'previous':
      return value(cells.at(-1));
    case 'list':
      return known.length === 0 ? null : known.map(value);
    case 'distinct':
      return new Set(known.map((cell) => (numeric ? thousandths(cell) : cell))).size;
    case 'sum':
      return total(known) ?? 0;
    case 'avg':
      return average(known);
    case 'stddev':
      return deviation(known);
    case 'min':
      return value(sorted[0]);
    case 'max':
      return value(sorted.at(-1));
    case 'percentile':
      return percentile(sorted.map(Number), percent ?? 0);
    case 'first_seen':
    case 'speed_kmh':
      throw new Error(`${fn} is about the row itself too`);
  }
}

/** As PostgreSQL has it. */
function percentile(sorted: readonly number[], percent: number): number | null {
  if (sorted.length === 0) return null;
  const place = (percent / 100) * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  return Number.isInteger(place) ? low : low + (place % 1) * (high - low);
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
  const rank = (cell: string): number => (cell === SPECIAL.nan ? 1 : 0);
  return rank(a) - rank(b) || (Number(a) < Number(b) ? -1 : Number(a) > Number(b) ? 1 : 0);
}

function point(character: string): number {
  return character.codePointAt(0) as number;
}
