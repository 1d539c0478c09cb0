import type { Row } from '../../events/row.ts';
import type { Frame, Lists, Value } from '../../rules/plan-parts.ts';
import type { Atom, Atoms } from './atoms.ts';
import type { MatchSoFar } from './match-so-far.ts';
import type { Partial } from './partial.ts';
import type { Stage } from './stage.ts';

const UNASKED = 2;
const NO_LETS: readonly Value[] = [];

/** A condition that threw: what it is about, and what it threw. */
export interface Failure {
  readonly name: string;
  readonly error: unknown;
}

/** The row at hand and what is known of it: each condition on the row alone is asked at most once. */
export class AskedRow {
  /** The first condition that threw on this row. */
  failure: Failure | null = null;
  readonly #atoms: Atoms;
  readonly #match: MatchSoFar;
  readonly #frame: { row: Row; lets: readonly Value[]; lists: Lists; match: MatchSoFar };
  #steps = 0;
  #known = new Uint8Array(0);

  constructor(atoms: Atoms, match: MatchSoFar, row: Row) {
    this.#atoms = atoms;
    this.#match = match;
    this.#frame = { row, lets: NO_LETS, lists: [], match };
  }

  get lists(): Lists {
    return this.#frame.lists;
  }

  /** As of the batch at hand. */
  set lists(lists: Lists) {
    this.#frame.lists = lists;
  }

  begin(row: Row, steps: number): void {
    this.#frame.row = row;
    this.#steps = steps;
    this.failure = null;
    const { length } = this.#atoms.conditions;
    if (this.#known.length < length) this.#known = new Uint8Array(length);
    this.#known.fill(UNASKED);
  }

  /** A bit for each of the stage's atoms that the row alone satisfies. */
  truth(stage: Stage): number {
    let truth = 0;
    for (const atom of stage.atoms) truth = truth * 2 + (this.#holds(atom) ? 1 : 0);
    return truth;
  }

  /** Whether conditions that look at the match still have a say in that. */
  looksBack(stage: Stage, truth: number): boolean {
    if (truth === 0) return false;
    return stage.atoms.some((atom, index) => atom.match !== null && bitOf(truth, stage, index));
  }

  /** What is left of `truth` for this partial match; null: for a match that would start. */
  truthFor(stage: Stage, truth: number, partial: Partial | null): number {
    this.#match.partial = partial;
    let left = 0;
    for (const [index, atom] of stage.atoms.entries()) {
      const holds = bitOf(truth, stage, index) && (atom.match === null || this.#ask(atom.match, atom.name));
      left = left * 2 + (holds ? 1 : 0);
    }
    return left;
  }

  #holds(atom: Atom): boolean {
    if (atom.bit === 0) {
      if (this.#frame.row.table !== atom.table) return false;
    } else if ((this.#steps & atom.bit) === 0) return false;
    const { row } = atom;
    if (row < 0) return true;
    let known = this.#known[row];
    // A stage that was made for this row may ask what had no place when the row began.
    if (known === undefined || known === UNASKED) {
      known = this.#ask(this.#atoms.conditions[row] as (frame: Frame) => boolean | null, atom.name) ? 1 : 0;
      this.#known[row] = known;
    }
    return known === 1;
  }

  #ask(condition: (frame: Frame) => boolean | null, name: string): boolean {
    try {
      return condition(this.#frame) === true;
    } catch (error) {
      this.failure ??= { name, error };
      return false;
    }
  }
}

function bitOf(truth: number, stage: Stage, index: number): boolean {
  return Math.floor(truth / 2 ** (stage.atoms.length - 1 - index)) % 2 === 1;
}
