import type { WindowProgram } from '../program.ts';
import { keptCell } from '../value.ts';
import { followerOf } from './followers.ts';
import type { Question } from './question.ts';
import { identityOf, RunningDistinct } from './running-distinct.ts';

/**
 * Whether no entry of the window has the value that the row itself shows. null, unknown: the row shows none, or it is
 * later than its event's lateness and then some, so that an entry with it may be forgotten.
 */
export function isNew(window: WindowProgram, question: Question): boolean | null {
  const { plan, store, value } = window;
  const { row, range } = question;
  const text = keptCell(row.cells[plan.own[0] ?? 0], store.values[value]?.pgType ?? '');
  if (text === null) return null;
  if (range.lo < range.hi && shown(text, window, question)) return false;
  return row.at > row.watermark - store.lateness && Number.isFinite(row.at) ? true : null;
}

function shown(
  text: string,
  window: WindowProgram,
  { entries, specs, range, followFrom }: Question,
): boolean {
  const { lo, hi } = range;
  if (hi - lo >= followFrom) {
    const values = followerOf(entries, specs, window.aggregate);
    if (!(values instanceof RunningDistinct)) throw new Error('nothing follows first_seen');
    values.moveTo(entries, lo, hi);
    return values.has(text);
  }
  const wanted = identityOf(text, window.type);
  for (let i = lo; i < hi; i++) {
    const cell = entries.cell(i, window.value);
    if (typeof cell === 'string' && identityOf(cell, window.type) === wanted) return true;
  }
  return false;
}
