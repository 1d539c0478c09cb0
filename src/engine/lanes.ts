import type { Micros } from '../events/row.ts';

import { type SavedLane, snapshot, takeDelta } from './cep/journal.ts';
import { Lane } from './cep/lane.ts';
import { loadLane } from './cep/load.ts';
import type { Meter } from './meter.ts';
import type { PatternProgram } from './program.ts';

/** Approximate: a partial match, its take and its part of a row. */
const PARTIAL_BYTES = 300;

/** A lane that has to be looked at once time has come so far. */
export interface Wake {
  readonly due: Micros;
  readonly key: string;
  readonly lanes: Lanes;
  readonly lane: Lane;
}

/** Of each lane its key and what came to it, in turn. */
export type SavedLanes = (string | SavedLane)[];

/** The partial matches of one pattern in one bucket, by key. */
export class Lanes {
  readonly pattern: PatternProgram;
  /** Its number. */
  readonly bucket: number;
  readonly #lanes = new Map<string, Lane>();
  /** Those that saved state has to learn of. */
  readonly #changed = new Map<string, Lane>();
  readonly #meter: Meter;

  constructor(pattern: PatternProgram, bucket: number, meter: Meter) {
    this.pattern = pattern;
    this.bucket = bucket;
    this.#meter = meter;
  }

  get size(): number {
    return this.#lanes.size;
  }

  get changed(): boolean {
    return this.#changed.size > 0;
  }

  /** Changes the key's lane, which is kept while anything is in it. Returns it. */
  change(key: string, change: (lane: Lane) => void): Lane {
    // One that has ended since the last delta goes on: that it had ended is not saved yet.
    const lane = this.#lanes.get(key) ?? this.#changed.get(key) ?? new Lane();
    const before = lane.size;
    change(lane);
    this.#count(lane.size - before);
    if (lane.empty) this.#end(key, lane);
    else this.#lanes.set(key, lane);
    if (lane.dirty) this.#changed.set(key, lane);
    return lane;
  }

  /** Timers that were set for it are over. */
  #end(key: string, lane: Lane): void {
    this.#lanes.delete(key);
    lane.wakeAt = Number.POSITIVE_INFINITY;
  }

  /** Whether anything is alive under the key. */
  holds(key: string): boolean {
    return this.#lanes.has(key);
  }

  has({ key, lane }: Wake): boolean {
    return this.#lanes.get(key) === lane;
  }

  entries(): IterableIterator<[string, Lane]> {
    return this.#lanes.entries();
  }

  /** What has changed since the last time. */
  takeDelta(): SavedLanes {
    const saved: SavedLanes = [];
    for (const [key, lane] of this.#changed) {
      const delta = takeDelta(lane);
      if (delta !== null) saved.push(key, delta);
    }
    this.#changed.clear();
    return saved;
  }

  /** All of it, in an order that its history does not show in. */
  snapshot(): SavedLanes {
    const lanes = [...this.#lanes].sort(([a], [b]) => (a < b ? -1 : 1));
    return lanes.flatMap(([key, lane]) => {
      const saved = snapshot(lane);
      return saved === null ? [] : [key, saved];
    });
  }

  /** A snapshot and the deltas after it. */
  load(pieces: readonly SavedLanes[]): void {
    const byKey = new Map<string, SavedLane[]>();
    for (const piece of pieces) {
      for (let i = 0; i < piece.length; i += 2) {
        const key = piece[i] as string;
        byKey.set(key, [...(byKey.get(key) ?? []), piece[i + 1] as SavedLane]);
      }
    }
    for (const [key, saved] of byKey) {
      const lane = loadLane(this.pattern.definition, saved);
      if (lane.empty) continue;
      this.#lanes.set(key, lane);
      this.#count(lane.size);
    }
  }

  clear(): void {
    for (const lane of this.#lanes.values()) this.#count(-lane.size);
    this.#lanes.clear();
    this.#changed.clear();
  }

  #count(partials: number): void {
    if (partials === 0) return;
    const { state } = this.pattern.plan;
    const { partialsOf } = this.#meter;
    partialsOf.set(state, (partialsOf.get(state) ?? 0) + partials);
    this.#meter.partials += partials;
    this.#meter.bytes += partials * PARTIAL_BYTES;
  }
}
