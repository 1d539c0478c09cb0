import type { ClientBase, QueryConfig } from 'pg';
import { sendTogether } from './session.ts';

/** How the rows of a table that several partitions write are begun and added to; lists are sorted by primary key. */
export interface SharedTable<Group, Row, Done> {
  readonly keyOf: (group: Group) => string;
  readonly keyOfRow: (row: Row) => string;
  /** null: there is no row yet. */
  readonly add: (group: Group, row: Row | null) => Done;
  /** Does nothing where the row is there; returns the keys of those that it made. */
  readonly insert: (begun: readonly Done[]) => QueryConfig;
  readonly lock: (groups: readonly Group[]) => QueryConfig;
  readonly update: (done: readonly Done[]) => QueryConfig;
}

/**
 * What a transaction adds to such a table: rows that nobody has are made, the others locked, read and added to. The
 * caller sends the statements, together with those of other tables.
 */
export class SharedWrite<Group, Row, Done> {
  readonly #table: SharedTable<Group, Row, Done>;
  readonly #groups: readonly Group[];
  #met: readonly Group[] = [];
  #made: readonly Done[] = [];
  #added: readonly Done[] = [];

  constructor(table: SharedTable<Group, Row, Done>, groups: readonly Group[]) {
    this.#table = table;
    this.#groups = groups;
  }

  /** Each group once. */
  get done(): readonly Done[] {
    return [...this.#made, ...this.#added];
  }

  insertion(): readonly Step[] {
    const groups = this.#groups;
    if (groups.length === 0) return [];
    const begun = groups.map((group) => this.#table.add(group, null));
    const then = (rows: readonly object[]): void => {
      const made = new Set(rows.map((row) => this.#table.keyOfRow(row as Row)));
      const isNew = (group: Group): boolean => made.has(this.#table.keyOf(group));
      this.#made = begun.filter((_, index) => isNew(groups[index] as Group));
      this.#met = groups.filter((group) => !isNew(group));
    };
    return [{ query: this.#table.insert(begun), then }];
  }

  locking(): readonly Step[] {
    if (this.#met.length === 0) return [];
    const then = (rows: readonly object[]): void => {
      const stored = new Map(rows.map((row) => [this.#table.keyOfRow(row as Row), row as Row]));
      this.#added = this.#met.map((group) =>
        this.#table.add(group, stored.get(this.#table.keyOf(group)) ?? null),
      );
    };
    return [{ query: this.#table.lock(this.#met), then }];
  }

  updates(): readonly QueryConfig[] {
    return this.#added.length === 0 ? [] : [this.#table.update(this.#added)];
  }
}

interface Step {
  readonly query: QueryConfig;
  readonly then: (rows: readonly object[]) => void;
}

/** Sends `before` and the steps together; no round trip where there are none. */
export async function take(
  client: ClientBase,
  steps: readonly Step[],
  before: readonly QueryConfig[] = [],
): Promise<void> {
  if (steps.length === 0) return;
  const results = await sendTogether(client, [...before, ...steps.map(({ query }) => query)]);
  steps.forEach(({ then }, index) => {
    then(results[before.length + index]?.rows ?? []);
  });
}
