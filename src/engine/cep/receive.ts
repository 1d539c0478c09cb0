import type { Micros, Row } from '../../events/row.ts';
import type { Definition } from './definition.ts';
import type { Lane } from './lane.ts';
import { offer } from './offer.ts';
import { PendingRows } from './pending-rows.ts';
import type { Sink } from './sink.ts';
import { moveTo } from './time.ts';

/** The most partial matches that live in one lane, unless the caller says otherwise. */
export const MAX_PARTIALS = 10_000;

/** What a lane hands its outputs to, and how much it may keep. */
export interface Outlet {
  readonly sink: Sink;
  readonly cap?: number;
}

/** A row that is not late, as it arrives. */
export interface Arriving {
  readonly row: Row;
  /** The bits of the steps whose event the row bears, and under whose key it enters this lane. */
  readonly steps: number;
  /** The pattern's W, this row taken into account. */
  readonly watermark: Micros;
}

/** A row arrives. It is handled once its time is at most W + 1 µs, after all that are earlier. */
export function receive(
  definition: Definition,
  lane: Lane,
  { row, steps, watermark, sink, cap = MAX_PARTIALS }: Arriving & Outlet,
): void {
  const now = watermark + 1;
  if (row.at <= now && lane.pending === null) {
    moveTo(definition, lane, { time: row.at, sink });
    offer(definition, lane, { row, steps, seq: null, sink, cap });
  } else {
    lane.pending ??= new PendingRows();
    lane.pending.push({ row, steps, seq: lane.nextSeq++ });
    lane.dirty = true;
  }
  advance(definition, lane, { watermark, sink, cap });
}

/** W moves: rows whose time has come are handled in order, then time moves to W + 1 µs. */
export function advance(
  definition: Definition,
  lane: Lane,
  { watermark, sink, cap = MAX_PARTIALS }: { watermark: Micros } & Outlet,
): void {
  const now = watermark + 1;
  const { pending } = lane;
  for (let next = pending?.shift(now) ?? null; next !== null; next = pending?.shift(now) ?? null) {
    if (next.seq < lane.savedSeq) lane.journaled.handed.push(next.seq);
    lane.dirty = true;
    moveTo(definition, lane, { time: next.row.at, sink });
    offer(definition, lane, { ...next, sink, cap });
  }
  if (pending?.size === 0) lane.pending = null;
  moveTo(definition, lane, { time: now, sink });
  lane.resetIfEmpty();
}
