import type { Cell } from '../../../src/events/row.ts';
import type { AggregatePlan } from '../../../src/rules/pattern-plan.ts';
import type { MatchView, Value } from '../../../src/rules/plan-parts.ts';
import type { Scene } from './scene.ts';
import type { Take } from './unfold.ts';

/** What conditions see of these takes: counted and added anew each time, in doubles. */
export function viewOf({ plan, events }: Scene, takes: readonly Take[]): MatchView {
  const taken = (step: number) =>
    takes.flatMap((take) => (take.step === step ? (events[take.row]?.row ?? []) : []));
  const aggregate = (index: number): Value => {
    const wanted = plan.aggregates[index];
    if (wanted === undefined) throw new Error(`${plan.id} has no aggregate ${index}`);
    const cells = taken(wanted.step).map(({ cells }) => cells[wanted.column] ?? null);
    return aggregated(wanted, cells);
  };
  return {
    count: (step) => taken(step).length,
    first: (step) => taken(step)[0] ?? null,
    last: (step) => taken(step).at(-1) ?? null,
    aggregate,
    told: aggregate,
  };
}

/** Of a step that took nothing, or nothing but unknowns, count and sum are 0, the others unknown. */
function aggregated({ fn }: AggregatePlan, cells: readonly Cell[]): Value {
  const known = cells.filter((cell): cell is string => typeof cell === 'string');
  if (fn === 'distinct') return new Set(known).size;
  const numbers = known.map(Number);
  const sum = numbers.reduce((total, number) => total + number, 0);
  if (fn === 'sum') return sum;
  if (numbers.length === 0) return null;
  if (fn === 'avg') return sum / numbers.length;
  return fn === 'min' ? Math.min(...numbers) : Math.max(...numbers);
}
