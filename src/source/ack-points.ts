import { closing, type Lsn, type PositionText } from '../events/position.ts';
import type { Acknowledgement } from '../store/control.ts';

interface Point {
  readonly closing: PositionText;
  readonly ack: Acknowledgement;
}

/** While a partition stands still the others go on: beyond so many only every second one is kept, and so on. */
const MAX_POINTS = 4_096;

/**
 * The commits that may be acknowledged, with the time and rules in force at each. Positions only ever stand at the
 * `to` of a batch, so the last commit before each batch that closes is enough.
 */
export class AckPoints {
  #points: Point[] = [];
  #last: Lsn;
  /** One in so many is kept, and the newest. */
  #stride = 1;
  #replaced = 0;

  /** `acknowledged`: what is recorded already. */
  constructor(acknowledged: Lsn) {
    this.#last = acknowledged;
  }

  add(ack: Acknowledgement): void {
    if (ack.lsn <= this.#last) return;
    this.#last = ack.lsn;
    this.#keep({ closing: closing(ack.lsn), ack });
    if (this.#points.length <= MAX_POINTS) return;
    this.#points = this.#points.filter((_, i) => i % 2 === 0); // the newest is at an even place
    this.#stride *= 2;
  }

  #keep(point: Point): void {
    if (this.#points.length === 0 || this.#replaced === this.#stride - 1) {
      this.#points.push(point);
      this.#replaced = 0;
    } else {
      this.#points[this.#points.length - 1] = point;
      this.#replaced++;
    }
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
    if (this.#points.length < MAX_POINTS / 4) {
      this.#stride = 1;
      this.#replaced = 0;
    }
    return taken.ack;
  }
}
