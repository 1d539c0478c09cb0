import { compileCell } from './cel/cells.ts';
import type { KeyVariable, MatchScope, StepScope } from './cel/match-scope.ts';
import type { CheckedInputs } from './check-inputs.ts';
import { TAKEN } from './check-lets.ts';
import type { Draft } from './draft.ts';
import type { AggregatePlan } from './pattern-plan.ts';
import type { StepTree } from './pattern-steps.ts';
import type { Expression } from './plan-parts.ts';
import type { Part } from './rule-set.ts';
import type { PatternSpec } from './schema.ts';
import type { AggregateSpec } from './schema-patterns.ts';
import type { Spot } from './yaml-document.ts';

/** Columns, lets and steps share one space of names. Gives those that are told to clash. */
export function checkNames(
  draft: Draft,
  { spec, spot }: Part<PatternSpec>,
  tree: StepTree,
): ReadonlySet<string> {
  const broken = new Set<string>();
  const clash = (name: string, at: Spot, what: string): void => {
    const hint = `give the ${what} another name`;
    const owner = tree.steps.find(({ event }) => event.table.columns.has(name))?.event.table;
    const taken = what === 'let' && [...tree.steps, ...tree.groups].some((node) => node.name === name);
    if (owner !== undefined) {
      const message = `"${name}" is a column of "${owner.schema}.${owner.name}" too: a name means one thing`;
      draft.problems.error(at.key, message, hint);
    } else if (taken) draft.problems.error(at.key, `"${name}" is a step too: a name means one thing`, hint);
    else if (TAKEN.includes(name)) {
      draft.problems.error(at.key, `"${name}" has a meaning of its own in conditions`, hint);
    } else return;
    broken.add(name);
  };
  for (const node of [...tree.steps, ...tree.groups]) clash(node.name, node.spot, 'step');
  for (const name of Object.keys(spec.let ?? {})) clash(name, spot.in('let', name), 'let');
  return broken;
}

/** The aggregates of a pattern, each once. */
export class Aggregates {
  readonly plans: AggregatePlan[] = [];

  index(wanted: AggregatePlan): number {
    const { fn, step, column } = wanted;
    const found = this.plans.findIndex((one) => one.fn === fn && one.step === step && one.column === column);
    return found >= 0 ? found : this.plans.push(wanted) - 1;
  }
}

type Elsewhere = Map<string, { readonly message: string; readonly hint?: string }>;

interface ScopeParts {
  readonly tree: StepTree;
  readonly aggregates: Aggregates;
}

/** What a step's own conditions see of the match so far. */
export function stepScope(draft: Draft, { spec }: Part<PatternSpec>, parts: ScopeParts): MatchScope {
  const elsewhere = nodesElsewhere(parts.tree);
  for (const [name, value] of Object.entries(spec.let ?? {})) {
    const message = `"${name}" is a let of the pattern: it is of whole matches`;
    elsewhere.set(name, { message, hint: instead(value) });
  }
  return { ...scopeOf(draft, parts), whole: false, keys: [], elsewhere };
}

/** What conditions and messages see of a whole match. */
export function matchScope(draft: Draft, inputs: CheckedInputs | null, parts: ScopeParts): MatchScope {
  const { steps } = parts.tree;
  const elsewhere = nodesElsewhere(parts.tree);
  const [first] = steps.filter(({ kind }) => kind === 'step');
  const keys = inputs === null ? [] : keyVariables(draft, inputs, parts.tree);
  elsewhere.set('at', {
    message: '"at" is of one event, and a match has several',
    hint: `name the step, as in ${first?.name ?? 'step'}.last.at`,
  });
  for (const { name, event, kind } of steps) {
    for (const column of event.table.columns.keys()) {
      if (elsewhere.has(column) || kind === 'absence' || keys.some((key) => key.name === column)) continue;
      const message = `"${column}" is a column, and a match has several events`;
      elsewhere.set(column, { message, hint: `name the step, as in ${name}.last.${column}` });
    }
  }
  return { ...scopeOf(draft, parts), whole: true, keys, elsewhere };
}

function scopeOf(draft: Draft, { tree, aggregates }: ScopeParts): Pick<MatchScope, 'steps' | 'aggregate'> {
  const steps = new Map<string, StepScope>();
  for (const { kind, name, step, event, single } of tree.steps) {
    if (kind === 'step') steps.set(name, { name, step, columns: draft.columns(event.table), single });
  }
  return { steps, aggregate: (wanted) => aggregates.index(wanted) };
}

function nodesElsewhere({ steps, groups }: StepTree): Elsewhere {
  const elsewhere: Elsewhere = new Map();
  for (const { name, kind } of steps) {
    if (kind === 'absence')
      elsewhere.set(name, { message: `step "${name}" is an absence: it takes nothing` });
  }
  for (const { name, elements } of groups) {
    const hint = `name one of its steps, as in ${elements[0]?.name ?? 'step'}`;
    elsewhere.set(name, { message: `"${name}" is a group, and not a step`, hint });
  }
  return elsewhere;
}

/** How a step says what a `let` says of a whole match. */
function instead(value: AggregateSpec | string): string {
  if (typeof value === 'string') return `write what it says: ${value}`;
  const [entry] = Object.entries(value);
  return entry === undefined || entry[0] === 'changed'
    ? 'judge it in the when of the pattern'
    : `use ${entry[0]}(${entry[1]})`;
}

/** The text of a column of the key, as PostgreSQL wrote it; null: the key has no such column. */
export function keyText({ keys }: MatchScope, name: string): Expression | null {
  const key = keys.find((one) => one.name === name);
  return key === undefined ? null : compileCell(key.origin, key.type).text;
}

/** The columns of the key by the first step's names. */
function keyVariables(draft: Draft, { by, columns }: CheckedInputs, { steps }: StepTree): KeyVariable[] {
  return (by ?? []).flatMap((name, index): KeyVariable[] => {
    const takes = steps.flatMap(({ kind, step, event }) => {
      const column = draft.indexes(event.table, [columns[step]?.[index] ?? ''])[0] ?? -1;
      return kind === 'absence' || column < 0 ? [] : [{ step, column }];
    });
    const [first] = takes;
    const table = first === undefined ? undefined : steps[first.step]?.event.table;
    const plan = table === undefined || first === undefined ? undefined : draft.columns(table)[first.column];
    if (plan === undefined) return [];
    return [{ name, type: plan.type, origin: { kind: 'key', takes, pgType: plan.pgType } }];
  });
}
