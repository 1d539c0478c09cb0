import { type Micros, SECOND } from '../events/row.ts';
import type { ElementPlan, PatternPlan } from '../rules/pattern-plan.ts';
import type { Plan } from '../rules/plan.ts';

/** How far, in time, a partition without rows may fall behind before it is sent an empty batch, which costs a job. */
const BEHIND = 5 * SECOND;
const BEHIND_WITH_DEADLINES = SECOND;

/** Where something comes out of a pattern by time alone, with no further row, partitions must hear of time soon. */
export function mayFallBehind(plan: Plan): Micros {
  return plan.patterns.some((pattern) => waitsForTime(pattern, plan)) ? BEHIND_WITH_DEADLINES : BEHIND;
}

/** The others only forget by time, which may be a little late. */
function waitsForTime({ emit, inputs, onTimeout, sequence }: PatternPlan, { tables }: Plan): boolean {
  if (onTimeout !== null || emit === 'in_order' || sequence.some(mayHoldAtTheEnd)) return true;
  // Rows of commit time come in order, and are handled as they arrive; others wait until W has passed them.
  return inputs.some(({ table }) => {
    const { time = null, lateness = 0 } = tables[table] ?? {};
    return time !== null || lateness > 0;
  });
}

/** Also one before another step: whether steps after it may all be left out is not asked. */
function mayHoldAtTheEnd(element: ElementPlan): boolean {
  if (element.kind === 'group') return element.elements.some(mayHoldAtTheEnd);
  return element.kind === 'absence' && element.contiguity === 'relaxed';
}
