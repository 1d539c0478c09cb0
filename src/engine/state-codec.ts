import type { Micros } from '../events/row.ts';
import type { Bucket } from './bucket.ts';
import type { SavedLanes } from './lanes.ts';
import type { Entries } from './windows/entries.ts';

/** The form of snapshots and deltas; a process that meets another one refuses it. */
const VERSION = 1;
/** How a snapshot or delta with partial matches, or with the end of some, begins: the store can tell it by that. */
export const WITH_PARTIALS = `{"v":${VERSION},"p":`;

type Scalar = string | number | null;
/** id, width, keep, and of each entry its key, time and cells, in turn. */
type StoredEntries = readonly [id: string, width: number, keep: Micros, flat: readonly Scalar[]];
/** Rule, and of each key its name and until when, in turn. */
type StoredCooldowns = readonly [rule: string, flat: readonly Scalar[]];

interface Stored {
  readonly v: number;
  readonly s: readonly StoredEntries[];
  readonly c: readonly StoredCooldowns[];
  /** Of patterns; left out where there are none. */
  readonly p?: readonly StoredLanes[];
}

/** `PatternPlan.state`, and what came to its lanes; null: all that was saved before is over. */
type StoredLanes = readonly [state: string, lanes: SavedLanes | null];

/** What was saved of each pattern, in order: lanes are made of all of it at once. */
export type LanePieces = Map<string, SavedLanes[]>;

/** What the batch appended and changed in the bucket; forgets that it did. */
export function takeDelta(bucket: Bucket): string {
  const s: StoredEntries[] = [];
  const c: StoredCooldowns[] = [];
  for (const store of bucket.stores.values()) {
    if (store.appended.length === 0) continue;
    s.push([store.id, store.width, store.keep, store.appended]);
    store.appended = [];
  }
  for (const cooldowns of bucket.cooldowns.values()) {
    if (cooldowns.changed.size === 0) continue;
    c.push([cooldowns.rule, [...cooldowns.changed].flat()]);
    cooldowns.changed.clear();
  }
  const p: StoredLanes[] = [...bucket.dropped].map((state) => [state, null]);
  for (const [state, lanes] of bucket.lanes) if (lanes.changed) p.push([state, lanes.takeDelta()]);
  bucket.dropped.clear();
  bucket.dirty = false;
  return toJson({ v: VERSION, s, c, p });
}

/** All that the bucket holds, in an order that its history does not show in; null: nothing. */
export function takeSnapshot(bucket: Bucket): string | null {
  const s: StoredEntries[] = [];
  const c: StoredCooldowns[] = [];
  for (const [id, store] of sorted(bucket.stores)) {
    const flat: Scalar[] = [];
    for (const key of [...store.keys()].sort()) {
      const entries = store.entries(key) as Entries;
      for (let i = entries.head; i < entries.end; i++) {
        flat.push(key, entries.times[i] as number);
        for (let value = 0; value < store.width; value++) flat.push(entries.cell(i, value) as string | null);
      }
    }
    if (flat.length > 0) s.push([id, store.width, store.keep, flat]);
  }
  for (const [rule, cooldowns] of sorted(bucket.cooldowns)) {
    if (cooldowns.until.size > 0) c.push([rule, sorted(cooldowns.until).flat()]);
  }
  const p: StoredLanes[] = [];
  for (const [state, lanes] of sorted(bucket.lanes)) if (lanes.size > 0) p.push([state, lanes.snapshot()]);
  return s.length + c.length + p.length === 0 ? null : toJson({ v: VERSION, s, c, p });
}

/** Those of patterns come first: see WITH_PARTIALS. */
function toJson({ v, p, ...stored }: Required<Stored>): string {
  return JSON.stringify((p.length === 0 ? { v, ...stored } : { v, p, ...stored }) satisfies Stored);
}

/** Puts a snapshot or a delta into the bucket, after what is in it. */
export function load(bucket: Bucket, json: string, pieces: LanePieces): void {
  const stored = JSON.parse(json) as Stored;
  if (stored.v !== VERSION)
    throw new Error(`state of bucket ${bucket.number} has version ${stored.v}, not ${VERSION}`);
  for (const [id, width, keep, flat] of stored.s) {
    const store = bucket.storeById({ id, width, keep });
    store.keep = keep;
    for (let i = 0; i < flat.length; ) {
      const key = flat[i] as string;
      store.change(key, (entries) => {
        for (; flat[i] === key; i += 2 + width)
          entries.insert(flat[i + 1] as Micros, flat.slice(i + 2, i + 2 + width) as (string | null)[]);
      });
    }
  }
  for (const [rule, flat] of stored.c) {
    const cooldowns = bucket.cooldownsOf(rule);
    for (let i = 0; i < flat.length; i += 2) cooldowns.load(flat[i] as string, flat[i + 1] as Micros);
  }
  for (const [state, lanes] of stored.p ?? []) {
    const before = lanes === null ? [] : (pieces.get(state) ?? []);
    pieces.set(state, lanes === null ? before : [...before, lanes]);
  }
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
