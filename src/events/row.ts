import type { PositionText } from './position.ts';

/** Microseconds since the Unix epoch; exact as a JS number until the year 2255; ±Infinity are PostgreSQL's. */
export type Micros = number;
export const SECOND: Micros = 1_000_000;

/** The value of an unchanged TOAST column in an update: PostgreSQL did not send it. Unknown in conditions. */
export const UNCHANGED = 0;
/** A column that the publication does not carry. */
export const NOT_SENT = 1;
/**
 * A column's value on the wire, in batches and in state: PostgreSQL's own text (exact: numeric keeps every
 * digit), SQL NULL, or a sentinel. It is JSON as it is, so nothing is converted on the way.
 */
export type Cell = string | null | typeof UNCHANGED | typeof NOT_SENT;

export const OPS = ['insert', 'update', 'delete', 'truncate'] as const;
export type Op = (typeof OPS)[number];

/** One row change of one captured table, routed to one partition: what the engines see. */
export interface Row {
  /** Index into `Plan.tables`. */
  readonly table: number;
  readonly op: Op;
  /** In the order of `TablePlan.columns`; empty for a truncate. A delete has its old row here too. */
  readonly cells: readonly Cell[];
  /** Update and delete: the old row as far as the replica identity sends it; else null. */
  readonly old: readonly Cell[] | null;
  readonly position: PositionText;
  /** Event time: the `time` column, or the monotone commit time. */
  readonly at: Micros;
  /** The monotone commit time of its transaction. */
  readonly commitAt: Micros;
  /** W of its table's event just before the row arrived: no more rows of this time or earlier were expected. */
  readonly watermark: Micros;
  /** At or below W when it arrived, or a time that cannot be (see `ahead`). */
  readonly late: boolean;
  /** Bit 0: this partition is the row's home. Bit i + 1: the row's key `TablePlan.keys[i]` lives here. */
  readonly roles: number;
  /** A dead letter's row, which comes again for one rule alone: it enters no window. */
  readonly letter?: Letter;
}

export interface Letter {
  /** Of weir.dead_letters. */
  readonly id: string;
  readonly rule: string;
  /** The place in the stream where it was asked for; `Row.position` is where it stood at first. */
  readonly asked: PositionText;
}

/** Where the stream has the row. */
export function placeOf({ letter, position }: Pick<Row, 'letter' | 'position'>): PositionText {
  return letter === undefined ? position : letter.asked;
}

/** Stands where no row is at hand yet. */
export const NO_ROW: Row = {
  table: 0,
  op: 'insert',
  cells: [],
  old: null,
  position: '',
  at: 0,
  commitAt: 0,
  watermark: 0,
  late: false,
  roles: 0,
};
