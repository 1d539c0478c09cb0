import type { Expression, ValueType } from '../plan-parts.ts';
import { asList, asNumber, CelEvaluationError, type Compiled, compiled } from './compiled.ts';

/** From 0; beyond the end is an error, as in CEL. */
export function compileElement(list: Compiled, index: Compiled, type: ValueType): Compiled {
  const [items, place] = [asList(list), asNumber(index)];
  const run: Expression = (frame) => {
    const all = items(frame);
    const at = place(frame);
    if (all === null || at === null) return null;
    const item = all[at];
    if (item === undefined) throw new CelEvaluationError(`element ${at} of a list of ${all.length}`);
    return item;
  };
  return compiled(type, run, true);
}

/** A list that is written out. */
export function compileList(items: readonly Compiled[], type: ValueType): Compiled {
  const runs = items.map(({ run }) => run);
  return compiled(
    type,
    (frame) => runs.map((run) => run(frame)),
    items.some(({ throws }) => throws),
  );
}
