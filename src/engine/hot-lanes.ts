import type { Lane } from './cep/lane.ts';

/** So many lanes of a partition stay objects: about 1.5 MB of them. More of them cost more collections than text does. */
const HOT_LANES = 2_048;

/** Who keeps a lane's text in its place. */
interface Keeper {
  pack(key: string, lane: Lane): void;
}

interface Hot {
  readonly lanes: Keeper;
  readonly key: string;
  readonly lane: Lane;
}

/**
 * Which lanes of few partial matches stay objects between batches. Most keys wait with a partial match or two, and as
 * objects they are what V8's collector spends its time on: those that were not used for long are packed (a clock).
 */
export class HotLanes {
  readonly #limit: number;
  readonly #clock: Hot[] = [];
  #hand = 0;

  constructor(limit = HOT_LANES) {
    this.#limit = limit;
  }

  /** The lane was loaded, or has been saved. */
  use(hot: Hot): void {
    const { lane } = hot;
    if (lane.hot !== null) {
      lane.hot = 'used';
      return;
    }
    lane.hot = 'unused';
    if (this.#clock.length < this.#limit) this.#clock.push(hot);
    else this.#clock[this.#coldest()] = hot;
  }

  /** The place of one that is not hot any more. Ends, since each one that is passed over is unused the next time. */
  #coldest(): number {
    for (;;) {
      const at = this.#hand;
      this.#hand = (at + 1) % this.#clock.length;
      const { lanes, key, lane } = this.#clock[at] as Hot;
      if (lane.hot === 'used' && !lane.empty) lane.hot = 'unused';
      else {
        lane.hot = null;
        lanes.pack(key, lane);
        return at;
      }
    }
  }
}
