import type { PatternLetPlan } from '../../rules/pattern-plan.ts';
import type { Value } from '../../rules/plan-parts.ts';
import type { Definition } from './definition.ts';
import { type Partial, takesOf } from './partial.ts';
import type { Sink } from './sink.ts';

/** The `let` values of a whole match; null: `when` or `unless` refuses it, or one of them threw. */
export function judge(definition: Definition, last: Partial, sink: Sink | null): readonly Value[] | null {
  const { plan, match, asked } = definition;
  match.partial = last;
  const lets: Value[] = [];
  const frame = { row: last.row, lets, lists: asked.lists, match };
  let name = 'let';
  try {
    for (const item of plan.lets) {
      name = item.name;
      lets.push(item.kind === 'cel' ? item.value(frame) : changed(item, last));
    }
    name = 'when';
    if (plan.when !== null && plan.when(frame) !== true) return null;
    name = 'unless';
    return plan.unless !== null && plan.unless(frame) === true ? null : lets;
  } catch (error) {
    sink?.failed({ name, error, row: last.row });
    return null;
  }
}

/** Whether two events differ in the column. What is unknown differs from nothing. */
function changed({ columns }: PatternLetPlan & { kind: 'changed' }, last: Partial): boolean {
  let seen: string | null = null;
  for (const { step, row } of takesOf(last)) {
    const column = columns[step] ?? null;
    const cell = column === null ? null : row.cells[column];
    if (typeof cell !== 'string') continue;
    if (seen !== null && seen !== cell) return true;
    seen = cell;
  }
  return false;
}
