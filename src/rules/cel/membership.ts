import type { Expression, Frame, ListEntries, Value, ValueType } from '../plan-parts.ts';
import { formatValue } from '../value-format.ts';
import { compileComparison, equalValues } from './comparison.ts';
import { asBool, asList, type Compiled, compiled } from './compiled.ts';

/** SQL's IN: true where an element is equal, else unknown where one comparison is, else false. */
export function compileInItems(left: Compiled, items: readonly Compiled[]): Compiled {
  const throws = left.throws || items.some((item) => item.throws);
  const values = constantsOf(items);
  if (values !== null && typeof left.type === 'string')
    return compiled('bool', inConstants(left, values), throws);
  const tests = items.map((item) => asBool(compileComparison('==', left, item)));
  // As in CEL, an element that throws throws for the whole list.
  const all = items.some((item) => item.throws);
  const run: Expression = (frame) => {
    let [found, unknown] = [false, false];
    for (const test of tests) {
      const equal = test(frame);
      if (equal === true && !all) return true;
      found ||= equal === true;
      unknown ||= equal === null;
    }
    return found || (unknown ? null : false);
  };
  return compiled('bool', run, throws);
}

function constantsOf(items: readonly Compiled[]): ReadonlySet<Value> | null {
  const values = new Set<Value>();
  for (const { constant } of items) {
    if (constant === null || constant.value === null) return null;
    values.add(constant.value);
  }
  return values;
}

function inConstants({ run }: Compiled, values: ReadonlySet<Value>): Expression {
  if (values.size === 0) return () => false;
  return (frame) => {
    const value = run(frame);
    return value === null ? null : values.has(value);
  };
}

/** In a list that rows bring: an array column, a split text. Whole numbers of columns by their texts. */
export function compileInList(left: Compiled, list: Compiled): Compiled {
  const texts = left.exact && list.exact ? list.texts : null;
  const items: (frame: Frame) => readonly Value[] | null = texts ?? asList(list);
  const value = texts === null ? left.run : (left.text ?? left.run);
  const run: Expression = (frame) => {
    const all = items(frame);
    if (all === null) return null;
    const wanted = value(frame);
    let found: boolean | null = false;
    for (const item of all) {
      const equal = equalValues(wanted, item);
      if (equal === true) return true;
      if (equal === null) found = null;
    }
    return found;
  };
  return compiled('bool', run, left.throws || list.throws);
}

const written = new WeakMap<ListEntries, readonly string[]>();

/** `lists.NAME` as a value: its entries, written out once a batch and not once a row. */
export function compileNamedList(list: number, type: ValueType): Compiled {
  const run: Expression = ({ lists }) => {
    const entries = lists[list] as ListEntries;
    let all = written.get(entries);
    if (all === undefined) {
      all = [...entries.values()];
      written.set(entries, all);
    }
    return all;
  };
  return compiled(type, run, false);
}

/** `x in lists.NAME`: a column by its exact text, any other value by its canonical one. `list`: index in `Frame.lists`. */
export function compileInNamedList(left: Compiled, list: number): Compiled {
  const { run: value, text, type } = left;
  const run: Expression =
    text !== null
      ? (frame) => {
          const cell = text(frame);
          return cell === null ? null : (frame.lists[list] as ListEntries).has(cell);
        }
      : (frame) => {
          const known = value(frame);
          return known === null ? null : (frame.lists[list] as ListEntries).has(formatValue(known, type));
        };
  return compiled('bool', run, left.throws);
}
