import type { Row } from '../events/row.ts';
import type { Value } from '../rules/plan-parts.ts';
import { exactLets } from './exact-lets.ts';
import type { RuleProgram } from './program.ts';
import type { RowContext } from './row-context.ts';

/** A rule's verdict on a row that it hit. */
export interface Judgement {
  readonly rule: RuleProgram;
  /** The text of the rule's key; null where it has none, or it is NULL. */
  readonly key: string | null;
  /** By index of the rule's `let`, as they are told: with every digit. */
  readonly lets: readonly Value[];
  readonly silenced: boolean;
}

/** Whether the row is judged by the rule in this partition: where the rule's key lives, or at home without one. */
export function isHere({ routing }: RuleProgram, context: RowContext): boolean {
  const { roles } = context.row;
  if (routing === null || context.key(routing.slot) === null) return (roles & 1) !== 0;
  return (roles & routing.bit) !== 0;
}

/** null: the rule does not fire. Throws what its conditions throw. */
export function judge(rule: RuleProgram, context: RowContext): Judgement | null {
  const { plan, routing } = rule;
  if (!context.bears(plan.eventIndex)) return null;
  const key = routing === null ? null : context.key(routing.slot);
  const frame = context.frame(rule);
  const { lets } = frame;
  for (let i = 0; i < plan.lets.length; i++) {
    const item = plan.lets[i];
    const window = rule.windows[i];
    if (item?.kind === 'cel') lets[i] = item.value(frame);
    else if (window !== null && window !== undefined && key !== null) lets[i] = context.window(window);
  }
  if (plan.when !== null && plan.when(frame) !== true) return null;
  if (plan.unless !== null && plan.unless(frame) === true) return null;
  const told = exactLets(rule, lets, context);
  return { rule, key, lets: told, silenced: key !== null && coolsDown(rule, context) };
}

/**
 * Whether a cooldown keeps the rule's actions silent; if not, one begins. One that ended at or before W is over
 * for every row, also for late ones: so it may be forgotten then.
 */
function coolsDown({ plan, routing, cooldownSlot }: RuleProgram, context: RowContext): boolean {
  if (plan.cooldown === null || routing === null) return false;
  const key = context.key(cooldownSlot);
  if (key === null) return false;
  const { row } = context;
  const bucket = context.bucket(routing);
  const until = bucket.cooldowns.get(plan.id)?.until.get(key);
  const now = believable(row);
  if (until !== undefined && now < until && until > row.watermark) return true;
  bucket.cooldownsOf(plan.id).start(key, now + plan.cooldown.forMicros);
  context.touch(bucket);
  return false;
}

/** A time that cannot be (infinite, or too far ahead) must not silence a rule for years: the commit time stands in. */
function believable(row: Row): number {
  const possible = Number.isFinite(row.at) && !(row.late && row.at > row.watermark);
  return possible ? row.at : row.commitAt;
}
