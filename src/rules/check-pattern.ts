import { checkActions } from './check-actions.ts';
import { checkCel, type MatchParts } from './check-condition.ts';
import { type CheckedInputs, checkInputs, planInputs } from './check-inputs.ts';
import { mentions } from './check-lets.ts';
import { checkTemplate } from './check-message.ts';
import { type CheckedPatternLets, checkPatternLets } from './check-pattern-lets.ts';
import { checkScore } from './check-pattern-score.ts';
import { checkWhole, planSequence, planSteps } from './check-pattern-steps.ts';
import { checkSubjects } from './check-pattern-subjects.ts';
import { checkSequence } from './check-sequence.ts';
import type { Draft } from './draft.ts';
import { nearest } from './nearest.ts';
import { Aggregates, checkNames, matchScope, stepScope } from './pattern-names.ts';
import type { AfterMatch, PatternPlan } from './pattern-plan.ts';
import { stateOf } from './pattern-state.ts';
import { readSteps, type StepTree } from './pattern-steps.ts';
import { warnOfSequence } from './pattern-warnings.ts';
import type { Condition, MessageTemplate } from './plan-parts.ts';
import { didYouMean } from './problem.ts';
import type { Part, RuleSet } from './rule-set.ts';
import type { PatternSpec } from './schema.ts';
import type { Spot } from './yaml-document.ts';

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

/** The number of a step that takes events; null: told. */
function stepNamed(
  draft: Draft,
  name: string,
  { tree, at }: { readonly tree: StepTree; readonly at: Spot },
): number | null {
  const found = tree.steps.find((one) => one.name === name);
  if (found?.kind === 'step') return found.step;
  if (found === undefined && tree.broken.has(name)) return null;
  const taking = tree.steps.filter(({ kind }) => kind === 'step').map((one) => one.name);
  const group = tree.groups.some((one) => one.name === name);
  const message =
    found !== undefined
      ? `step "${name}" is an absence: it takes nothing`
      : group
        ? `"${name}" is a group, and not a step`
        : `there is no step "${name}"`;
  draft.problems.error(at.place, message, didYouMean(nearest(name, taking)));
  return null;
}

interface Judged {
  readonly lets: CheckedPatternLets;
  readonly whole: MatchParts;
}

function checkJudged(draft: Draft, { spec, spot }: Part<PatternSpec>, { lets, whole }: Judged) {
  const check = (key: 'when' | 'unless'): Condition | null => {
    const source = spec[key];
    if (source === undefined || mentions(source, lets.broken)) return null;
    return checkWhole(draft, source, { spot: spot.in(key), lets: lets.lets, match: whole });
  };
  return { when: check('when'), unless: check('unless') };
}

interface Effects extends Judged {
  readonly tree: StepTree;
  readonly inputs: CheckedInputs | null;
  readonly set: RuleSet;
}

function checkEffects(draft: Draft, part: Part<PatternSpec>, parts: Effects) {
  const { spec, spot } = part;
  const { tree } = parts;
  const named = (name: string) => stepNamed(draft, name, { tree, at: spot.in('score_on') });
  return {
    score: spec.score ?? 0,
    scoreOn: checkScore(draft, part, { tree, set: parts.set, named }),
    severity: spec.severity ?? ('warning' as const),
    actions: checkActions(draft, spec.actions ?? [], spot.in('actions')),
    ...checkSubjects(draft, part, parts),
    message: checkText(draft, spec.message, { ...parts, spot: spot.in('message') }),
    onTimeout: checkTimeout(draft, part, parts),
  };
}

function checkTimeout(
  draft: Draft,
  { spec, spot }: Part<PatternSpec>,
  parts: Effects,
): PatternPlan['onTimeout'] {
  const { on_timeout: asked } = spec;
  if (asked === undefined) return null;
  const at = spot.in('on_timeout');
  const ends = spec.within !== undefined || parts.tree.steps.some((step) => step.spec.within !== undefined);
  if (!ends && parts.tree.complete) {
    draft.problems.warning(at.key, 'without "within" nothing runs out of time', 'write within: 5m');
  }
  const flag = asked.actions?.indexOf('flag') ?? -1;
  if (flag >= 0) {
    const message = 'flag is for matches: what ran out of time has no decision';
    draft.problems.error(at.in('actions', flag).place, message);
  }
  return {
    severity: asked.severity ?? spec.severity ?? 'warning',
    actions: checkActions(draft, asked.actions ?? ['alert'], at.in('actions')),
    message: checkText(draft, asked.message, { ...parts, spot: at.in('message') }),
  };
}

/** `{name}` is a `let`, a column of the key, or CEL over the steps, such as `login.first.country`. */
function checkText(
  draft: Draft,
  text: string | undefined,
  { lets, whole, tree, spot }: Effects & { readonly spot: Spot },
): MessageTemplate | null {
  if (text === undefined) return null;
  return checkTemplate(draft, text, {
    spot,
    piece: (source, offset) => {
      const index = lets.lets.findIndex(({ name }) => name === source);
      if (index >= 0) return { kind: 'let', index };
      if (mentions(source, lets.broken) || mentions(source, tree.broken)) return null;
      const parts = { table: null, source, spot, offset, lets: lets.lets, match: whole } as const;
      const result = checkCel(draft, { ...parts, expected: 'any' });
      if (result === null) return null;
      // As PostgreSQL wrote it: 5.00 keeps its digits.
      if (result.text !== null) return { kind: 'value', value: result.text, type: 'string' };
      return { kind: 'value', value: result.run, type: result.type };
    },
  });
}
