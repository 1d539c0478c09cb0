import type { ListEntries } from '../rules/plan-parts.ts';

/** The revision in which a value was put in, or its negative where it was taken out. */
type Toggle = number;

/**
 * A list at every revision that somebody may still ask for: what was in it at the oldest of them, and what has changed
 * since, by value. Changes only ever come on top, so what it says of a revision stays what it said.
 */
export class VersionedList {
  /** The revision from which on the list is as the store says. */
  readonly since: number;
  readonly #oldest: Set<string>;
  readonly #changed = new Map<string, Toggle | Toggle[]>();

  constructor(since: number, entries: Iterable<string> = []) {
    this.since = since;
    this.#oldest = new Set(entries);
  }

  /** While a list is loaded: what is in it now, before `rewind` has told what has changed on the way here. */
  put(value: string): void {
    this.#oldest.add(value);
  }

  /** A change that the entries have in them already; the first of a value tells what was before. */
  rewind(value: string, toggle: Toggle): void {
    if (!this.#changed.has(value)) {
      if (toggle > 0) this.#oldest.delete(value);
      else this.#oldest.add(value);
    }
    this.change(value, toggle);
  }

  /** Changes of a value come in order; one that is told twice is one. */
  change(value: string, toggle: Toggle): void {
    const known = this.#changed.get(value);
    if (known === undefined) this.#changed.set(value, toggle);
    else if (Math.abs(typeof known === 'number' ? known : (known.at(-1) ?? 0)) < Math.abs(toggle))
      this.#changed.set(value, typeof known === 'number' ? [known, toggle] : [...known, toggle]);
  }

  /** Nobody will ask for an older revision than this. */
  forgetBefore(revision: number): void {
    for (const [value, known] of this.#changed) {
      const toggles = typeof known === 'number' ? [known] : known;
      const left = toggles.filter((toggle) => Math.abs(toggle) > revision);
      const last = toggles[toggles.length - left.length - 1];
      if (last === undefined) continue;
      if (last > 0) this.#oldest.add(value);
      else this.#oldest.delete(value);
      if (left.length === 0) this.#changed.delete(value);
      else this.#changed.set(value, left.length === 1 ? (left[0] as Toggle) : left);
    }
  }

  /** null: it is not the store's yet. */
  at(revision: number): ListEntries | null {
    return revision < this.since ? null : new ListAt(this, revision);
  }

  has(value: string, revision: number): boolean {
    const known = this.#changed.size === 0 ? undefined : this.#changed.get(value);
    if (known === undefined) return this.#oldest.has(value);
    if (typeof known === 'number') return Math.abs(known) <= revision ? known > 0 : this.#oldest.has(value);
    for (let i = known.length - 1; i >= 0; i--) {
      const toggle = known[i] as Toggle;
      if (Math.abs(toggle) <= revision) return toggle > 0;
    }
    return this.#oldest.has(value);
  }

  *values(revision: number): Generator<string> {
    for (const value of this.#oldest) if (this.has(value, revision)) yield value;
    for (const value of this.#changed.keys())
      if (!this.#oldest.has(value) && this.has(value, revision)) yield value;
  }
}

class ListAt implements ListEntries {
  readonly #list: VersionedList;
  readonly #revision: number;

  constructor(list: VersionedList, revision: number) {
    this.#list = list;
    this.#revision = revision;
  }

  has(value: string): boolean {
    return this.#list.has(value, this.#revision);
  }

  values(): Iterable<string> {
    return this.#list.values(this.#revision);
  }
}
