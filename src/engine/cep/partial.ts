import type { Row } from '../../events/row.ts';
import type { Took } from './sink.ts';
import type { Stage } from './stage.ts';
import type { Sums } from './sums.ts';

/**
 * A partial match, which is at once its last take: the takes before are those of its parent. So partial matches
 * with a common beginning share it, and each row is kept once. It is alive while it has a stage; without one it
 * is kept by those that came of it, or because it is a whole match that waits.
 */
export class Partial {
  /** In the order of creation, within its lane. */
  readonly id: number;
  /** Names its row within its lane; rows of one time are in its order. */
  readonly seq: number;
  readonly row: Row;
  readonly step: number;
  readonly parent: Partial | null;
  /** The first take. */
  readonly root: Partial;
  /** The first take of its step. */
  readonly head: Partial;
  /** Takes of its step so far. */
  readonly count: number;
  readonly sums: Sums;
  stage: Stage | null = null;
  /** Saved state has it in another stage. */
  touched = false;
  /** Of a first take: the last of its living partial matches in the lane's list. */
  tail: Partial | null = null;
  /** The lane's living partial matches, by first take, then by id. */
  before: Partial | null = null;
  after: Partial | null = null;
  /** Those of one stage, by id. */
  groupBefore: Partial | null = null;
  groupAfter: Partial | null = null;

  constructor(take: Take, parent: Partial | null, { head, sums }: { head: Partial | null; sums: Sums }) {
    this.id = take.id;
    this.seq = take.seq;
    this.row = take.row;
    this.step = take.step;
    this.parent = parent;
    this.root = parent === null ? this : parent.root;
    this.head = head === null ? this : head.head;
    this.count = head === null ? 1 : head.count + 1;
    this.sums = sums;
  }
}

export interface Take {
  readonly id: number;
  readonly seq: number;
  readonly row: Row;
  readonly step: number;
}

/** By time, then by arrival. */
export function compareRows(a: Partial, b: Partial): number {
  return a.row.at - b.row.at || a.seq - b.seq;
}

/** The takes in order. */
export function takesOf(last: Partial): Partial[] {
  const takes: Partial[] = [];
  for (let take: Partial | null = last; take !== null; take = take.parent) takes.push(take);
  return takes.reverse();
}

/** The takes in order, as outputs tell them. */
export function tookBy(last: Partial): Took[] {
  return takesOf(last).map(({ step, row }) => ({ step, row }));
}

/** The last take of `step` up to `from`. Takes of a step that does not come again stand together, and are jumped over. */
export function lastOf(from: Partial | null, step: number, comesAgain: readonly boolean[]): Partial | null {
  let take = from;
  while (take !== null && take.step !== step) {
    take = comesAgain[take.step] === true ? take.parent : take.head.parent;
  }
  return take;
}
