import type { Row } from '../../events/row.ts';
import type { MatchView, Value } from '../../rules/plan-parts.ts';
import { lastOf, type Partial } from './partial.ts';
import type { Summing } from './sums.ts';

/** What conditions see of the partial match at hand. One for a pattern, pointed at each in turn. */
export class MatchSoFar implements MatchView {
  /** null: nothing is taken yet. */
  partial: Partial | null = null;
  readonly #summing: Summing;
  readonly #comesAgain: readonly boolean[];

  constructor(summing: Summing, comesAgain: readonly boolean[]) {
    this.#summing = summing;
    this.#comesAgain = comesAgain;
  }

  count(step: number): number {
    return this.#last(step)?.count ?? 0;
  }

  first(step: number): Row | null {
    return this.#last(step)?.head.row ?? null;
  }

  last(step: number): Row | null {
    return this.#last(step)?.row ?? null;
  }

  aggregate(index: number): Value {
    return this.#summing.value(this.partial?.sums ?? null, index);
  }

  told(index: number): Value {
    return this.#summing.told(this.partial?.sums ?? null, index);
  }

  #last(step: number): Partial | null {
    return lastOf(this.partial, step, this.#comesAgain);
  }
}
