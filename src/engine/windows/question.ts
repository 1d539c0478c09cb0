import type { Row } from '../../events/row.ts';
import type { WindowProgram } from '../program.ts';
import type { AggregateSpec } from './aggregate.ts';
import type { Entries, Range } from './entries.ts';

/** What a window is asked: by which row, of which entries, and whether that row is the last of its time in them. */
export interface Question {
  row: Row;
  entries: Entries;
  own: boolean;
  specs: readonly AggregateSpec[];
  readonly followFrom: number;
  /** Of the window at hand: one object for all. */
  readonly range: Range;
  /** A list had more values than it may hold. */
  readonly cut: (window: WindowProgram) => void;
}
