import type { ListChange, ListLog } from '../../../src/store/list-log.ts';
import { SEED } from '../rules.ts';

/** The list of the rules in the store: made with its seed by the first edit. */
export const LIST = 'watched';

/** weir.list_changes and what its triggers keep, as sql/003_lists.sql promises. */
export class ListBook {
  readonly #changes: ListChange[] = [];
  readonly #entries = new Set<string>();
  #revision = 0;

  get revision(): number {
    return this.#revision;
  }

  /** A statement: the value is taken out where it is in the list, else put in. Returns its revision. */
  toggle(value: string): number {
    this.#revision += 1;
    if (this.#revision === 1) for (const seed of SEED) this.#change(seed, true);
    else this.#change(value, !this.#entries.has(value));
    return this.#revision;
  }

  #change(value: string, added: boolean): void {
    if (added) this.#entries.add(value);
    else this.#entries.delete(value);
    this.#changes.push({ list: LIST, value, toggle: added ? this.#revision : -this.#revision });
  }

  /** null: none. */
  revisionOf(token: string): number | null {
    for (let revision = 1; revision <= this.#revision; revision++)
      if (tokenOf(revision) === token) return revision;
    return null;
  }

  /** As an instance reads it whose last acknowledgement is of that revision. */
  log(acknowledged: () => number): ListLog {
    return {
      read: (_, work) =>
        work({
          revision: this.#revision,
          acknowledged: acknowledged(),
          since: new Map(this.#revision === 0 ? [] : [[LIST, 1]]),
          entries: async (_list, take) => {
            for (const value of this.#entries) take(value);
          },
          changes: async (lists, after, take) => {
            for (const change of this.#changes)
              if (lists.includes(change.list) && Math.abs(change.toggle) > after) take(change);
          },
        }),
    };
  }
}

/** What nobody can guess, for the model. */
export function tokenOf(revision: number): string {
  return `00000000-0000-4000-8000-${String(revision).padStart(12, '0')}`;
}
