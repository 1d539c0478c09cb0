import { nearest } from '../nearest.ts';
import { typeName } from '../value-type.ts';
import type { CelNode } from './cel-js.ts';
import {
  AGGREGATE_FUNCTIONS,
  type AggregateFunction,
  aggregateType,
  type StepScope,
  type Which,
} from './match-scope.ts';
import { mistake, type Resolution } from './resolution.ts';
import type { Origin } from './scope.ts';
import type { Term } from './term.ts';

/** The step that a node names; null: it names none. */
export function stepOf(node: CelNode, to: Resolution): StepScope | null {
  if (node.op !== 'id' || to.locals.has(node.args)) return null;
  return to.scope.match?.steps.get(node.args) ?? null;
}

/** `login.first.country`, `login.last["Odd name"]`, `login.country`; null: it is about no step. */
export function resolveStepField(node: CelNode, to: Resolution): Term | null {
  const field = fieldOf(node);
  if (field === null) return null;
  const step = stepOf(field.of, to);
  if (step !== null) {
    if (isWhich(field.name) && !field.quoted) return unfinished(node, step, to);
    if (step.single) return take(node, { step, which: 'first', ...field }, to);
    const [first, last] = ['first', 'last'].map((which) => `${step.name}.${which}.${field.name}`);
    return mistake(node, to, `${step.name} may take several events`, `${first} or ${last}`);
  }
  const inner = fieldOf(field.of);
  const holder = inner === null || inner.quoted || !isWhich(inner.name) ? null : stepOf(inner.of, to);
  if (holder === null || inner === null) return null;
  return take(node, { step: holder, which: inner.name as Which, ...field }, to);
}

function unfinished(node: CelNode, step: StepScope, to: Resolution): Term {
  const column = step.columns[0]?.name ?? 'column';
  return mistake(node, to, 'an event is not a value: name a column of it', `${step.name}.first.${column}`);
}

interface Field {
  readonly of: CelNode;
  readonly name: string;
  /** In brackets: always a column. */
  readonly quoted: boolean;
  /** Offset of the name. */
  readonly at: number;
}

function fieldOf(node: CelNode): Field | null {
  if (node.op === '.') return { of: node.args[0], name: node.args[1], quoted: false, at: node.pos };
  if (node.op !== '[]') return null;
  const [of, index] = node.args;
  if (index.op !== 'value' || typeof index.args !== 'string') return null;
  return { of, name: index.args, quoted: true, at: index.pos };
}

function isWhich(name: string): name is Which {
  return name === 'first' || name === 'last';
}

interface Taken extends Omit<Field, 'of'> {
  readonly step: StepScope;
  readonly which: Which;
}

function take(node: CelNode, { step, which, name, quoted, at }: Taken, to: Resolution): Term {
  if (name === 'at' && !quoted) {
    const origin: Origin = { kind: 'take_at', step: step.step, which };
    return { kind: 'variable', node, variable: { name, type: 'timestamp', origin } };
  }
  const column = columnOf(step, { name, at }, to);
  if (column === null) return { kind: 'mistake', node, parts: [] };
  const { type, pgType } = step.columns[column] as StepScope['columns'][number];
  const origin: Origin = { kind: 'take', step: step.step, which, column, pgType };
  return { kind: 'variable', node, variable: { name, type, origin } };
}

/** The index; null: told. */
function columnOf(
  step: StepScope,
  { name, at }: { readonly name: string; readonly at: number },
  to: Resolution,
): number | null {
  const column = step.columns.findIndex((one) => one.name === name);
  if (column >= 0) return column;
  const near = nearest(
    name,
    step.columns.map((one) => one.name),
  );
  const hint = near === null ? {} : { hint: `did you mean ${near}?` };
  to.problems.push({
    offset: at,
    message: `unknown column ${JSON.stringify(name)} of step ${step.name}`,
    ...hint,
  });
  return null;
}

/** `count(login)`, `sum(large_transfer.amount)`; null: it is a call of something else. */
export function resolveAggregate(
  node: CelNode,
  { name, args }: { readonly name: string; readonly args: readonly CelNode[] },
  to: Resolution,
): Term | null {
  if (to.scope.match === null || !isAggregate(name)) return null;
  const [arg] = args;
  if (arg === undefined || args.length > 1) return plain(name) ? null : usage(node, name, to);
  const field = fieldOf(arg);
  const of = field === null ? null : stepOf(field.of, to);
  if (name === 'count') {
    const step = stepOf(arg, to);
    if (step !== null) return count(node, step);
    return of === null ? (missingStep(arg, to) ?? usage(node, name, to)) : usage(node, name, to, of.name);
  }
  if (field !== null && of !== null) return aggregate(node, { fn: name, step: of, field }, to);
  return missingStep(field?.of ?? arg, to) ?? usage(node, name, to);
}

function isAggregate(name: string): name is AggregateFunction | 'count' {
  return name === 'count' || AGGREGATE_FUNCTIONS.some((fn) => fn === name);
}

/** These are also functions of several numbers. */
function plain(name: string): boolean {
  return name === 'min' || name === 'max';
}

function usage(node: CelNode, name: string, to: Resolution, step?: string): Term {
  const some = step ?? [...(to.scope.match?.steps.keys() ?? [])][0] ?? 'step';
  const shown = name === 'count' ? `count(${some})` : `${name}(${some}.column)`;
  const what = name === 'count' ? 'a step' : 'a column of a step';
  return mistake(node, to, `${name}() takes ${what}`, `as in ${shown}`);
}

/** A name that is no step. */
function missingStep(node: CelNode, to: Resolution): Term | null {
  if (node.op !== 'id' || stepOf(node, to) !== null || to.scope.names.has(node.args)) return null;
  const told = to.scope.match?.elsewhere.get(node.args);
  if (told !== undefined) return mistake(node, to, told.message, told.hint);
  const near = nearest(node.args, to.scope.match?.steps.keys() ?? []);
  return mistake(
    node,
    to,
    `there is no step ${JSON.stringify(node.args)}`,
    near === null ? undefined : `did you mean ${near}?`,
  );
}

function count(node: CelNode, { step, name }: StepScope): Term {
  return { kind: 'variable', node, variable: { name, type: 'double', origin: { kind: 'count', step } } };
}

interface Aggregated {
  readonly fn: AggregateFunction;
  readonly step: StepScope;
  readonly field: Field;
}

function aggregate(node: CelNode, { fn, step, field }: Aggregated, to: Resolution): Term {
  const column = columnOf(step, field, to);
  if (column === null) return { kind: 'mistake', node, parts: [] };
  const { name, type, pgType } = step.columns[column] as StepScope['columns'][number];
  const result = aggregateType(fn, type);
  if (result === null) {
    const needs = fn === 'sum' || fn === 'avg' ? 'a number' : 'a number or a timestamp';
    return mistake(node, to, `${fn} needs ${needs}, and ${name} is ${pgType} (${typeName(type)})`);
  }
  const origin: Origin = { kind: 'aggregate', fn, step: step.step, column, type, pgType };
  return { kind: 'variable', node, variable: { name, type: result, origin } };
}
