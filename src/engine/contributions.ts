import { keyText } from '../events/keys.ts';
import type { ScoringPlan } from '../rules/plan.ts';
import type { Mode } from '../rules/plan-parts.ts';
import { blockOf, eventsJson, subjectJson } from './evidence.ts';
import type { Contribution, Hit, Reason } from './outputs.ts';
import type { RowContext } from './row-context.ts';

export interface ScoredHit extends Pick<Hit, 'rule' | 'score' | 'let' | 'mode'> {
  /** One of its actions is `flag`, and it is not silent. */
  readonly flags: boolean;
}

/** The row that a decision is of. */
export type ScoredRow = Pick<RowContext, 'row' | 'table'>;

/** What this partition adds to the decisions of a row: at most one a mode. */
export function contributionsOf(hits: readonly ScoredHit[], context: ScoredRow): Contribution[] {
  const { scoring } = context.table;
  if (scoring === null || hits.length === 0) return [];
  const live = hits.filter(({ mode }) => mode === 'live');
  const made = live.length === 0 ? [] : [contributionOf('live', live, { context, scoring })];
  if (scoring.shadow) made.push(contributionOf('shadow', hits, { context, scoring }));
  return made;
}

function contributionOf(
  mode: Mode,
  hits: readonly ScoredHit[],
  { context, scoring }: { readonly context: ScoredRow; readonly scoring: ScoringPlan },
): Contribution {
  const { row, table } = context;
  return {
    event: table.plan.event,
    entityId: keyText(row.cells, table.plan.id) ?? '',
    position: row.position,
    mode,
    at: row.at,
    commitAt: row.commitAt,
    reasons: hits.map((hit) => reasonOf(hit, row.late)).sort((a, b) => (a.rule < b.rule ? -1 : 1)),
    flag: hits.some(({ flags }) => flags),
    subjectJson: subjectJson(table.plan, table.plan.id, row),
    eventsJson: eventsJson(table.plan, table.plan.event, row),
    block: mode === 'live' && scoring.block !== null ? blockOf(scoring.block, row) : null,
  };
}

function reasonOf({ rule, score, let: named }: ScoredHit, late: boolean): Reason {
  return late ? { rule, score, let: named, late } : { rule, score, let: named };
}
