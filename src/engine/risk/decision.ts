import type { ScoringPlan } from '../../rules/plan.ts';
import type { Contribution, Reason } from '../outputs.ts';
import { ExactSum } from '../windows/exact-sum.ts';

/** The decision of one row in one mode, as far as partitions have added to it. */
export interface DecisionState {
  /** The decimal sum, or the greatest, of the reasons' scores: 0.1 and 0.2 are 0.3. */
  readonly score: number;
  readonly band: string | null;
  /** Sorted by rule. */
  readonly reasons: readonly Reason[];
}

export type Band = ScoringPlan['bands'][number];

const FLAG = 'flag';

/**
 * Adds what one partition found. Scores and bands only rise, whatever order the partitions commit in, so each
 * band is newly reached once.
 */
export function applyContribution(
  scoring: ScoringPlan,
  before: DecisionState | null,
  contribution: Contribution,
): { readonly after: DecisionState; readonly crossed: readonly Band[] } {
  const known = before?.reasons ?? [];
  const added = contribution.once === true ? unknownOf(contribution.reasons, known) : contribution.reasons;
  const reasons = [...known, ...added].sort(byRule);
  const score = combined(scoring, reasons);
  const from = indexOf(scoring, before?.band ?? null);
  const flagged = contribution.flag ? indexOf(scoring, FLAG) : -1;
  const to = Math.max(
    from,
    flagged,
    scoring.bands.findLastIndex(({ above }) => score > above),
  );
  // Without a band of that name, `flag` is below all bands.
  const lowest = contribution.flag || before?.band === FLAG ? FLAG : null;
  const after = { score, band: scoring.bands[to]?.name ?? lowest, reasons };
  return { after, crossed: scoring.bands.slice(from + 1, to + 1) };
}

function unknownOf(reasons: readonly Reason[], known: readonly Reason[]): readonly Reason[] {
  return reasons.filter(({ rule }) => !known.some((reason) => reason.rule === rule));
}

function combined({ combine }: ScoringPlan, reasons: readonly Reason[]): number {
  if (combine === 'max') return Math.max(0, ...reasons.map(({ score }) => score));
  const sum = new ExactSum();
  for (const { score } of reasons) sum.add(String(score));
  return sum.total();
}

function indexOf({ bands }: ScoringPlan, name: string | null): number {
  return bands.findIndex((band) => band.name === name);
}

/** Reasons of one rule are ordered by score, so that the order of commits does not show. */
function byRule(a: Reason, b: Reason): number {
  if (a.rule !== b.rule) return a.rule < b.rule ? -1 : 1;
  return a.score - b.score;
}
