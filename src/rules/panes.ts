import type { Micros } from '../events/row.ts';
import type { Over } from './over.ts';
import type { PanePart, WindowFunction } from './plan.ts';

/** The functions whose values over the panes of a window make up that over all of it, and what they need of a pane. */
const NEEDED: Readonly<Partial<Record<WindowFunction, readonly PanePart[]>>> = {
  count: ['rows'],
  sum: ['sum'],
  avg: ['known', 'sum'],
  stddev: ['known', 'sum', 'squares'],
  min: ['min'],
  max: ['max'],
};

/** Shorter windows share their rows with windows that slide. */
const LONG: Micros = 3_600_000_000;
/** With more steps a window would have a row a pane. */
const MOST_PANES = 1_000;

export function partsOf(fn: WindowFunction): readonly PanePart[] {
  return NEEDED[fn] ?? [];
}

/** How long the panes of a window are; null: it is kept row by row. */
export function paneOf(fn: WindowFunction, over: Over): Micros | null {
  if (over.kind !== 'hopping' || NEEDED[fn] === undefined) return null;
  const { size, every } = over;
  return size >= LONG && size / every <= MOST_PANES ? every : null;
}

export function paneStart(every: Micros, t: Micros): Micros {
  return Math.floor(t / every) * every;
}
