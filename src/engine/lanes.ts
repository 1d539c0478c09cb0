import type { Micros } from '../events/row.ts';

import { type SavedLane, snapshot, takeDelta } from './cep/journal.ts';
import { Lane } from './cep/lane.ts';
import { loadLane } from './cep/load.ts';
import type { HotLanes } from './hot-lanes.ts';
import type { Meter } from './meter.ts';
import type { PatternProgram } from './program.ts';

/** Approximate: a partial match, its take and its part of a row. */
const PARTIAL_BYTES = 300;

/** Lanes of more partial matches are never packed. */
const PACK_UP_TO = 4;

/** A lane that has to be looked at once time has come so far. */
export interface Wake {
  readonly due: Micros;
  readonly key: string;
  readonly lanes: Lanes;
}

/** Of each lane its key and what came to it, in turn. */
export type SavedLanes = (string | SavedLane)[];

/** The partial matches of one pattern in one bucket, by key. */
export class Lanes {
  readonly pattern: PatternProgram;
  /** Its number. */
  readonly bucket: number;
  readonly #lanes = new Map<string, Lane | PackedLane>();
  /** Those that saved state has to learn of. */
  readonly #changed = new Map<string, Lane>();
  readonly #meter: Meter;
  readonly #hot: HotLanes;

  constructor(pattern: PatternProgram, bucket: number, { meter, hot }: { meter: Meter; hot: HotLanes }) {
    this.pattern = pattern;
    this.bucket = bucket;
    this.#meter = meter;
    this.#hot = hot;
  }

  get size(): number {
    return this.#lanes.size;
  }

  get changed(): boolean {
    return this.#changed.size > 0;
  }

  /** Changes the key's lane, which is kept while anything is in it. Returns it. */
  change(key: string, change: (lane: Lane) => void): Lane {
    const held = this.#lanes.get(key);
    // One that has ended since the last delta goes on: that it had ended is not saved yet.
    const lane = held === undefined ? (this.#changed.get(key) ?? new Lane()) : this.#unpacked(held);
    const before = lane.size;
    change(lane);
    this.#count(lane.size - before);
    if (lane.empty) this.#end(key, lane);
    else if (lane.dirty || typeof held !== 'string') this.#lanes.set(key, lane);
    if (lane.dirty) this.#changed.set(key, lane);
    return lane;
  }

  /** Timers that were set for it are over. */
  #end(key: string, lane: Lane): void {
    this.#lanes.delete(key);
    lane.wakeAt = Number.POSITIVE_INFINITY;
  }

  /** Whether this is the timer that the lane goes by; it has none then. */
  wake({ key, due }: Wake): boolean {
    const held = this.#lanes.get(key);
    if (held === undefined || wakeAtOf(held) !== due) return false;
    const lane = this.#unpacked(held);
    lane.wakeAt = Number.POSITIVE_INFINITY;
    this.#lanes.set(key, lane);
    this.#changed.set(key, lane);
    return true;
  }

  /** Those that are not packed: after `load` all of them. */
  *unpacked(): Generator<[string, Lane], void, void> {
    for (const [key, held] of this.#lanes) if (typeof held !== 'string') yield [key, held];
  }

  /** The lane is not changed before the next batch. */
  settle(key: string, lane: Lane): void {
    if (!lane.empty && lane.size <= PACK_UP_TO) this.#hot.use({ lanes: this, key, lane });
  }

  /** Keeps the key's lane as text, if it is this one, and small. */
  pack(key: string, lane: Lane): void {
    if (this.#lanes.get(key) !== lane || lane.dirty || lane.size > PACK_UP_TO) return;
    if (lane.pending === null && lane.finished === null) this.#lanes.set(key, packed(lane));
  }

  #unpacked(held: Lane | PackedLane): Lane {
    if (typeof held !== 'string') return held;
    const lane = loadLane(this.pattern.definition, [savedOf(held)]);
    lane.wakeAt = wakeAtOf(held);
    return lane;
  }

  /** Whether anything is alive under the key. */
  holds(key: string): boolean {
    return this.#lanes.has(key);
  }

  /** What has changed since the last time. */
  takeDelta(): SavedLanes {
    const saved: SavedLanes = [];
    for (const [key, lane] of this.#changed) {
      const delta = takeDelta(lane);
      if (delta !== null) saved.push(key, delta);
      this.settle(key, lane);
    }
    this.#changed.clear();
    return saved;
  }

  /** All of it, in an order that its history does not show in. */
  snapshot(): SavedLanes {
    const lanes = [...this.#lanes].sort(([a], [b]) => (a < b ? -1 : 1));
    return lanes.flatMap(([key, lane]) => {
      const saved = typeof lane === 'string' ? savedOf(lane) : snapshot(lane);
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
    for (const lane of this.#lanes.values()) this.#count(-sizeOf(lane));
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

/** When a timer wakes it, how many partial matches it has, and its snapshot as JSON. */
type PackedLane = string;

function packed(lane: Lane): PackedLane {
  // `join` makes a flat string; one that was added up would keep its pieces alive.
  return [lane.wakeAt, lane.size, JSON.stringify(snapshot(lane))].join(' ');
}

function wakeAtOf(held: Lane | PackedLane): Micros {
  return typeof held === 'string' ? Number(held.slice(0, held.indexOf(' '))) : held.wakeAt;
}

function sizeOf(held: Lane | PackedLane): number {
  if (typeof held !== 'string') return held.size;
  const from = held.indexOf(' ') + 1;
  return Number(held.slice(from, held.indexOf(' ', from)));
}

function savedOf(held: PackedLane): SavedLane {
  return JSON.parse(held.slice(held.indexOf('['))) as SavedLane;
}
