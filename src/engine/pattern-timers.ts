import type { Micros } from '../events/row.ts';
import type { Lane } from './cep/lane.ts';
import type { Lanes, Wake } from './lanes.ts';
import { MinHeap } from './min-heap.ts';
import type { PatternProgram } from './program.ts';

/** Which lanes are due although no row comes for their key: by pattern, since each has its own W. */
export class PatternTimers {
  readonly #heaps: readonly MinHeap<Wake>[];

  constructor(patterns: readonly PatternProgram[]) {
    this.#heaps = patterns.map(() => new MinHeap<Wake>((a, b) => a.due < b.due));
  }

  /** The lane has changed, or was loaded. */
  set(lanes: Lanes, key: string, lane: Lane): void {
    const due = lane.due(lanes.pattern.definition);
    if (due >= lane.wakeAt) return;
    lane.wakeAt = due;
    this.#heaps[lanes.pattern.index]?.push({ due, key, lanes });
  }

  watch(lanes: Lanes): void {
    for (const [key, lane] of lanes.unpacked()) {
      this.set(lanes, key, lane);
      lanes.settle(key, lane);
    }
  }

  /** The next lane that is due at `now`; null: no more of them. */
  next({ index }: PatternProgram, now: Micros): Wake | null {
    const heap = this.#heaps[index];
    for (let wake = heap?.first; wake !== undefined && wake.due <= now; wake = heap?.first) {
      heap?.shift();
      // The lane may have ended since, or be due earlier: then another entry has woken it.
      if (wake.lanes.wake(wake)) return wake;
    }
    return null;
  }
}
