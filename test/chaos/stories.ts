import type { Random } from '../../src/demo/random.ts';
import { USERS } from './schema.ts';

/** One row of a story: of the sessions, or a transfer of so much. */
export type Move = 'login' | 'logout' | 'hold' | number;

/** Rows of one user that are written together. */
export interface Scene {
  readonly user: number;
  readonly moves: readonly Move[];
}

/** What patterns look for, and what only looks like it. `later`: so long that a step's time is over. */
const SCRIPTS: readonly (readonly (Move | 'later')[])[] = [
  ['login', 1_500, 2_000, 'logout'],
  ['login', 1_001, 1_200, 4_000, 'logout'],
  ['login', 'login', 2_500, 2_500, 'logout', 'logout'],
  ['login', 2_000, 1_500, 'logout', 'login', 3_000, 3_500, 'logout'],
  // The first logout finds too little, the second enough; a third has nothing new.
  ['login', 1_100, 1_200, 'logout', 1_300, 'logout', 'logout'],
  ['login', 1_500, 1_500, 'logout'],
  ['login', 9_000, 'logout'],
  ['login', 1_000, 1_000, 5_000, 'logout'],
  [2_000, 2_000, 'logout'],
  ['login', 'later', 2_000, 2_000, 'logout'],
  ['login', 2_000, 2_000, 'later', 'logout'],
  ['hold'],
  ['hold', 'login', 'hold'],
  ['hold', 20],
  ['hold', 2_000, 'hold'],
  ['hold', 'later', 20],
  ['hold', 2_000, 'logout'],
  ['hold', 1_500, 'hold', 'logout'],
  ['hold', 'logout', 1_500, 'login'],
  ['hold', 1_500, 'later', 'logout'],
];

const LATER_MS = 5_000;
const AT_ONCE = 0.15;

interface Story {
  readonly user: number;
  readonly moves: readonly (Move | 'later')[];
  next: number;
  notBeforeMs: number;
}

/** Stories of several users, told in turn, a little at a time. */
export class Stories {
  readonly #random: Random;
  readonly #most: number;
  readonly #open: Story[] = [];

  constructor(random: Random, most = 12) {
    this.#random = random;
    this.#most = most;
  }

  /** What happens next; null: nothing for now. */
  next(nowMs: number): Scene | null {
    while (this.#open.length < this.#most) this.#open.push(this.#begin());
    const story = this.#random.pick(this.#open);
    if (story.notBeforeMs > nowMs) return null;
    const { user } = story;
    // Some are told in one transaction, as far as they go without a pause.
    const moves = this.#take(story, nowMs, this.#random.next() < AT_ONCE ? story.moves.length : 1);
    if (story.next >= story.moves.length) this.#open.splice(this.#open.indexOf(story), 1);
    return moves.length === 0 ? null : { user, moves };
  }

  #begin(): Story {
    const user = 1 + this.#random.int(USERS);
    return { user, moves: this.#random.pick(SCRIPTS), next: 0, notBeforeMs: 0 };
  }

  #take(story: Story, nowMs: number, most: number): Move[] {
    const moves: Move[] = [];
    while (moves.length < most) {
      const move = story.moves[story.next];
      if (move === undefined) return moves;
      story.next += 1;
      if (move !== 'later') moves.push(move);
      else {
        story.notBeforeMs = nowMs + LATER_MS;
        return moves;
      }
    }
    return moves;
  }
}
