import type { Cell, Micros } from '../../events/row.ts';
import { fromText } from '../../rules/cel/cells.ts';
import { paneStart } from '../../rules/panes.ts';
import type { PanesPlan, StorePlan } from '../../rules/plan.ts';
import { type ReadValue, readCell } from '../value.ts';
import type { Entries } from './entries.ts';
import { ExactSum } from './exact-sum.ts';
import { compareValues } from './order.ts';

/** So many rows wait to become one with others of their pane. */
const ROLL_FROM = 32;

/**
 * A store of panes: an entry is a row, or all rows of a pane once no row can come between them. What an entry of several
 * rows says is exact: counts, sums in full digits, extremes. Its time is where its pane begins.
 */
export class Panes {
  readonly #plan: PanesPlan;
  readonly #reads: readonly ReadValue[];

  constructor(plan: PanesPlan, values: StorePlan['values']) {
    this.#plan = plan;
    this.#reads = plan.parts.map(({ value }) => {
      const { type, pgType } = values[value] ?? { type: 'string', pgType: 'text' };
      return fromText(type, pgType);
    });
  }

  /** Whether enough rows at or before a time are by themselves: rolling up reads all panes of the key. */
  worthIt(entries: Entries, settled: Micros): boolean {
    const rolled = Math.max(entries.rolledTo, entries.head);
    return entries.upper(settled) - rolled >= Math.max(ROLL_FROM, (rolled - entries.head) / 2);
  }

  /** Makes one entry a pane of those at or before a time. */
  rollUp(entries: Entries, settled: Micros): void {
    const end = entries.upper(settled);
    if (end <= Math.max(entries.rolledTo, entries.head)) return;
    const times: Micros[] = [];
    const cells: Cell[] = [];
    for (let lo = entries.head; lo < end; ) {
      const start = paneStart(this.#plan.every, entries.times[lo] as number);
      let hi = lo + 1;
      while (hi < end && (entries.times[hi] as number) < start + this.#plan.every) hi += 1;
      times.push(start);
      for (let part = 0; part < this.#plan.parts.length; part++)
        cells.push(hi === lo + 1 ? entries.cell(lo, part) : this.#merge(entries, part, { lo, hi }));
      lo = hi;
    }
    entries.replaceBefore(end, times, cells);
  }

  #merge(entries: Entries, part: number, range: { lo: number; hi: number }): Cell {
    const kind = this.#plan.parts[part]?.part;
    if (kind === 'min') return this.#extreme(entries, part, { ...range, sign: -1 });
    if (kind === 'max') return this.#extreme(entries, part, { ...range, sign: 1 });
    const sum = new ExactSum();
    for (let i = range.lo; i < range.hi; i++) {
      const cell = entries.cell(i, part);
      if (typeof cell === 'string') sum.add(cell);
    }
    return sumText(sum);
  }

  /** Of equal values the shorter text, or which one it is would depend on what came first. */
  #extreme(entries: Entries, part: number, of: { lo: number; hi: number; sign: 1 | -1 }): Cell {
    const read = this.#reads[part] as ReadValue;
    let best: string | null = null;
    for (let i = of.lo; i < of.hi; i++) {
      const cell = entries.cell(i, part);
      if (typeof cell !== 'string') continue;
      const order = best === null ? 1 : compareValues(readCell(cell, read), readCell(best, read)) * of.sign;
      if (best === null || order > 0 || (order === 0 && isShorter(cell, best))) best = cell;
    }
    return best;
  }
}

/** The entry of one row, with these values. */
export function paneCells({ parts }: PanesPlan, values: readonly (string | null)[]): (string | null)[] {
  return parts.map(({ part, value }) => {
    const cell = values[value] ?? null;
    if (part === 'rows') return '1';
    if (part === 'known') return cell === null ? '0' : '1';
    if (part !== 'squares' || cell === null) return cell;
    const square = new ExactSum({ squares: true });
    square.add(cell);
    return sumText(square);
  });
}

function sumText(sum: ExactSum): string | null {
  return sum.count === 0 ? null : (sum.text() ?? String(sum.total()));
}

function isShorter(a: string, b: string): boolean {
  return a.length < b.length || (a.length === b.length && a < b);
}
