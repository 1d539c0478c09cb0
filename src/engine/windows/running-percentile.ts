import type { Cell } from '../../events/row.ts';
import { numberOf, percentileOf } from './percentile.ts';
import { RunningAggregate } from './running.ts';
import { SortedBlocks } from './sorted-blocks.ts';

/** Any percentile of a window. NULLs are skipped; NaN is above all, as in PostgreSQL. */
export class RunningPercentile extends RunningAggregate {
  readonly #numbers = new SortedBlocks();
  #nans = 0;

  percentile(percent: number): number | null {
    const { size } = this.#numbers;
    return percentileOf(percent, size + this.#nans, (place) =>
      place < size ? this.#numbers.at(place) : NaN,
    );
  }

  protected enter(cell: Cell): void {
    if (typeof cell !== 'string') return;
    const value = numberOf(cell);
    if (Number.isNaN(value)) this.#nans += 1;
    else this.#numbers.add(value);
  }

  protected leave(cell: Cell): void {
    if (typeof cell !== 'string') return;
    const value = numberOf(cell);
    if (Number.isNaN(value)) this.#nans -= 1;
    else this.#numbers.remove(value);
  }

  protected clear(): void {
    this.#numbers.clear();
    this.#nans = 0;
  }
}
