import type { Row } from '../../events/row.ts';
import type { Definition } from './definition.ts';
import { compareFinished } from './finish.ts';
import { type SavedLane, type SavedPartials, type SavedRow, VERSION } from './journal.ts';
import { type Finished, Lane } from './lane.ts';
import { headOf } from './offer.ts';
import { compareRows, Partial } from './partial.ts';
import { PendingRows } from './pending-rows.ts';

/** A lane from a snapshot and the deltas after it, in their order. */
export function loadLane(definition: Definition, pieces: readonly SavedLane[]): Lane {
  const loading = new Loading(definition);
  for (const piece of pieces) loading.piece(piece);
  return loading.lane();
}

class Loading {
  readonly #definition: Definition;
  readonly #rows = new Map<number, Row>();
  readonly #partials = new Map<number, Partial>();
  /** Living partial matches: their stage. */
  readonly #stages = new Map<number, string>();
  readonly #pending = new Map<number, number>();
  readonly #finished = new Map<number, Finished>();
  #next: readonly [number, number, number] = [1, 1, 1];

  constructor(definition: Definition) {
    this.#definition = definition;
  }

  piece(saved: SavedLane): void {
    const [version, anew] = saved;
    if (version !== VERSION) throw new Error(`a saved lane has version ${version}, not ${VERSION}`);
    if (anew === 1) this.#clear();
    if (saved.length === 2) return;
    const [, , next, rows, partials, touched, pending, handed, finished, gone] = saved;
    this.#next = next;
    for (const row of rows) this.#rows.set(row[0], rowOf(row));
    for (let i = 0; i < partials.length; i += 5) this.#partial(partials, i);
    for (let i = 0; i < touched.length; i += 2)
      this.#setStage(touched[i] as number, touched[i + 1] as string | null);
    for (let i = 0; i < pending.length; i += 2)
      this.#pending.set(pending[i] as number, pending[i + 1] as number);
    for (const seq of handed) this.#pending.delete(seq);
    for (const [id, moment, at, lets] of finished) {
      this.#finished.set(id, { last: this.#known(id), moment, at, lets });
    }
    for (const id of gone) this.#finished.delete(id);
  }

  lane(): Lane {
    const lane = new Lane();
    lane.restore(this.#living());
    [lane.nextId, lane.nextSeq, lane.nextMoment] = this.#next;
    if (this.#finished.size > 0) lane.finished = [...this.#finished.values()].sort(compareFinished);
    for (const [seq, steps] of this.#pending) {
      lane.pending ??= new PendingRows();
      lane.pending.push({ seq, steps, row: this.#row(seq) });
    }
    lane.markSaved();
    return lane;
  }

  #living(): Partial[] {
    const { automaton } = this.#definition;
    const living = [...this.#stages].map(([id, key]) => {
      const partial = this.#known(id);
      partial.stage = automaton.stageNamed(key);
      return partial;
    });
    return living.sort((a, b) => compareRows(a.root, b.root) || a.id - b.id);
  }

  #partial(saved: SavedPartials, at: number): void {
    const [id, parentId, seq, step, stage] = saved.slice(at, at + 5) as [
      number,
      number,
      number,
      number,
      string | null,
    ];
    const { automaton, summing } = this.#definition;
    const parent = parentId === 0 ? null : this.#known(parentId);
    const row = this.#row(seq);
    const head = headOf(parent, step, automaton.comesAgain);
    const sums = summing.after(parent?.sums ?? null, step, row);
    this.#partials.set(id, new Partial({ id, seq, row, step }, parent, { head, sums }));
    this.#setStage(id, stage);
  }

  #setStage(id: number, stage: string | null): void {
    if (stage === null) this.#stages.delete(id);
    else this.#stages.set(id, stage);
  }

  #known(id: number): Partial {
    const partial = this.#partials.get(id);
    if (partial === undefined) throw new Error(`a saved lane has no partial match ${id}`);
    return partial;
  }

  #row(seq: number): Row {
    const row = this.#rows.get(seq);
    if (row === undefined) throw new Error(`a saved lane has no row ${seq}`);
    return row;
  }

  #clear(): void {
    for (const map of [this.#rows, this.#partials, this.#stages, this.#pending, this.#finished]) map.clear();
    this.#next = [1, 1, 1];
  }
}

function rowOf(saved: SavedRow): Row {
  const [, table, op, position, at, commitAt, watermark, roles, cells, old = null] = saved;
  return {
    table,
    op,
    position,
    at,
    commitAt,
    watermark: watermark ?? Number.NEGATIVE_INFINITY,
    late: false,
    roles,
    cells,
    old,
  };
}
