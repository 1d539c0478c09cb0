import { closing, type Lsn, type PositionText } from '../events/position.ts';
import type { Acknowledgement } from '../store/control.ts';

interface Point {
  readonly closing: PositionText;
  readonly ack: Acknowledgement;
}

/**
 * The commits that may be acknowledged, with the time and rules in force at each. Positions only ever stand at the
 * `to` of a batch, so the last commit before each batch that closes is enough.
 */
export class AckPoints {
  #points: Point[] = [];
  #last: Lsn;

  /** `acknowledged`: what is recorded already. */
  constructor(acknowledged: Lsn) {
    this.#last = acknowledged;
  }

  add(ack: Acknowledgement): void {
    if (ack.lsn <= this.#last) return;
    this.#last = ack.lsn;
    this.#points.push({ closing: closing(ack.lsn), ack });
  }

  /** The last that was added or recorded. */
  get last(): Lsn {
    return this.#last;
  }

  /** The greatest commit that every partition is done with, which is taken out with all before it. */
  take(positions: readonly PositionText[]): Acknowledgement | null {
    const [least] = [...positions].sort();
    if (least === undefined) return null;
    let done = 0;
    while (done < this.#points.length && (this.#points[done] as Point).closing <= least) done++;
    if (done === 0) return null;
    const taken = this.#points[done - 1] as Point;
    this.#points = this.#points.slice(done);
    return taken.ack;
  }
}
