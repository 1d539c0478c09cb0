import { checkActions, checkBlock } from './check-actions.ts';
import { type EventInfo, unknownEvent } from './check-events.ts';
import { eventsOf } from './check-tests.ts';
import type { Draft } from './draft.ts';
import { nearest } from './nearest.ts';
import type { PatternPlan } from './pattern-plan.ts';
import type { Plan, ScoringPlan } from './plan.ts';
import type { Action } from './plan-parts.ts';
import { didYouMean } from './problem.ts';
import type { Part, RuleSet } from './rule-set.ts';
import type { ScoringSpec } from './schema.ts';
import type { Spot } from './yaml-document.ts';

export function checkScoring(
  draft: Draft,
  part: Part<ScoringSpec>,
  { rules, patterns }: Pick<Plan, 'rules' | 'patterns'>,
): ScoringPlan | null {
  const event = scoredEvent(draft, part);
  if (event === null) return null;
  const { spec, spot } = part;
  const table = draft.world.tables.indexOf(event.table);
  const blocking = Object.entries(spec.actions ?? {}).find(([, actions]) => actions.includes('block'));
  const at = spot.in('actions');
  const action = blocking === undefined ? null : at.in(blocking[0], blocking[1].indexOf('block'));
  return {
    event: event.name,
    combine: spec.combine ?? 'sum',
    bands: checkBands(draft, part),
    block: checkBlock(draft, spec.block, { event, spot: spot.in('block'), action }),
    shadow:
      rules.some((rule) => rule.table === table && rule.mode === 'shadow') ||
      patterns.some((pattern) => pattern.mode === 'shadow' && scores(pattern, table)),
  };
}

function scores({ scoreOn, steps }: PatternPlan, table: number): boolean {
  return scoreOn.some((step) => steps[step]?.table === table);
}

function scoredEvent(draft: Draft, { name, spot, spec }: Part<ScoringSpec>): EventInfo | null {
  const event = draft.world.events.get(name);
  if (event === undefined) {
    unknownEvent(name, spot.key, { ...draft.world, problems: draft.problems });
    return null;
  }
  if (event.chain.length > 0) {
    const message = `"${name}" is a view of ${event.table.event}: a row has one decision, that of its table's event`;
    draft.problems.error(spot.key, message, `write scoring: { ${event.table.event}: … }`);
    return null;
  }
  if (event.table.id.length === 0) {
    const hint = `write id: in event "${name}": the column that a decision is about`;
    draft.problems.error(spot.key, `event "${name}" is scored, and its primary key is not known`, hint);
  }
  if (Object.keys(spec.bands).length === 0)
    draft.problems.error(spot.in('bands').place, 'scoring has no bands');
  return event;
}

function checkBands(draft: Draft, { spec, spot }: Part<ScoringSpec>): ScoringPlan['bands'] {
  const bands = Object.entries(spec.bands).sort((a, b) => a[1] - b[1]);
  bands.forEach(([name, above], index) => {
    const lower = bands[index - 1];
    if (lower?.[1] !== above) return;
    draft.problems.error(
      spot.in('bands', name).place,
      `bands ${lower[0]} and ${name} have the same bound, ${above}`,
    );
  });
  const actions = new Map(
    Object.entries(spec.actions ?? {}).map(([band, names]) => [
      band,
      bandActions(draft, { band, names, spec, spot }),
    ]),
  );
  return bands.map(([name, above]) => ({ name, above, actions: actions.get(name) ?? [] }));
}

interface BandParts extends Pick<Part<ScoringSpec>, 'spec' | 'spot'> {
  readonly band: string;
  readonly names: readonly string[];
}

function bandActions(draft: Draft, { band, names, spec, spot }: BandParts): Action[] {
  const at = spot.in('actions', band);
  if (!Object.hasOwn(spec.bands, band)) {
    draft.problems.error(
      at.key,
      `there is no band "${band}"`,
      didYouMean(nearest(band, Object.keys(spec.bands))),
    );
  }
  if (names.includes('flag')) {
    draft.problems.error(
      at.in(names.indexOf('flag')).place,
      'flag is an action of rules: a band does alert, block or webhook:NAME',
    );
  }
  return checkActions(draft, names, at);
}

/** `flag` raises a decision to the band `flag`: without scoring, or without that band, there is nothing to raise. */
export function checkFlags(draft: Draft, set: RuleSet): void {
  for (const { spec, spot } of set.rules) {
    checkFlag(draft, set, { actions: spec.actions, events: [spec.event], spot });
  }
  for (const { spec, spot } of set.patterns) {
    checkFlag(draft, set, { actions: spec.actions, events: eventsOf(spec.steps), spot });
  }
}

interface Flagging {
  readonly actions: readonly string[] | undefined;
  /** Of a rule, or of the steps of a pattern: one that can be flagged is enough. */
  readonly events: readonly string[];
  readonly spot: Spot;
}

function checkFlag(draft: Draft, set: RuleSet, { actions, events, spot }: Flagging): void {
  const flag = actions?.indexOf('flag') ?? -1;
  const tables = events.flatMap((name) => draft.world.events.get(name)?.table.event ?? []);
  const [event] = tables;
  if (flag < 0 || event === undefined) return;
  const scored = tables.map((name) => set.scoring.get(name)).filter((scoring) => scoring !== undefined);
  if (scored.some(({ spec }) => Object.hasOwn(spec.bands, 'flag'))) return;
  const lacks = scored.length === 0 ? 'has no scoring' : 'has no band "flag"';
  const hint = `write scoring: { ${event}: { bands: { flag: 50 } } }`;
  const message = `flag does nothing here: event "${event}" ${lacks}`;
  draft.problems.warning(spot.in('actions', flag).place, message, hint);
}
