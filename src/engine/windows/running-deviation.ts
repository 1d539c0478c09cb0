import type { Cell } from '../../events/row.ts';
import { deviation } from './deviation.ts';
import { ExactSum } from './exact-sum.ts';
import { RunningAggregate } from './running.ts';

/** The sample standard deviation of a window. NULLs are skipped. */
export class RunningDeviation extends RunningAggregate {
  readonly #sum = new ExactSum();
  readonly #squares = new ExactSum({ squares: true });

  get deviation(): number | null {
    return deviation(this.#sum, this.#squares);
  }

  protected enter(cell: Cell): void {
    if (typeof cell !== 'string') return;
    this.#sum.add(cell);
    this.#squares.add(cell);
  }

  protected leave(cell: Cell): void {
    if (typeof cell !== 'string') return;
    this.#sum.remove(cell);
    this.#squares.remove(cell);
  }

  protected clear(): void {
    this.#sum.clear();
    this.#squares.clear();
  }
}
