import type { ScoringPlan } from '../../rules/plan.ts';
import { alertIdOf } from '../evidence.ts';
import type { Alert, Block, Contribution } from '../outputs.ts';
import { cutMessage } from '../text.ts';
import type { Band, DecisionState } from './decision.ts';

/** What the bands do that a contribution has taken a decision over: for the commit that did it. */
export function bandActions(
  scoring: ScoringPlan,
  reached: { readonly after: DecisionState; readonly crossed: readonly Band[] },
  contribution: Contribution,
): { readonly alerts: Alert[]; readonly blocks: Block[] } {
  const alerts: Alert[] = [];
  const blocks: Block[] = [];
  for (const band of reached.crossed) {
    const rule = `scoring.${scoring.event}.${band.name}`;
    const acts = new Set(band.actions.map(({ kind }) => kind));
    if (acts.has('alert') || acts.has('webhook'))
      alerts.push(bandAlert(rule, { band, ...reached }, contribution));
    if (acts.has('block') && contribution.mode === 'live' && contribution.block !== null) {
      const scoredBy = reached.after.reasons.map((reason) => reason.rule).join(' + ');
      blocks.push({ ...contribution.block, reason: rule, scoredBy });
    }
  }
  return { alerts, blocks };
}

function bandAlert(
  rule: string,
  { band, after }: { readonly band: Band; readonly after: DecisionState },
  contribution: Contribution,
): Alert {
  const { event, entityId, position, mode, at, commitAt } = contribution;
  const webhooks = band.actions.flatMap((action) => (action.kind === 'webhook' ? [action.name] : []));
  const reasons = after.reasons.map(({ rule, score }) => ({ rule, score }));
  return {
    alertId: alertIdOf({ rule, key: entityId, position, mode }),
    rule,
    kind: 'decision',
    severity: band.actions.some(({ kind }) => kind === 'block') ? 'critical' : 'high',
    subjectJson: contribution.subjectJson,
    message: cutMessage(`${event} ${entityId}: ${band.name}, score ${after.score}`),
    at,
    commitAt,
    position,
    eventsJson: contribution.eventsJson,
    detailsJson: JSON.stringify({ score: after.score, key: entityId, band: band.name, reasons }),
    mode,
    webhooks: mode === 'live' ? webhooks : [],
  };
}
