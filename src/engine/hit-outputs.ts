import type { ScoredHit } from './contributions.ts';
import { alertIdOf, blockOf, eventsJson, subjectJson } from './evidence.ts';
import type { Judgement } from './judge.ts';
import { alertWebhooks, messageText, toldLets } from './message.ts';
import type { Alert, Block, Hit, Outputs } from './outputs.ts';
import type { RowContext } from './row-context.ts';
import { cutMessage } from './text.ts';

/** Puts out what a hit does, unless a cooldown keeps it silent, and returns what it adds to the row's decision. */
export function act(judgement: Judgement, context: RowContext, outputs: Outputs): ScoredHit {
  const hit = hitOf(judgement, context);
  outputs.hits.push(hit);
  if (hit.silenced) return { ...hit, flags: false };
  const alert = alertOf(judgement, context);
  if (alert !== null) outputs.alerts.push(alert);
  const block = ruleBlockOf(judgement, context);
  if (block !== null) outputs.blocks.push(block);
  return { ...hit, flags: judgement.rule.plan.actions.some(({ kind }) => kind === 'flag') };
}

/** What a hit is to metrics, replay and decisions. */
function hitOf(judgement: Judgement, { row }: RowContext): Hit {
  const { plan } = judgement.rule;
  const { position, at } = row;
  const { silenced } = judgement;
  return {
    rule: plan.id,
    mode: plan.mode,
    position,
    at,
    score: plan.score,
    let: toldLets(plan.lets, judgement.lets),
    silenced,
  };
}

/** The alert of a hit whose actions are not silent; null where the rule makes none. */
function alertOf(judgement: Judgement, context: RowContext): Alert | null {
  const { plan } = judgement.rule;
  const webhooks = alertWebhooks(plan.actions);
  if (webhooks === null) return null;
  const { row, table } = context;
  const { position, at, commitAt } = row;
  const subject = plan.by?.columns ?? table.plan.id;
  return {
    alertId: alertIdOf({ rule: plan.id, key: judgement.key ?? '', position, mode: plan.mode }),
    rule: plan.id,
    kind: 'rule',
    severity: plan.severity,
    subjectJson: subjectJson(table.plan, subject, row),
    message: messageOf(judgement, context),
    at,
    commitAt,
    position,
    eventsJson: eventsJson(table.plan, plan.event, row),
    detailsJson: detailsOf(judgement, row.late),
    mode: plan.mode,
    webhooks: plan.mode === 'live' ? webhooks : [],
  };
}

/** The block of a hit whose actions are not silent; null where there is none to make. */
function ruleBlockOf({ rule: { plan } }: Judgement, { row }: RowContext): Block | null {
  if (plan.mode !== 'live' || plan.block === null) return null;
  if (!plan.actions.some(({ kind }) => kind === 'block')) return null;
  const block = blockOf(plan.block, row);
  return block === null ? null : { ...block, reason: plan.id };
}

function messageOf({ rule: { plan }, lets }: Judgement, { row, lists }: RowContext): string {
  if (plan.message === null) return cutMessage(plan.description ?? plan.id);
  return messageText(plan.message, { row, lets, lists }, { plans: plan.lets, values: lets });
}

function detailsOf(judgement: Judgement, late: boolean): string {
  const { rule, key } = judgement;
  const details = { score: rule.plan.score, key, let: toldLets(rule.plan.lets, judgement.lets) };
  return JSON.stringify(late ? { ...details, late } : details);
}
