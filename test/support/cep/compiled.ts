import { compileRules } from '../../../src/rules/compile-rules.ts';
import type { PatternPlan } from '../../../src/rules/pattern-plan.ts';
import type { Plan } from '../../../src/rules/plan.ts';
import { formatProblem } from '../../../src/rules/problem.ts';

export interface Compiled {
  readonly plan: Plan;
  /** The first pattern. */
  readonly pattern: PatternPlan;
}

/** Rules as the loader makes them of a file's text. Warnings are nothing. */
export function compiled(text: string): Compiled {
  const { plan, problems } = compileRules([{ name: 'p.yaml', text }], null);
  const pattern = plan?.patterns[0];
  if (plan === null || pattern === undefined) {
    throw new Error(`the loader refuses it:\n${problems.map(formatProblem).join('\n')}\n${text}`);
  }
  return { plan, pattern };
}
