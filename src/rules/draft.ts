import { createHash } from 'node:crypto';
import type { EventInfo, World } from './check-events.ts';
import { checkSent, type TableInfo, unknownColumn } from './check-tables.ts';
import { KEEPS_NOTHING, type Over, type Retention, withWindow } from './over.ts';
import { partsOf } from './panes.ts';
import type { ColumnPlan, PanePart, PanesPlan, StorePlan, WindowFunction } from './plan.ts';
import type { Condition } from './plan-parts.ts';
import type { Problems } from './problem.ts';
import type { Spot } from './yaml-document.ts';

/** A window store as its windows are met. */
export interface StoreDraft {
  readonly identity: string;
  readonly event: EventInfo;
  readonly by: readonly string[];
  readonly when: Condition | null;
  readonly key: number;
  readonly values: string[];
  /** How long its panes are; null: it has none. */
  readonly pane: number | null;
  /** Of its panes: part and column. */
  readonly parts: Map<string, readonly [PanePart, string | null]>;
  retention: Retention;
}

/**
 * One walk over the rule set. The loader makes three: the first checks everything, over all columns; the second
 * leaves out what is off and finds the columns in use; the third, over those columns alone, makes the plan.
 */
export class Draft {
  readonly world: World;
  readonly problems: Problems;
  readonly includeOff: boolean;
  readonly #before: Draft | null;
  readonly #columns = new Map<TableInfo, readonly ColumnPlan[]>();
  readonly #used = new Map<TableInfo, Set<string>>();
  readonly #events = new Map<TableInfo, string[]>();
  readonly #keys = new Map<TableInfo, { readonly columns: readonly string[]; dimension: number }[]>();
  readonly #stores = new Map<string, StoreDraft>();
  readonly #conditions = new Map<TableInfo | null, Map<string, Condition>>();
  #dimensions = 0;

  /** `before`: the walk that found the columns in use. */
  constructor(world: World, problems: Problems, options: { includeOff: boolean; before: Draft | null }) {
    this.world = world;
    this.problems = problems;
    this.includeOff = options.includeOff;
    this.#before = options.before;
  }

  /** The columns that conditions see; the index is the cell. */
  columns(table: TableInfo): readonly ColumnPlan[] {
    const known = this.#columns.get(table);
    if (known !== undefined) return known;
    const used = this.#before?.used(table);
    const all = [...table.columns.values()].filter(({ name }) => used === undefined || used.has(name));
    const columns = all.map(({ generated: _, ...column }) => column);
    this.#columns.set(table, columns);
    return columns;
  }

  used(table: TableInfo): Set<string> {
    let used = this.#used.get(table);
    if (used === undefined) {
      used = new Set([...table.primaryKey, ...table.id, ...(table.time === null ? [] : [table.time])]);
      this.#used.set(table, used);
    }
    return used;
  }

  /** The index of a column that the rules name; null where there is none, which is told. */
  column(table: TableInfo, name: string, spot: Spot): number | null {
    const index = this.columns(table).findIndex((column) => column.name === name);
    if (index < 0) {
      unknownColumn(table, name, { place: spot.place, problems: this.problems });
      return null;
    }
    this.use(table, name, spot);
    return index;
  }

  use(table: TableInfo, name: string, spot: Spot): void {
    this.used(table).add(name);
    checkSent(table, name, { place: spot.place, problems: this.problems });
  }

  /** Columns by name; every one is known and in use. */
  indexes(table: TableInfo, names: readonly string[]): number[] {
    return names.map((name) => this.columns(table).findIndex((column) => column.name === name));
  }

  /** Events of a table that something is over; the index is the event's in the plan. The table's own is the first. */
  events(table: TableInfo): readonly string[] {
    return this.#events.get(table) ?? [table.event];
  }

  eventIndex(event: EventInfo): number {
    const events = [...this.events(event.table)];
    if (!events.includes(event.name)) events.push(event.name);
    this.#events.set(event.table, events);
    return events.indexOf(event.name);
  }

  /** Row conditions of patterns, by text: equal ones are one closure, which the engine asks once a row. */
  conditions(table: TableInfo | null): Map<string, Condition> {
    const known = this.#conditions.get(table) ?? new Map<string, Condition>();
    this.#conditions.set(table, known);
    return known;
  }

  keys(table: TableInfo): readonly { readonly columns: readonly string[]; readonly dimension: number }[] {
    return this.#keys.get(table) ?? [];
  }

  /** The index of a routing key, in the order of first use. */
  key(table: TableInfo, columns: readonly string[]): number {
    const keys = this.#keys.get(table) ?? [];
    this.#keys.set(table, keys);
    const index = keys.findIndex((key) => same(key.columns, columns));
    if (index >= 0) return index;
    keys.push({ columns, dimension: this.#dimensions });
    this.#dimensions += 1;
    return keys.length - 1;
  }

  /** Keys of two tables that windows join are one dimension. */
  join(a: readonly [TableInfo, number], b: readonly [TableInfo, number]): void {
    const [one, other] = [this.#keys.get(a[0])?.[a[1]], this.#keys.get(b[0])?.[b[1]]];
    if (one === undefined || other === undefined || one.dimension === other.dimension) return;
    const [low, high] = [one.dimension, other.dimension].sort((x, y) => x - y) as [number, number];
    for (const key of [...this.#keys.values()].flat()) if (key.dimension === high) key.dimension = low;
  }

  /** The index of the store that a window of these reads: one for all windows that are equal. */
  store(
    wanted: Omit<StoreDraft, 'identity' | 'values' | 'parts' | 'retention'>,
    use: { when: string; over: Over },
  ): number {
    const { event, by, key, pane } = wanted;
    const routing = this.keys(event.table)[key]?.columns;
    const { table, chain } = event;
    const views = chain.map((part) => part.spec.when?.trim() ?? '');
    const from = [`${table.schema}.${table.name}`, table.time, ...table.ops, views];
    const identity = JSON.stringify([from, by, use.when.trim(), routing, ...(pane === null ? [] : [pane])]);
    const store: StoreDraft = this.#stores.get(identity) ?? {
      ...wanted,
      identity,
      values: this.#valuesOf(identity),
      parts: new Map(),
      retention: KEEPS_NOTHING,
    };
    store.retention = withWindow(store.retention, use.over);
    this.#stores.set(identity, store);
    return [...this.#stores.keys()].indexOf(identity);
  }

  /** Where the column's cells are among the values of a store. */
  value(store: number, name: string): number {
    const values = [...this.#stores.values()][store]?.values ?? [];
    if (!values.includes(name)) values.push(name);
    return values.indexOf(name);
  }

  /** What the panes of a store have to hold for a function of a column. */
  part(store: number, fn: WindowFunction, column: string | null): void {
    const parts = [...this.#stores.values()][store]?.parts;
    for (const part of partsOf(fn)) parts?.set(`${part} ${column}`, [part, column]);
  }

  stores(): StorePlan[] {
    return [...this.#stores.values()].map((store) => this.#storePlan(store));
  }

  dimension(key: { readonly dimension: number }): number {
    const all = [...new Set([...this.#keys.values()].flat().map(({ dimension }) => dimension))].sort(
      (a, b) => a - b,
    );
    return all.indexOf(key.dimension);
  }

  /** Sorted, so that rules in another order find the same state. */
  #valuesOf(identity: string): string[] {
    const before = this.#before;
    return before === null ? [] : [...(before.#stores.get(identity)?.values ?? [])].sort();
  }

  #storePlan(store: StoreDraft): StorePlan {
    const { identity, event, by, when, key, values, retention } = store;
    const { table } = event;
    const { lateness } = table;
    const columns = this.columns(table);
    const cells = this.indexes(table, values).flatMap((column) => {
      const plan = columns[column];
      return plan === undefined ? [] : [{ column, type: plan.type, pgType: plan.pgType }];
    });
    const types = cells.map(({ pgType }, index) => [values[index], pgType]);
    const keep = retention.over + lateness;
    const rows = retention.rows === 0 ? null : { count: retention.rows, keep: retention.within + lateness };
    const panes = panesOf(store);
    const kept = [identity, types, keep, ...[rows, panes].filter((one) => one !== null)];
    return {
      // What is kept is part of it: what a shorter window had forgotten already depends on when it was compacted, and
      // a longer one that went on from there would not be the same after a crash.
      id: createHash('sha256').update(JSON.stringify(kept)).digest('hex').slice(0, 32),
      table: this.world.tables.indexOf(table),
      eventIndex: this.eventIndex(event),
      key,
      by: this.indexes(table, by),
      when,
      values: cells,
      lateness,
      keep,
      rows,
      panes,
    };
  }
}

/** Sorted, so that rules in another order find the same state. */
function panesOf({ pane, parts, values }: StoreDraft): PanesPlan | null {
  if (pane === null) return null;
  const sorted = [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
  return {
    every: pane,
    parts: sorted.map(([part, column]) => ({ part, value: values.indexOf(column ?? '') })),
  };
}

/** Updates or deletes are captured: their old rows come with the replica identity. */
export function changes(table: Pick<TableInfo, 'ops'>): boolean {
  return table.ops.includes('update') || table.ops.includes('delete');
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}
