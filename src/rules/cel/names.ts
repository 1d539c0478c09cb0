import { nearest } from '../nearest.ts';
import type { CelNode } from './cel-js.ts';
import { mistake, type Resolution, report } from './resolution.ts';
import type { Variable } from './scope.ts';
import type { Term } from './term.ts';

export type Holder = 'row' | 'old' | 'lists';
const HOLDERS: readonly Holder[] = ['row', 'old', 'lists'];

/** What has fields; null: the node is none of them. */
export function holderOf(node: CelNode, to: Resolution): Holder | null {
  if (node.op !== 'id' || to.locals.has(node.args)) return null;
  return HOLDERS.find((holder) => holder === node.args) ?? null;
}

/** A name that stands alone. */
export function resolveName(node: CelNode, name: string, to: Resolution): Term {
  if (to.locals.has(name)) return { kind: 'local', node, name };
  const variable = to.scope.names.get(name);
  if (variable !== undefined) return { kind: 'variable', node, variable };
  const said = ofMatch(name, to);
  if (said !== null) return mistake(node, to, said.message, said.hint);
  if (name === 'row' || name === 'old') {
    return mistake(node, to, `${name} is not a value: name one of its columns`, `${name}.column`);
  }
  if (name === 'lists') return mistake(node, to, 'lists is not a value: name a list', 'x in lists.NAME');
  if (to.scope.lists.has(name))
    return mistake(node, to, `unknown name ${quote(name)}`, `the list is lists.${name}`);
  const names = [...to.locals, ...to.scope.names.keys(), ...(to.scope.match?.steps.keys() ?? [])];
  return mistake(node, to, `unknown name ${quote(name)}`, meant(nearest(name, names)));
}

/** What is said of a name that is something in a pattern, and no value here. */
function ofMatch(name: string, { scope: { match } }: Resolution): { message: string; hint?: string } | null {
  const step = match?.steps.get(name);
  if (step === undefined) return match?.elsewhere.get(name) ?? null;
  const hint = `${name}.first.${step.columns[0]?.name ?? 'at'}, or count(${name})`;
  return { message: `${name} is a step: name a column of what it took`, hint };
}

export interface Field {
  readonly holder: Holder;
  readonly name: string;
  /** Offsets of the name and of its holder. */
  readonly at: number;
  readonly holderAt: number;
}

/** `row.x`, `row["x"]`, `old.x`, `lists.x`. */
export function resolveField(node: CelNode, field: Field, to: Resolution): Term {
  const { holder, name, at } = field;
  if (to.scope.match?.whole === true && holder !== 'lists') {
    report(
      to,
      field.holderAt,
      `${holder}: a match has several rows`,
      `name the step, as in ${someStep(to)}.last.${name}`,
    );
    return { kind: 'mistake', node, parts: [] };
  }
  const names = fieldsOf(holder, to);
  const variable = names?.get(name);
  if (variable !== undefined) return { kind: 'variable', node, variable };
  if (names === null) {
    report(
      to,
      field.holderAt,
      'old: rows of this event have no old row',
      'give the event ops: [update] or [delete]',
    );
  } else {
    const found = nearest(name, names.keys());
    const what = holder === 'lists' ? 'list' : 'column';
    report(to, at, `unknown ${what} ${quote(name)}`, meant(found === null ? null : written(holder, found)));
  }
  return { kind: 'mistake', node, parts: [] };
}

function someStep({ scope: { match } }: Resolution): string {
  return [...(match?.steps.keys() ?? [])][0] ?? 'step';
}

function fieldsOf(holder: Holder, { scope }: Resolution): ReadonlyMap<string, Variable> | null {
  if (holder !== 'lists') return scope[holder];
  return new Map(
    [...scope.lists.keys()].map((name) => [
      name,
      { name, type: { list: 'string' }, origin: { kind: 'list', name } },
    ]),
  );
}

function meant(found: string | null): string | undefined {
  return found === null ? undefined : `did you mean ${found}?`;
}

function written(holder: Holder, name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? `${holder}.${name}` : `${holder}[${quote(name)}]`;
}

function quote(name: string): string {
  return JSON.stringify(name);
}
