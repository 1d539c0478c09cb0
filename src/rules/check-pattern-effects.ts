import { checkActions } from './check-actions.ts';
import { checkCel, type MatchParts } from './check-condition.ts';
import type { CheckedInputs } from './check-inputs.ts';
import { mentions } from './check-lets.ts';
import { checkTemplate } from './check-message.ts';
import type { CheckedPatternLets } from './check-pattern-lets.ts';
import { checkScore } from './check-pattern-score.ts';
import { checkWhole } from './check-pattern-steps.ts';
import { checkSubjects } from './check-pattern-subjects.ts';
import type { Draft } from './draft.ts';
import { keyText } from './pattern-names.ts';
import type { PatternPlan } from './pattern-plan.ts';
import type { StepTree } from './pattern-steps.ts';
import type { Condition, MessageTemplate } from './plan-parts.ts';
import type { Part, RuleSet } from './rule-set.ts';
import type { PatternSpec } from './schema.ts';
import { stepNamed } from './step-named.ts';
import type { Spot } from './yaml-document.ts';

interface Judged {
  readonly lets: CheckedPatternLets;
  readonly whole: MatchParts;
}

/** The conditions of a whole match. */
export function checkJudged(draft: Draft, { spec, spot }: Part<PatternSpec>, { lets, whole }: Judged) {
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

/** What is done with a match, or with what ran out of time. */
export function checkEffects(draft: Draft, part: Part<PatternSpec>, parts: Effects) {
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
      const key = keyText(whole.scope, source);
      if (key !== null) return { kind: 'value', value: key, type: 'string' };
      if (mentions(source, lets.broken) || mentions(source, tree.broken)) return null;
      const parts = { table: null, source, spot, offset, lets: lets.lets, match: whole } as const;
      const result = checkCel(draft, { ...parts, expected: 'any' });
      if (result === null) return null;
      // As PostgreSQL wrote it: 5.00 keeps its digits.
      if (result.text !== null) return { kind: 'value', value: result.text, type: 'string' };
      return { kind: 'value', value: result.told ?? result.run, type: result.type };
    },
  });
}
