import type { Letter } from '../events/row.ts';
import { contributionsOf } from './contributions.ts';
import { letterOf } from './dead-letters.ts';
import { act } from './hit-outputs.ts';
import { judge } from './judge.ts';
import type { Outputs, Replay } from './outputs.ts';
import type { RuleProgram } from './program.ts';
import type { RowContext } from './row-context.ts';
import { reachesForgotten } from './windows/range.ts';

/**
 * A dead letter's row comes again, for the rule that had failed on it: judged as a late row is, by what the windows
 * still hold as of its own time. Its alert has the id that it would have had, and its decision counts a rule once: so
 * twice is once.
 */
export function judgeAgain({ id, rule }: Letter, context: RowContext, outputs: Outputs): void {
  const program = context.table.rules.find(({ plan }) => plan.id === rule);
  if (program === undefined) throw new Error(`dead letter ${id} is of rule ${rule}, which the plan lacks`);
  outputs.replays.push({ letter: id, outcome: outcomeOf(program, context, outputs) });
}

function outcomeOf(rule: RuleProgram, context: RowContext, outputs: Outputs): Replay['outcome'] {
  try {
    const judgement = judge(rule, context);
    if (judgement === null) return hasForgotten(rule, context) ? 'forgotten' : 'no hit';
    const hit = act(judgement, context, outputs);
    for (const part of contributionsOf([hit], context)) outputs.decisions.push({ ...part, once: true });
    return judgement.silenced ? 'silenced' : 'hit';
  } catch (error) {
    outputs.deadLetters.push(letterOf({ rule: rule.plan.id, event: rule.plan.event, error }, context));
    return 'failed again';
  }
}

/** Whether a window of the rule reaches further back than its rows are kept. */
function hasForgotten({ windows }: RuleProgram, { row }: RowContext): boolean {
  return windows.some((window) => window !== null && reachesForgotten(window, row));
}
