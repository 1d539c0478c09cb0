import type { Cell } from '../../events/row.ts';
import { ExactSum } from './exact-sum.ts';
import { RunningAggregate } from './running.ts';

/** Sum and average of a window, exact. NULLs are skipped. */
export class RunningSum extends RunningAggregate {
  readonly sum = new ExactSum();

  protected enter(cell: Cell): void {
    if (typeof cell === 'string') this.sum.add(cell);
  }

  protected leave(cell: Cell): void {
    if (typeof cell === 'string') this.sum.remove(cell);
  }

  protected clear(): void {
    this.sum.clear();
  }
}
