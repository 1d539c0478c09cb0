import type { Cell, Micros, Op, Row } from '../../events/row.ts';
import type { Value } from '../../rules/plan-parts.ts';
import type { Finished, Lane } from './lane.ts';
import type { Partial } from './partial.ts';

/** The form of saved lanes; a process that meets another one refuses it. */
export const VERSION = 1;

/** A row, once, by its number in the lane. JSON has no -Infinity: a watermark that was never set is null. */
export type SavedRow = readonly [
  seq: number,
  table: number,
  op: Op,
  position: string,
  at: Micros,
  commitAt: Micros,
  watermark: Micros | null,
  roles: number,
  cells: readonly Cell[],
  old?: readonly Cell[],
];

/** Of each, in turn: id, parent's id (0: none), number of its row, step, stage (null: it has ended). */
export type SavedPartials = readonly (number | string | null)[];

/** What came to a lane since it was saved; with `anew`, all of it: what was saved before is over. */
export type SavedLane =
  | readonly [version: number, anew: 1]
  | readonly [
      version: number,
      anew: 0 | 1,
      next: readonly [id: number, seq: number, moment: number],
      rows: readonly SavedRow[],
      partials: SavedPartials,
      /** Id and stage of those that were saved before, in turn. */
      touched: readonly (number | string | null)[],
      /** Number and steps, in turn. */
      pending: readonly number[],
      handed: readonly number[],
      finished: readonly (readonly [id: number, moment: number, at: Micros, lets: readonly Value[]])[],
      gone: readonly number[],
    ];

/** What has changed since the last delta, and forgets that it did; null: nothing. Its size follows the changes. */
export function takeDelta(lane: Lane): SavedLane | null {
  if (!lane.dirty) return null;
  const { saved, cleared } = lane;
  // A new lane of a key begins anew: another may have stood there, and may be saved.
  const delta = lane.empty ? ([VERSION, 1] as const) : savedSince(lane, cleared || !saved ? 1 : 0);
  lane.markSaved();
  return lane.saved || saved ? delta : null;
}

/** All of it, in a form that its history does not show in; null: nothing. Deltas go on from the last delta. */
export function snapshot(lane: Lane): SavedLane | null {
  if (lane.empty) return null;
  const { nextId, nextSeq, nextMoment } = lane;
  const all = new Gathered({ savedId: 1, savedSeq: 1, savedMoment: 1 });
  all.gather(lane);
  return [
    VERSION,
    1,
    [nextId, nextSeq, nextMoment],
    all.rows(),
    all.partials(),
    [],
    all.pending,
    [],
    all.finished,
    [],
  ];
}

function savedSince(lane: Lane, anew: 0 | 1): SavedLane {
  const { nextId, nextSeq, nextMoment, journal } = lane;
  const added = new Gathered(lane);
  added.gather(lane);
  const touched = (journal?.touched ?? []).flatMap(({ id, stage }) => [id, stage?.key ?? null]);
  return [
    VERSION,
    anew,
    [nextId, nextSeq, nextMoment],
    added.rows(),
    added.partials(),
    touched,
    added.pending,
    journal?.handed ?? [],
    added.finished,
    journal?.gone ?? [],
  ];
}

interface From {
  readonly savedId: number;
  readonly savedSeq: number;
  readonly savedMoment: number;
}

/** What is in a lane with numbers from some on. */
class Gathered {
  readonly pending: number[] = [];
  readonly finished: (readonly [number, number, Micros, readonly Value[]])[] = [];
  readonly #from: From;
  readonly #partials = new Map<number, Partial>();
  readonly #rows = new Map<number, Row>();

  constructor(from: From) {
    this.#from = from;
  }

  gather(lane: Lane): void {
    // The newest are at the end of each group.
    for (let group = lane.groups; group !== null; group = group.next) {
      let partial = group.last;
      for (; partial !== null && partial.id >= this.#from.savedId; partial = partial.groupBefore)
        this.#keep(partial);
    }
    for (const match of lane.finished ?? []) this.#finish(match);
    for (const { seq, row, steps } of lane.pending?.all() ?? []) {
      if (seq < this.#from.savedSeq) continue;
      this.pending.push(seq, steps);
      this.#rows.set(seq, row);
    }
  }

  rows(): SavedRow[] {
    return [...this.#rows].sort(([a], [b]) => a - b).map(([seq, row]) => savedRow(seq, row));
  }

  partials(): SavedPartials {
    const sorted = [...this.#partials.values()].sort((a, b) => a.id - b.id);
    return sorted.flatMap(({ id, parent, seq, step, stage }) => [
      id,
      parent?.id ?? 0,
      seq,
      step,
      stage?.key ?? null,
    ]);
  }

  #finish({ last, moment, at, lets }: Finished): void {
    if (moment < this.#from.savedMoment) return;
    this.finished.push([last.id, moment, at, lets]);
    this.#keep(last);
  }

  /** With those that it came of. */
  #keep(last: Partial): void {
    const { savedId, savedSeq } = this.#from;
    for (let take: Partial | null = last; take !== null; take = take.parent) {
      if (take.id < savedId || this.#partials.has(take.id)) return;
      this.#partials.set(take.id, take);
      if (take.seq >= savedSeq) this.#rows.set(take.seq, take.row);
    }
  }
}

function savedRow(seq: number, row: Row): SavedRow {
  const { table, op, position, at, commitAt, roles, cells, old } = row;
  const watermark = Number.isFinite(row.watermark) ? row.watermark : null;
  const parts = [seq, table, op, position, at, commitAt, watermark, roles, cells] as const;
  return old === null ? parts : [...parts, old];
}
