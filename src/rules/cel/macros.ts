import type { Expression, Frame, Value, ValueType } from '../plan-parts.ts';
import { asBool, asList, type Compiled, compiled } from './compiled.ts';
import type { MacroName } from './term.ts';

/**
 * The variable of a list macro, while the macro runs. Conditions are evaluated one at a time and wait for
 * nothing, so one place a macro is enough.
 */
export interface Local {
  readonly type: ValueType;
  value: Value;
}

export interface Macro {
  readonly name: MacroName;
  readonly list: Compiled;
  readonly local: Local;
  readonly predicate: Compiled | null;
  readonly result: Compiled | null;
}

/** `all` and `exists` are SQL's AND and OR over the elements; `filter` and `map` keep what is true, as WHERE. */
export function compileMacro(macro: Macro, type: ValueType): Compiled {
  const throws = macro.list.throws || (macro.predicate?.throws ?? false) || (macro.result?.throws ?? false);
  return compiled(type, runOf(macro), throws);
}

function runOf({ name, list, local, predicate, result }: Macro): Expression {
  const items = asList(list);
  const test = predicate === null ? () => true : asBool(predicate);
  switch (name) {
    case 'all':
      return quantifier(items, local, test, false);
    case 'exists':
      return quantifier(items, local, test, true);
    case 'exists_one':
      return existsOne(items, local, test);
    case 'map':
    case 'filter':
      return select(items, local, test, result?.run ?? null);
  }
}

type Items = (frame: Frame) => readonly Value[] | null;
type Test = (frame: Frame) => boolean | null;
type Step = [Local, Test];

/** An element that decides silences an error of another, as in CEL. */
function quantifier(items: Items, ...[local, test, decides]: [...Step, boolean]): Expression {
  return (frame) => {
    const all = items(frame);
    if (all === null) return null;
    let found: boolean | null = !decides;
    let failed: unknown;
    for (const item of all) {
      local.value = item;
      try {
        const answer = test(frame);
        if (answer === decides) return decides;
        if (answer === null) found = null;
      } catch (error) {
        failed ??= error;
      }
    }
    if (failed !== undefined) throw failed;
    return found;
  };
}

function existsOne(items: Items, ...[local, test]: Step): Expression {
  return (frame) => {
    const all = items(frame);
    if (all === null) return null;
    let count = 0;
    let unknown = false;
    for (const item of all) {
      local.value = item;
      const answer = test(frame);
      if (answer === true) count += 1;
      if (answer === null) unknown = true;
    }
    if (count > 1) return false;
    return unknown ? null : count === 1;
  };
}

function select(items: Items, ...[local, test, result]: [...Step, Expression | null]): Expression {
  return (frame) => {
    const all = items(frame);
    if (all === null) return null;
    const kept: Value[] = [];
    for (const item of all) {
      local.value = item;
      if (test(frame) === true) kept.push(result === null ? item : result(frame));
    }
    return kept;
  };
}
