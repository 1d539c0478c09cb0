import { KEEPS_NOTHING, type Over, type Retention, withWindow } from '../../../../src/rules/over.ts';
import { partsOf } from '../../../../src/rules/panes.ts';
import type {
  LetPlan,
  PanesPlan,
  Plan,
  RulePlan,
  ScoringPlan,
  StorePlan,
  TablePlan,
  WindowFunction,
  WindowPlan,
} from '../../../../src/rules/plan.ts';
import type { By, Condition, ValueType } from '../../../../src/rules/plan-parts.ts';
import { valueTypeOf } from '../../../../src/rules/value-type.ts';

export interface WindowSpec {
  readonly fn: WindowFunction;
  readonly of?: string | readonly string[];
  readonly percent?: number;
  /** The event counted; default the rule's. */
  readonly event?: string;
  readonly by: readonly string[];
  /** The columns of the counted event, where they have other names. */
  readonly theirBy?: readonly string[];
  /** A number: sliding. */
  readonly over: number | Over;
  readonly current?: boolean;
  /** Its rows roll up into panes, however short it is. */
  readonly panes?: boolean;
  readonly when?: { readonly id: string; readonly condition: Condition };
}

export interface RuleSpec {
  readonly id: string;
  readonly event: string;
  readonly key?: readonly string[];
  readonly lets?: Readonly<Record<string, WindowSpec | LetPlan>>;
  readonly when?: Condition;
  readonly unless?: Condition;
  readonly score?: number;
  readonly actions?: RulePlan['actions'];
  readonly cooldown?: { readonly by: readonly string[]; readonly forMicros: number };
  readonly block?: { readonly by: readonly string[]; readonly forMicros: number };
  readonly message?: RulePlan['message'];
  readonly mode?: 'live' | 'shadow';
}

export interface TableSpec {
  readonly columns: Readonly<Record<string, string>>;
  readonly lateness?: number;
  readonly views?: Readonly<Record<string, Condition>>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type StoreDraft = Mutable<Omit<StorePlan, 'keep' | 'rows' | 'panes'>> & {
  retention: Retention;
  panes: Mutable<PanesPlan> | null;
};
interface TableDraft extends Mutable<Pick<TablePlan, 'keys'>> {
  readonly name: string;
  readonly spec: TableSpec;
  readonly events: string[];
}

/** Plans by hand, as the loader makes them: windows of one event, `by` and `when` share a store. */
export class PlanBuilder {
  readonly #tables: TableDraft[] = [];
  readonly #stores: StoreDraft[] = [];
  readonly #rules: RulePlan[] = [];
  readonly #scoring = new Map<string, ScoringPlan>();
  readonly #dimensions: string[] = [];

  table(event: string, spec: TableSpec): this {
    this.#tables.push({ name: event, spec, keys: [], events: [event, ...Object.keys(spec.views ?? {})] });
    return this;
  }

  scoring(plan: ScoringPlan): this {
    this.#scoring.set(plan.event, plan);
    return this;
  }

  rule(spec: RuleSpec): this {
    const table = this.#tableOf(spec.event);
    const lets = Object.entries(spec.lets ?? {}).map(
      ([name, item]): LetPlan => ('kind' in item ? item : this.#window(name, item, { table, spec })),
    );
    this.#rules.push({
      id: spec.id,
      description: null,
      table: this.#tables.indexOf(table),
      event: spec.event,
      eventIndex: table.events.indexOf(spec.event),
      key: spec.key === undefined ? null : this.#key(table, spec.key),
      by: spec.key === undefined ? null : by(table, spec.key),
      lets,
      when: spec.when ?? null,
      unless: spec.unless ?? null,
      score: spec.score ?? 0,
      severity: 'warning',
      actions: spec.actions ?? [],
      block: spec.block === undefined ? null : { ...spec.block, by: by(table, spec.block.by) },
      cooldown: spec.cooldown === undefined ? null : { ...spec.cooldown, by: by(table, spec.cooldown.by) },
      message: spec.message ?? null,
      mode: spec.mode ?? 'live',
      guard: null,
    });
    return this;
  }

  build(version = 'test'): Plan {
    const stores = this.#stores.map(({ retention, ...store }) => ({
      ...store,
      keep: retention.over + store.lateness,
      rows: retention.rows === 0 ? null : { count: retention.rows, keep: retention.within + store.lateness },
    }));
    const tables = this.#tables.map((table) => this.#tablePlan(table));
    return {
      version,
      tables,
      stores,
      rules: this.#rules,
      patterns: [],
      scoring: this.#scoring,
      aggregates: [],
      lists: new Map(),
    };
  }

  #tablePlan({ name, spec, keys, events }: TableDraft): TablePlan {
    const views = spec.views ?? {};
    return {
      schema: 'public',
      name,
      event: name,
      events: events.map((event) => ({ name: event, when: views[event] ?? null })),
      ops: ['insert'],
      columns: Object.entries(spec.columns).map(([column, pgType]) => ({
        name: column,
        pgType,
        type: valueTypeOf(pgType),
      })),
      time: null,
      lateness: spec.lateness ?? 0,
      ahead: 60_000_000,
      idle: 30_000_000,
      id: [0],
      primaryKey: [0],
      keys,
    };
  }

  #window(name: string, spec: WindowSpec, rule: { table: TableDraft; spec: RuleSpec }): LetPlan {
    const event = spec.event ?? rule.spec.event;
    const table = this.#tableOf(event);
    const columns = spec.theirBy ?? spec.by;
    const routing = rule.spec.key ?? spec.by;
    const key = this.#key(
      table,
      routing.map((column) => columns[spec.by.indexOf(column)] ?? column),
    );
    const over: Over = typeof spec.over === 'number' ? { kind: 'sliding', over: spec.over } : spec.over;
    const every = spec.panes === true && over.kind === 'hopping' ? over.every : null;
    const id = [event, columns, spec.when?.id, key, every].join('/');
    let index = this.#stores.findIndex((store) => store.id === id);
    if (index < 0) {
      index = this.#stores.push({
        id,
        table: this.#tables.indexOf(table),
        eventIndex: table.events.indexOf(event),
        key,
        by: by(table, columns).columns,
        when: spec.when?.condition ?? null,
        values: [],
        lateness: table.spec.lateness ?? 0,
        retention: KEEPS_NOTHING,
        panes: every === null ? null : { every, parts: [] },
      });
      index -= 1;
    }
    const store = this.#stores[index] as StoreDraft;
    store.retention = withWindow(store.retention, over);
    const names = spec.of === undefined ? [] : [spec.of].flat();
    const values = names.map((of) => valueIn(store, table, of));
    const { fn, percent = null, current = true } = spec;
    if (store.panes !== null) addParts(store.panes, fn, values[0] ?? -1);
    const type = typeOf(fn, store.values[values[0] ?? -1]?.type ?? 'double');
    const compares = fn === 'first_seen' || fn === 'speed_kmh';
    const own = compares ? by(rule.table, names).columns : [];
    const lookup = by(rule.table, spec.by).columns;
    const window: WindowPlan = { store: index, fn, values, own, percent, over, current, by: lookup };
    return { kind: 'window', name, type, window };
  }

  #key(table: TableDraft, names: readonly string[]): number {
    const columns = by(table, names).columns;
    const known = table.keys.findIndex((key) => key.columns.join() === columns.join());
    if (known >= 0) return known;
    const name = names.join();
    if (!this.#dimensions.includes(name)) this.#dimensions.push(name);
    table.keys = [...table.keys, { dimension: this.#dimensions.indexOf(name), columns }];
    return table.keys.length - 1;
  }

  #tableOf(event: string): TableDraft {
    const table = this.#tables.find(({ events }) => events.includes(event));
    if (table === undefined) throw new Error(`no table of ${event}`);
    return table;
  }
}

function by(table: TableDraft, names: readonly string[]): By {
  const all = Object.keys(table.spec.columns);
  return { names, columns: names.map((name) => all.indexOf(name)) };
}

function addParts(panes: Mutable<PanesPlan>, fn: WindowFunction, column: number): void {
  for (const part of partsOf(fn)) {
    const value = part === 'rows' ? -1 : column;
    if (panes.parts.some((one) => one.part === part && one.value === value)) continue;
    panes.parts = [...panes.parts, { part, value }];
  }
}

function typeOf(fn: WindowFunction, value: ValueType): ValueType {
  if (fn === 'count' || fn === 'distinct') return 'double';
  if (fn === 'first_seen') return 'bool';
  return fn === 'list' ? { list: value } : value;
}

function valueIn(store: Pick<StoreDraft, 'values'>, table: TableDraft, name: string): number {
  const column = Object.keys(table.spec.columns).indexOf(name);
  const known = store.values.findIndex((value) => value.column === column);
  if (known >= 0) return known;
  const pgType = table.spec.columns[name] ?? 'text';
  store.values = [...store.values, { column, pgType, type: valueTypeOf(pgType) }];
  return store.values.length - 1;
}
