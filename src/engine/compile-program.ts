import { fromText } from '../rules/cel/cells.ts';
import type { PatternInput, PatternPlan } from '../rules/pattern-plan.ts';
import type { LetPlan, Plan, RulePlan, TablePlan, WindowFunction, WindowPlan } from '../rules/plan.ts';
import { definitionOf } from './cep/definition.ts';
import type {
  Door,
  Entrance,
  Lookup,
  PatternProgram,
  Program,
  RoutingKey,
  RuleProgram,
  StoreProgram,
  TableProgram,
  WindowProgram,
} from './program.ts';
import { type AggregateSpec, aggregateOf, cellOf, paneWindow, sessionsOf } from './windows/aggregate.ts';

const programs = new WeakMap<Plan, Program>();

/** The program of a plan, made once. */
export function programOf(plan: Plan): Program {
  const known = programs.get(plan);
  if (known !== undefined) return known;
  const program = compile(plan);
  programs.set(plan, program);
  return program;
}

function compile(plan: Plan): Program {
  const aggregates = plan.stores.map((): AggregateSpec[] => []);
  const builders = plan.tables.map((table, index) => new TableBuilder(plan, index, table));
  const stores = plan.stores.map((store, index): StoreProgram => {
    const builder = builders[store.table] as TableBuilder;
    const readers = plan.rules.filter((rule) => windowsOf(rule).some((window) => window.store === index));
    return {
      index,
      plan: store,
      routing: builder.routingKey(store.key),
      bySlot: builder.slot(store.by),
      readers: [...new Set(readers.map((rule) => rule.table))],
      firstRule: readers[0]?.id ?? `events.${plan.tables[store.table]?.event}`,
      aggregates: aggregates[index] as AggregateSpec[],
    };
  });
  for (const rule of plan.rules) (builders[rule.table] as TableBuilder).rule(rule, aggregates);
  const patterns = plan.patterns.map((pattern, index): PatternProgram => {
    const tables = [...new Set(pattern.inputs.map(({ table }) => table))];
    return { index, plan: pattern, definition: definitionOf(pattern), tables };
  });
  for (const pattern of patterns)
    for (const table of pattern.tables) (builders[table] as TableBuilder).pattern(pattern);
  return { plan, stores, patterns, tables: builders.map((builder) => builder.build(stores)) };
}

function windowsOf(rule: RulePlan): WindowPlan[] {
  return rule.lets.flatMap((item) => (item.kind === 'window' ? [item.window] : []));
}

class TableBuilder {
  readonly #plan: Plan;
  readonly #index: number;
  readonly #table: TablePlan;
  readonly #keys: (readonly number[])[] = [];
  readonly #routing: RoutingKey[] = [];
  readonly #lookups: Lookup[] = [];
  readonly #windows: WindowProgram[] = [];
  readonly #rules: RuleProgram[] = [];
  readonly #entrances: Entrance[] = [];

  constructor(plan: Plan, index: number, table: TablePlan) {
    this.#plan = plan;
    this.#index = index;
    this.#table = table;
  }

  slot(columns: readonly number[]): number {
    const text = columns.join();
    const found = this.#keys.findIndex((known) => known.join() === text);
    return found >= 0 ? found : this.#keys.push(columns) - 1;
  }

  routingKey(key: number): RoutingKey {
    const bit = 1 << (key + 1);
    const known = this.#routing.find((routing) => routing.bit === bit);
    if (known !== undefined) return known;
    const tableKey = this.#table.keys[key];
    if (tableKey === undefined) throw new Error(`table ${this.#table.name} has no key ${key}`);
    const routing = { bit, slot: this.slot(tableKey.columns) };
    this.#routing.push(routing);
    return routing;
  }

  rule(plan: RulePlan, aggregates: AggregateSpec[][]): void {
    const stateful = plan.cooldown !== null || windowsOf(plan).length > 0;
    if (stateful && plan.key === null) throw new Error(`rule ${plan.id} keeps state, but has no key`);
    const routing = plan.key === null ? null : this.routingKey(plan.key);
    const windows = plan.lets.map((item) =>
      item.kind === 'window' && routing !== null
        ? this.#window(item, { rule: plan.id, routing, aggregates })
        : null,
    );
    const cooldownSlot = plan.cooldown === null ? -1 : this.slot(plan.cooldown.by.columns);
    this.#rules.push({ index: this.#rules.length, plan, routing, windows, cooldownSlot });
  }

  pattern(pattern: PatternProgram): void {
    const inputs = pattern.plan.inputs.filter(({ table }) => table === this.#index);
    this.#entrances.push({ pattern, doors: inputs.map((input) => this.#door(pattern.plan, input)) });
  }

  #door({ steps }: PatternPlan, input: PatternInput): Door {
    const events = input.events.map((eventIndex) => {
      const taking = input.steps.filter((step) => steps[step]?.eventIndex === eventIndex);
      return { eventIndex, steps: taking.reduce((bits, step) => bits | (1 << step), 0) };
    });
    return { routing: this.routingKey(input.key), bySlot: this.slot(input.by), events };
  }

  build(stores: readonly StoreProgram[]): TableProgram {
    return {
      index: this.#index,
      plan: this.#table,
      keys: this.#keys,
      routing: this.#routing,
      appends: stores.filter((store) => store.plan.table === this.#index),
      lookups: this.#lookups,
      windows: this.#windows,
      rules: this.#rules,
      entrances: byEvent(this.#entrances),
      aggregates: this.#plan.aggregates.flatMap((plan) => {
        const input = plan.inputs.find(({ table }) => table === this.#index);
        return input === undefined ? [] : [{ plan, input }];
      }),
      scoring: this.#plan.scoring.get(this.#table.event) ?? null,
    };
  }

  #window(
    item: LetPlan & { kind: 'window' },
    of: { readonly rule: string; readonly routing: RoutingKey; readonly aggregates: AggregateSpec[][] },
  ): WindowProgram {
    const plan = item.window;
    const store = this.#plan.stores[plan.store];
    const specs = of.aggregates[plan.store];
    if (store === undefined || specs === undefined) throw new Error(`let ${item.name} has no store`);
    const lookup = this.#lookup(plan, of.routing);
    const known = this.#windows.find((window) => window.lookup === lookup && sameWindow(window.plan, plan));
    if (known !== undefined) return known;
    const [value = 0] = plan.values;
    const { type, pgType } = store.values[value] ?? { type: 'string', pgType: 'text' };
    const window: WindowProgram = {
      index: this.#windows.length,
      plan,
      lookup,
      store,
      value: cellOf(plan, store),
      type,
      read: fromText(type, pgType),
      aggregate: aggregateOf(plan, store, specs),
      sessions: sessionsOf(plan, specs),
      panes: paneWindow(plan, store, specs),
      withOwn: plan.current && !OF_THE_PAST.has(plan.fn),
      rule: of.rule,
    };
    this.#windows.push(window);
    return window;
  }

  #lookup(plan: WindowPlan, routing: RoutingKey): Lookup {
    const bySlot = this.slot(plan.by);
    const known = this.#lookups.find(
      (lookup) => lookup.store === plan.store && lookup.routing === routing && lookup.bySlot === bySlot,
    );
    if (known !== undefined) return known;
    const lookup = { index: this.#lookups.length, store: plan.store, routing, bySlot };
    this.#lookups.push(lookup);
    return lookup;
  }
}

/** A row is offered to the patterns that look at one of its names, however many there are. */
function byEvent(entrances: readonly Entrance[]): TableProgram['entrances'] {
  const events = new Map<number, Entrance[]>();
  for (const entrance of entrances) {
    const own = new Set(entrance.doors.flatMap((door) => door.events.map(({ eventIndex }) => eventIndex)));
    for (const event of own) events.set(event, [...(events.get(event) ?? []), entrance]);
  }
  return [...events].map(([eventIndex, of]) => ({ eventIndex, entrances: of }));
}

/** What they say is about the rows before the row. */
const OF_THE_PAST: ReadonlySet<WindowFunction> = new Set(['previous', 'first_seen', 'speed_kmh']);

function sameWindow(a: WindowPlan, b: WindowPlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
