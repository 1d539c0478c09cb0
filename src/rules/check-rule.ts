import { checkActions, checkBlock } from './check-actions.ts';
import { checkColumns, planBy } from './check-by.ts';
import { checkBool } from './check-condition.ts';
import { type EventInfo, unknownEvent } from './check-events.ts';
import { checkGuard } from './check-guard.ts';
import { checkKey, type Keyed } from './check-key.ts';
import { type CheckedLet, type CheckedLets, checkLets, mentions } from './check-lets.ts';
import { checkMessage } from './check-message.ts';
import { planWindow } from './check-windows.ts';
import type { Draft } from './draft.ts';
import { parseDuration } from './duration.ts';
import type { LetPlan, RulePlan } from './plan.ts';
import type { Condition } from './plan-parts.ts';
import type { Part } from './rule-set.ts';
import type { RuleSpec } from './schema.ts';

/** A rule, checked and planned; null: it has mistakes (told), or its event has. */
export function checkRule(draft: Draft, part: Part<RuleSpec>): RulePlan | null {
  const { spec, spot } = part;
  const event = draft.world.events.get(spec.event);
  if (event === undefined) {
    unknownEvent(spec.event, spot.in('event').place, { ...draft.world, problems: draft.problems });
    return null;
  }
  const eventIndex = draft.eventIndex(event);
  const effects = checkEffects(draft, part, event);
  const checked = checkLets(draft, part, event);
  const { lets } = checked;
  const cooldown = checkCooldown(draft, part, event);
  const conditions = checkConditions(draft, part, { event, ...checked });
  const message = checkRuleMessage(draft, part, { event, ...checked });
  const guard = checkGuard(draft, part, { event, ...checked });
  const keyed = [...lets.flatMap(keyedWindow), ...(cooldown === null ? [] : [cooldown.keyed])];
  const key = checkKey(draft, part, { event, keyed });
  if (key === undefined || checked.broken.size > 0) return null;
  return {
    id: spec.id,
    description: spec.description ?? null,
    table: draft.world.tables.indexOf(event.table),
    event: event.name,
    eventIndex,
    key: key === null ? null : draft.key(event.table, key),
    by: key === null ? null : planBy(draft, event, key),
    lets: lets.map((one) => planLet(draft, one, { event, key: key ?? [] })),
    ...conditions,
    score: spec.score ?? 0,
    severity: spec.severity ?? 'warning',
    ...effects,
    cooldown:
      cooldown === null
        ? null
        : { by: planBy(draft, event, cooldown.keyed.columns), forMicros: cooldown.forMicros },
    message,
    mode: spec.mode === 'shadow' ? 'shadow' : 'live',
    guard,
  };
}

function keyedWindow(one: CheckedLet): Keyed[] {
  if (one.kind !== 'window') return [];
  return [{ what: `window "${one.name}"`, columns: one.window.by.rule, spot: one.window.spot.in('by') }];
}

function planLet(draft: Draft, one: CheckedLet, rule: { event: EventInfo; key: readonly string[] }): LetPlan {
  if (one.kind === 'cel') return one;
  return { kind: 'window', name: one.name, type: one.type, window: planWindow(draft, one.window, rule) };
}

interface Named extends CheckedLets {
  readonly event: EventInfo;
}

function checkConditions(draft: Draft, { spec, spot }: Part<RuleSpec>, { event, lets, broken }: Named) {
  const check = (key: 'when' | 'unless'): Condition | null => {
    const source = spec[key];
    if (source === undefined || mentions(source, broken)) return null;
    return checkBool(draft, { table: event.table, source, spot: spot.in(key), lets });
  };
  return { when: check('when'), unless: check('unless') };
}

function checkRuleMessage(draft: Draft, { spec, spot }: Part<RuleSpec>, { event, lets, broken }: Named) {
  if (spec.message === undefined || mentions(spec.message, broken)) return null;
  return checkMessage(draft, spec.message, {
    event,
    lets: lets.map(({ name }) => name),
    spot: spot.in('message'),
  });
}

function checkEffects(draft: Draft, { spec, spot }: Part<RuleSpec>, event: EventInfo) {
  const at = spot.in('actions');
  const actions = checkActions(draft, spec.actions ?? [], at);
  const blocking = spec.actions?.indexOf('block') ?? -1;
  const action = blocking < 0 ? null : at.in(blocking);
  return { actions, block: checkBlock(draft, spec.block, { event, spot: spot.in('block'), action }) };
}

function checkCooldown(draft: Draft, { spec, spot }: Part<RuleSpec>, event: EventInfo) {
  if (spec.cooldown === undefined) return null;
  const at = spot.in('cooldown', 'by');
  const columns = checkColumns(draft, spec.cooldown.by, { event, spot: at });
  if (columns === null) return null;
  const keyed: Keyed = { what: 'the cooldown', columns, spot: at };
  return { keyed, forMicros: parseDuration(spec.cooldown.for) ?? 0 };
}
