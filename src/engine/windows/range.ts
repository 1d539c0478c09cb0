import type { Micros, Row } from '../../events/row.ts';
import { hopStart, type Over } from '../../rules/over.ts';
import { paneStart } from '../../rules/panes.ts';
import type { WindowProgram } from '../program.ts';
import type { Entries } from './entries.ts';
import { followerOf } from './followers.ts';
import type { Question } from './question.ts';
import { Sessions, sessionStart } from './sessions.ts';

/**
 * Which entries a window holds, as of the row: none later than it, and none at or before W - keep, so that what has been
 * forgotten is never missed.
 */
export function setRange(window: WindowProgram, question: Question): void {
  const { row, entries, own, range } = question;
  const end = entries.upper(seenUntil(window, row));
  // The row came last, so it is the last entry of its time or earlier.
  range.hi = own && !window.withOwn ? end - 1 : end;
  const { over } = window.plan;
  switch (over.kind) {
    case 'sliding':
      since(row.at - over.over, window, question);
      break;
    case 'hopping':
      since(hopStart(over, row.at) - 1, window, question);
      break;
    case 'session':
      inSession(over, window, question);
      break;
    case 'rows':
      lastRows(over, window, question);
  }
}

/** A row that is later than twice its lateness sees its pane as a whole: which rows it has of it, nobody knows any more. */
function seenUntil({ store: { panes, lateness } }: WindowProgram, { at, watermark }: Row): Micros {
  const settled = watermark - lateness;
  if (panes === null || at > settled) return at;
  return Math.min(settled, paneStart(panes.every, at) + panes.every - 1);
}

function since(bound: Micros, { store }: WindowProgram, { row, entries, range }: Question): void {
  const kept = row.watermark - store.keep;
  // A pane is forgotten as a whole.
  const forgotten = store.panes === null ? kept : paneStart(store.panes.every, kept) + store.panes.every - 1;
  const lower = Math.max(bound, forgotten);
  range.lower = lower;
  range.lo = lowerIndex(entries, lower, range.hi);
}

function inSession(
  over: Extract<Over, { kind: 'session' }>,
  window: WindowProgram,
  question: Question,
): void {
  const { row, entries, range } = question;
  since(row.at - over.within, window, question);
  const last = range.hi - 1;
  if (last < range.lo) return;
  if (row.at - (entries.times[last] as number) >= over.gap) {
    range.lo = range.hi;
    return;
  }
  const start = startOfSession(over.gap, window, question);
  if (start <= range.lo) return;
  range.lo = start;
  range.lower = (entries.times[start] as number) - 1;
}

/** Of the last entry of the range. */
function startOfSession(gap: Micros, window: WindowProgram, question: Question): number {
  const { entries, specs, followFrom, range } = question;
  const last = range.hi - 1;
  if (entries.size < followFrom) return sessionStart(entries, last, gap);
  const sessions = followerOf(entries, specs, window.sessions);
  if (sessions instanceof Sessions) return sessions.startOf(entries, last);
  throw new Error('nothing knows where sessions begin');
}

function lastRows(
  over: Extract<Over, { kind: 'rows' }>,
  { store }: WindowProgram,
  { row, entries, range }: Question,
): void {
  const { rows } = store;
  if (rows === null) throw new Error(`store ${store.id} keeps no rows for a window of rows`);
  const young = lowerIndex(entries, Math.max(row.at - over.within, row.watermark - rows.keep), range.hi);
  // What a store of rows may have forgotten, a row that is late does not see.
  const kept = entries.upper(row.watermark - store.lateness) - rows.count;
  range.lower = null;
  range.lo = Math.min(range.hi, Math.max(young, kept, range.hi - over.rows));
}

/** Whether a window of the row may reach back to what is no longer kept. */
export function reachesForgotten({ plan: { over }, store }: WindowProgram, row: Row): boolean {
  const kept = row.watermark - store.keep;
  if (store.panes !== null && row.at <= row.watermark - store.lateness) return true;
  switch (over.kind) {
    case 'sliding':
      return row.at - over.over < kept;
    case 'hopping':
      return hopStart(over, row.at) - 1 < kept;
    case 'session':
      return row.at - over.within < kept;
    case 'rows':
      return row.at <= row.watermark - store.lateness;
  }
}

/** The first entry before `hi` with time after `lower`; from the end, where short windows are. */
function lowerIndex(entries: Entries, lower: number, hi: number): number {
  const { times, head } = entries;
  if (hi <= head) return hi;
  if ((times[head] as number) > lower) return head;
  let step = 1;
  while (hi - step > head && (times[hi - step] as number) > lower) step *= 2;
  let low = Math.max(head, hi - step);
  let high = hi;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) > lower) high = middle;
    else low = middle + 1;
  }
  return low;
}
