import type { Draft } from './draft.ts';
import type { StepNode, StepTree } from './pattern-steps.ts';
import type { Part, RuleSet } from './rule-set.ts';
import type { PatternSpec } from './schema.ts';

interface ScoreParts {
  readonly tree: StepTree;
  readonly set: RuleSet;
  /** The number of the step of that name; null: told. */
  readonly named: (step: string) => number | null;
}

/** The steps that a score may be added to; empty where there is none. */
export function checkScore(draft: Draft, { spec, spot }: Part<PatternSpec>, parts: ScoreParts): number[] {
  const { tree, set, named } = parts;
  const { score, score_on: on } = spec;
  if (on !== undefined) {
    const at = spot.in('score_on');
    if (score === undefined && !spot.keys.includes('score')) {
      draft.problems.warning(at.key, '"score_on" does nothing without "score"', 'write score: 50');
    }
    const step = tree.steps[named(on) ?? -1];
    if (step === undefined || scored(step, set))
      return step === undefined || score === undefined ? [] : [step.step];
    const event = step.event.table.event;
    const message = `step "${on}" is over ${step.event.name}, and event "${event}" has no scoring`;
    draft.problems.error(at.place, message, hint(event));
    return [];
  }
  if (score === undefined) return [];
  const found = tree.steps.filter((step) => step.kind === 'step' && scored(step, set));
  if (found.length === 0 && tree.complete) {
    const event = tree.steps.find(({ kind }) => kind === 'step')?.event.table.event ?? 'transaction';
    const message = 'no step is over an event that has scoring: there is no decision to add this score to';
    draft.problems.error(spot.in('score').place, message, hint(event));
  }
  return found.map(({ step }) => step);
}

/** A part of the rules that could not be read may hold it. */
function scored({ event }: StepNode, { scoring, incomplete }: RuleSet): boolean {
  return incomplete || scoring.has(event.table.event);
}

function hint(event: string): string {
  return `write scoring: { ${event}: { bands: { flag: 50, block: 100 } } }`;
}
