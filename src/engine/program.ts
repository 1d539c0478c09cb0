import type { AggregationInput, AggregationPlan } from '../rules/aggregation-plan.ts';
import type { PatternPlan } from '../rules/pattern-plan.ts';
import type { Plan, RulePlan, ScoringPlan, StorePlan, TablePlan, WindowPlan } from '../rules/plan.ts';
import type { ValueType } from '../rules/plan-parts.ts';
import type { Definition } from './cep/definition.ts';
import type { ReadValue } from './value.ts';
import type { AggregateSpec, PaneWindow } from './windows/aggregate.ts';

/** A plan laid out for the fold: what each row of a table has to do, with everything shared numbered once. */
export interface Program {
  readonly plan: Plan;
  readonly tables: readonly TableProgram[];
  readonly stores: readonly StoreProgram[];
  readonly patterns: readonly PatternProgram[];
}

export interface TableProgram {
  readonly index: number;
  readonly plan: TablePlan;
  /** The column lists whose key text its rows need; the index is a `slot`. */
  readonly keys: readonly (readonly number[])[];
  /** The routing keys under which state is kept or looked up: `Row.roles` bit, and slot. */
  readonly routing: readonly RoutingKey[];
  readonly appends: readonly StoreProgram[];
  readonly lookups: readonly Lookup[];
  readonly windows: readonly WindowProgram[];
  readonly rules: readonly RuleProgram[];
  /** Of each pattern that its rows enter, by the event that lets them in: one with several is in several. */
  readonly entrances: readonly { readonly eventIndex: number; readonly entrances: readonly Entrance[] }[];
  readonly aggregates: readonly AggregationProgram[];
  readonly scoring: ScoringPlan | null;
}

/** An aggregate that takes rows of the table. */
export interface AggregationProgram {
  readonly plan: AggregationPlan;
  readonly input: AggregationInput;
}

export interface PatternProgram {
  readonly index: number;
  readonly plan: PatternPlan;
  readonly definition: Definition;
  /** The least of their Ws is the pattern's. */
  readonly tables: readonly number[];
}

/** How the rows of a table enter a pattern: under one key, or under one for each of its columns. */
export interface Entrance {
  readonly pattern: PatternProgram;
  readonly doors: readonly Door[];
}

export interface Door {
  readonly routing: RoutingKey;
  readonly bySlot: number;
  /** A row enters that bears one of them; the steps that may take it are the bits. */
  readonly events: readonly { readonly eventIndex: number; readonly steps: number }[];
}

export interface RoutingKey {
  readonly bit: number;
  readonly slot: number;
}

export interface StoreProgram {
  readonly index: number;
  readonly plan: StorePlan;
  readonly routing: RoutingKey;
  readonly bySlot: number;
  /** Tables whose rows look into it: the least of their Ws is what it may forget by. */
  readonly readers: readonly number[];
  /** The rule that is named where its condition fails. */
  readonly firstRule: string;
  readonly aggregates: readonly AggregateSpec[];
}

/** One key's entries in one store, as one row looks them up. */
export interface Lookup {
  readonly index: number;
  readonly store: number;
  readonly routing: RoutingKey;
  readonly bySlot: number;
}

/** Equal windows of different rules are one. */
export interface WindowProgram {
  readonly index: number;
  readonly plan: WindowPlan;
  readonly lookup: Lookup;
  readonly store: StorePlan;
  /** The cell of an entry that has its value, and the value's type; not used by count. */
  readonly value: number;
  readonly type: ValueType;
  readonly read: ReadValue;
  /** Index into the store's aggregates; -1: none is kept. */
  readonly aggregate: number;
  /** Index into the store's aggregates of what knows where sessions begin; -1: it is no window of a session. */
  readonly sessions: number;
  /** Where in entries that are panes its parts are; null: entries are rows. */
  readonly panes: PaneWindow | null;
  /** The row itself is among its rows. */
  readonly withOwn: boolean;
  /** The first rule that has it. */
  readonly rule: string;
}

export interface RuleProgram {
  readonly index: number;
  readonly plan: RulePlan;
  /** null: it runs at the row's home. */
  readonly routing: RoutingKey | null;
  /** By `let`; null: CEL. */
  readonly windows: readonly (WindowProgram | null)[];
  readonly cooldownSlot: number;
}
