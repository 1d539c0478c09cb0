import type { Micros } from '../events/row.ts';

/** Which rows of its key a window holds, as of a row at time t. None is later than t. */
export type Over =
  /** Time in (t - over, t]. */
  | { readonly kind: 'sliding'; readonly over: Micros }
  /** Time from `hopStart` on. A tumbling window is one whose `every` is its `size`. */
  | { readonly kind: 'hopping'; readonly size: Micros; readonly every: Micros }
  /** Back from t while each row is less than `gap` before the next, and less than `within` before t. */
  | { readonly kind: 'session'; readonly gap: Micros; readonly within: Micros }
  /** The last `rows` by (time, arrival), each less than `within` before t. */
  | { readonly kind: 'rows'; readonly rows: number; readonly within: Micros };

/** Of the windows [k * every, k * every + size) that hold t, the start of the one that closes next: the oldest. */
export function hopStart({ size, every }: { size: Micros; every: Micros }, t: Micros): Micros {
  return Math.floor(t / every) * every + every - size;
}

/** What a store keeps for its windows: rows by their time, and the last rows of each key. */
export interface Retention {
  /** The furthest that a window by time looks back. */
  readonly over: Micros;
  /** The furthest that windows of rows look back: in rows (0: there are none), and in time. */
  readonly rows: number;
  readonly within: Micros;
}

export const KEEPS_NOTHING: Retention = { over: 0, rows: 0, within: 0 };

/** What has to be kept for one window more. */
export function withWindow(retention: Retention, over: Over): Retention {
  if (over.kind === 'rows') {
    const { rows, within } = retention;
    return { ...retention, rows: Math.max(rows, over.rows), within: Math.max(within, over.within) };
  }
  return { ...retention, over: Math.max(retention.over, extentOf(over)) };
}

function extentOf(over: Exclude<Over, { kind: 'rows' }>): Micros {
  switch (over.kind) {
    case 'sliding':
      return over.over;
    case 'hopping':
      return over.size;
    case 'session':
      return over.within;
  }
}
