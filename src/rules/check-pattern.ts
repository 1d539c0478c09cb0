import type { MatchParts } from './check-condition.ts';
import { checkInputs, planInputs } from './check-inputs.ts';
import { checkEffects, checkJudged } from './check-pattern-effects.ts';
import { checkPatternLets } from './check-pattern-lets.ts';
import { planSequence, planSteps } from './check-pattern-steps.ts';
import { checkSequence } from './check-sequence.ts';
import type { Draft } from './draft.ts';
import { Aggregates, checkNames, matchScope, stepScope } from './pattern-names.ts';
import type { AfterMatch, PatternPlan } from './pattern-plan.ts';
import { stateOf } from './pattern-state.ts';
import { readSteps, type StepTree } from './pattern-steps.ts';
import { warnOfSequence } from './pattern-warnings.ts';
import type { Part, RuleSet } from './rule-set.ts';
import type { PatternSpec } from './schema.ts';
import { stepNamed } from './step-named.ts';

/** A pattern, checked and planned; null: it has mistakes (told), or one of its events has. */
export function checkPattern(draft: Draft, part: Part<PatternSpec>, set: RuleSet): PatternPlan | null {
  const { spec } = part;
  const tree = readSteps(draft, part);
  const clashing = new Set([...checkNames(draft, part, tree), ...tree.broken]);
  const within = tree.complete ? checkSequence(draft, part, tree) : null;
  const afterMatch = checkAfterMatch(draft, part, tree);
  const inputs = checkInputs(draft, part, tree);
  const aggregates = new Aggregates();
  const tables = tree.steps.map(({ event }) => event.table);
  const parts = { tree, aggregates };
  const whole: MatchParts = { scope: matchScope(draft, inputs, parts), tables };
  const ofSteps = { tree, match: { scope: stepScope(draft, part, parts), tables }, broken: clashing };
  const steps = planSteps(draft, ofSteps);
  const sequence = planSequence(draft, tree.elements, ofSteps);
  const lets = checkPatternLets(draft, part, { tree, match: whole, broken: clashing });
  const judged = checkJudged(draft, part, { lets, whole });
  const effects = checkEffects(draft, part, { tree, inputs, lets, whole, set });
  if (tree.complete) warnOfSequence(draft, part, { tree, within });
  if (inputs === null || lets.broken.size > 0 || !tree.complete) return null;
  const plan = {
    id: spec.id,
    description: spec.description ?? null,
    by: inputs.by,
    inputs: planInputs(draft, part, inputs.inputs),
    steps,
    sequence,
    within,
    afterMatch,
    emit: spec.emit ?? 'at_once',
    aggregates: aggregates.plans,
    lets: lets.lets,
    ...judged,
    ...effects,
    mode: spec.mode === 'shadow' ? 'shadow' : 'live',
  } as const;
  return { ...plan, state: stateOf(draft, tree, { plan, inputs }) };
}

function checkAfterMatch(draft: Draft, { spec, spot }: Part<PatternSpec>, tree: StepTree): AfterMatch {
  const after = spec.after_match ?? 'skip_past_last';
  if (typeof after === 'string') return { kind: after };
  const at = spot.in('after_match');
  const kinds = ['skip_to_first', 'skip_to_last'] as const;
  const [kind, other] = kinds.filter((one) => after[one] !== undefined);
  const fallback: AfterMatch = { kind: 'skip_past_last' };
  if (kind === undefined || other !== undefined) {
    if (at.keys.length !== 1)
      draft.problems.error(at.place, 'after_match names one step', 'write { skip_to_first: STEP }');
    return fallback;
  }
  const step = stepNamed(draft, after[kind] ?? '', { tree, at: at.in(kind) });
  return step === null ? fallback : { kind, step };
}
