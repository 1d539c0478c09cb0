import { WeirError } from '../errors.ts';
import type { Plan } from '../rules/plan.ts';
import type { ListEntries, Lists } from '../rules/plan-parts.ts';
import type { ListLog, ListReader } from './list-log.ts';
import { VersionedList } from './versioned-list.ts';

/**
 * The lists of a process, whatever revisions its partitions stand at: each is loaded once, and then told what changes.
 * A list that the store does not have at a revision is as the rules seed it.
 */
export class ListSets {
  readonly #log: ListLog;
  readonly #lists = new Map<string, VersionedList>();
  /** Of these all changes up to `#revision` are known; those without a `VersionedList` are not in the store. */
  readonly #known = new Set<string>();
  #revision = 0;
  /** One reads at a time, so that two partitions do not read the same. */
  #reading: Promise<void> = Promise.resolve();

  constructor(log: ListLog) {
    this.#log = log;
  }

  /**
   * The lists of the plan at a revision that a batch names: the store must have it.
   * @throws WeirError WEIR_LISTS_UNKNOWN
   */
  async at(plan: Pick<Plan, 'lists'>, revision: number): Promise<Lists> {
    const names = [...plan.lists.keys()];
    if (revision > 0 && !this.#knows(names, revision)) await this.#readUpTo(names, revision);
    return [...plan.lists].map(
      ([name, seed]): ListEntries => (revision === 0 ? seed : (this.#lists.get(name)?.at(revision) ?? seed)),
    );
  }

  #knows(names: readonly string[], revision: number): boolean {
    return this.#revision >= revision && names.every((name) => this.#known.has(name));
  }

  #readUpTo(names: readonly string[], revision: number): Promise<void> {
    const read = this.#reading.then(async () => {
      if (this.#knows(names, revision)) return;
      const all = [...new Set([...this.#known, ...names])];
      await this.#log.read(all, (reader) => this.#read(all, reader));
      if (this.#revision < revision) throw unknown(revision, this.#revision);
    });
    this.#reading = read.catch(() => undefined);
    return read;
  }

  /** What fails half-way is read again: a change that is told twice is one. */
  async #read(names: readonly string[], reader: ListReader): Promise<void> {
    const fresh = names.filter((name) => reader.since.has(name) && !this.#lists.has(name));
    const loaded = new Map<string, VersionedList>();
    for (const name of fresh) loaded.set(name, await load(name, reader));
    await reader.changes([...this.#lists.keys()], this.#revision, ({ list, value, toggle }) =>
      this.#lists.get(list)?.change(value, toggle),
    );
    for (const [name, list] of loaded) this.#lists.set(name, list);
    for (const name of names) this.#known.add(name);
    this.#revision = reader.revision;
    for (const list of this.#lists.values()) list.forgetBefore(reader.acknowledged);
  }
}

/** Back to where the oldest batch may stand that is still to be folded. */
async function load(name: string, reader: ListReader): Promise<VersionedList> {
  const list = new VersionedList(reader.since.get(name) ?? 0);
  await reader.entries(name, (value) => list.put(value));
  await reader.changes([name], reader.acknowledged, ({ value, toggle }) => list.rewind(value, toggle));
  return list;
}

function unknown(revision: number, last: number): WeirError {
  return new WeirError({
    code: 'WEIR_LISTS_UNKNOWN',
    message: `revision ${revision} of the lists is in force, but the last in weir.list_revisions is ${last}`,
    hint: 'restore the rows of weir.list_changes and weir.list_revisions (none may be deleted by hand), or start over with `weir teardown` and `weir init --apply`',
    retry: 'after-operator',
  });
}
