import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alert, Block, Contribution, Outputs } from '../../../src/engine/outputs.ts';
import { bandActions } from '../../../src/engine/risk/band-actions.ts';
import { applyContribution, type DecisionState } from '../../../src/engine/risk/decision.ts';
import type { Plan, ScoringPlan } from '../../../src/rules/plan.ts';
import { fraudPlan, fraudStreams } from './support/fraud-plan.ts';
import { foldAll, joined, rowsOf } from './support/stream.ts';

const scoring: ScoringPlan = {
  event: 'transaction',
  combine: 'sum',
  bands: [
    { name: 'flag', above: 50, actions: [{ kind: 'alert' }] },
    {
      name: 'block',
      above: 100,
      actions: [{ kind: 'alert' }, { kind: 'block' }, { kind: 'webhook', name: 'ops' }],
    },
  ],
  block: { by: { names: ['user_id'], columns: [1] }, forMicros: 100 },
  shadow: false,
};

function contribution(
  scores: Readonly<Record<string, number>>,
  spec: Partial<Contribution> = {},
): Contribution {
  return {
    event: 'transaction',
    entityId: '7',
    position: '0000000000000001.000000000000',
    mode: 'live',
    at: 10,
    commitAt: 11,
    reasons: Object.entries(scores).map(([rule, score]) => ({ rule, score, let: {} })),
    flag: false,
    subjectJson: '{"id":7}',
    eventsJson: '[]',
    block: { key: 'user_id', value: '1', until: 111 },
    ...spec,
  };
}

/** One after the other; what each of them newly reached. */
function apply(parts: readonly Contribution[], plan = scoring) {
  let state: DecisionState | null = null;
  const crossed = parts.map((part) => {
    const reached = applyContribution(plan, state, part);
    state = reached.after;
    return reached.crossed.map(({ name }) => name);
  });
  return { state: state as DecisionState | null, crossed };
}

describe('a decision', () => {
  it('is in a band above its bound, not at it', () => {
    expect(apply([contribution({ a: 50 })]).state).toMatchObject({ score: 50, band: null });
    expect(apply([contribution({ a: 50.01 })]).state).toMatchObject({ score: 50.01, band: 'flag' });
    expect(apply([contribution({ a: 100 })]).state).toMatchObject({ score: 100, band: 'flag' });
    expect(apply([contribution({ a: 60, b: 40.01 })]).state).toMatchObject({ score: 100.01, band: 'block' });
  });

  it('adds scores as decimals', () => {
    const bands = [{ name: 'flag', above: 0.3, actions: [] }];
    const { state } = apply([contribution({ a: 0.1 }), contribution({ b: 0.2 })], { ...scoring, bands });
    expect(state).toMatchObject({ score: 0.3, band: null });
  });

  it('reaches each band once, in the contribution that takes the score over its bound', () => {
    const parts = [{ a: 60 }, { b: 30 }, { c: 20 }, { d: 500 }].map((scores) => contribution(scores));
    expect(apply(parts).crossed).toEqual([['flag'], [], ['block'], []]);
    expect(apply([contribution({ a: 500 })]).crossed).toEqual([['flag', 'block']]);
  });

  it('is at least `flag` where a rule flags, whatever its score', () => {
    const flagged = contribution({ a: 1 }, { flag: true });
    expect(apply([flagged, contribution({ b: 1 }), contribution({ c: 60 })])).toMatchObject({
      state: { score: 62, band: 'flag' },
      crossed: [['flag'], [], []],
    });
    expect(apply([contribution({ a: 500 }), flagged]).state?.band).toBe('block');
    expect(apply([flagged], { ...scoring, bands: [] })).toMatchObject({
      state: { band: 'flag' },
      crossed: [[]],
    });
  });

  it('takes the greatest score with `max`', () => {
    const parts = [contribution({ a: 60 }), contribution({ b: 70, c: 10 })];
    expect(apply(parts, { ...scoring, combine: 'max' }).state).toMatchObject({ score: 70, band: 'flag' });
  });

  it('is the same, and reaches the same bands, in whatever order partitions commit', () => {
    const scores = fc.record({ score: fc.constantFrom(0.1, 0.2, 10, 40.5, 60), flag: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(scores, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('sum', 'max'),
        (all, combine) => {
          const parts = all.map(({ score, flag }, i) => contribution({ [`r${i}`]: score }, { flag }));
          const one = apply(parts, { ...scoring, combine });
          const other = apply([...parts].reverse(), { ...scoring, combine });
          expect(other.state).toEqual(one.state);
          expect(other.crossed.flat().sort()).toEqual(one.crossed.flat().sort());
        },
      ),
    );
  });
});

describe('a band that is reached', () => {
  const reached = (spec: Partial<Contribution>) => {
    const part = contribution({ b: 60, a: 41 }, spec);
    return bandActions(scoring, applyContribution(scoring, null, part), part);
  };

  it('makes an alert of the decision, and blocks', () => {
    const { alerts, blocks } = reached({});
    expect(alerts.map(({ rule, severity, webhooks }) => [rule, severity, webhooks])).toEqual([
      ['scoring.transaction.flag', 'high', []],
      ['scoring.transaction.block', 'critical', ['ops']],
    ]);
    expect(alerts[1]).toMatchObject({
      kind: 'decision',
      message: 'transaction 7: block, score 101',
      at: 10,
      commitAt: 11,
      detailsJson:
        '{"score":101,"key":"7","band":"block","reasons":[{"rule":"a","score":41},{"rule":"b","score":60}]}',
    });
    expect(blocks).toEqual([
      { key: 'user_id', value: '1', until: 111, reason: 'scoring.transaction.block', scoredBy: 'a + b' },
    ]);
  });

  it('in shadow makes its alerts, under other ids, and does nothing', () => {
    const { alerts, blocks } = reached({ mode: 'shadow' });
    expect(alerts.map(({ mode, webhooks }) => [mode, webhooks])).toEqual([
      ['shadow', []],
      ['shadow', []],
    ]);
    expect(blocks).toEqual([]);
    expect(alerts.map(({ alertId }) => alertId)).not.toEqual(
      reached({}).alerts.map(({ alertId }) => alertId),
    );
  });
});

const plan = fraudPlan();
const PARTITIONS = 3;

describe('contributions', () => {
  it('of several partitions make the decisions, alerts and hits that one partition makes', () => {
    fc.assert(
      fc.property(fraudStreams, fc.boolean(), (arrivals, reversed) => {
        const one = foldAll(plan, rowsOf(plan, arrivals));
        const partitions = Array.from({ length: PARTITIONS }, (_, partition) =>
          foldAll(plan, rowsOf(plan, arrivals, { partition, partitions: PARTITIONS })),
        );
        const all = joined(reversed ? partitions.reverse() : partitions);
        expect(effects(plan, all)).toEqual(effects(plan, one));
      }),
      { numRuns: 100 },
    );
  });

  it('count live hits in the shadow decision too, and shadow hits there alone', () => {
    const cells = (i: number): string[] => [String(i), String(i), 'x', '7'];
    const rows = rowsOf(plan, [
      { cells: cells(1), at: 10 },
      { cells: cells(2), at: 11 },
    ]);
    const { decisions } = foldAll(plan, rows);
    const told = decisions.map(({ mode, reasons }) => [mode, reasons.map(({ rule }) => rule)]);
    expect(told).toEqual([
      ['live', ['large']],
      ['shadow', ['large']],
      ['live', ['large']],
      ['shadow', ['devices', 'large']],
    ]);
  });
});

/** What ends up in the store, in an order that does not tell which partition wrote first. */
function effects(plan: Plan, outputs: Outputs) {
  const decisions = new Map<string, DecisionState>();
  const alerts: Alert[] = [...outputs.alerts];
  const blocks: Block[] = [...outputs.blocks];
  for (const part of outputs.decisions) {
    const id = `${part.event} ${part.position} ${part.mode}`;
    const scoringPlan = plan.scoring.get(part.event) as ScoringPlan;
    const reached = applyContribution(scoringPlan, decisions.get(id) ?? null, part);
    decisions.set(id, reached.after);
    const actions = bandActions(scoringPlan, reached, part);
    alerts.push(...actions.alerts);
    blocks.push(...actions.blocks);
  }
  return {
    decisions: sorted([...decisions]),
    // A decision's alert and block tell what took it over the bound, which depends on who came first.
    alerts: sorted(
      alerts.map(({ message, detailsJson, ...alert }) =>
        alert.kind === 'decision' ? alert : { ...alert, message, detailsJson },
      ),
    ),
    blocks: sorted(blocks.map(({ scoredBy: _, ...block }) => block)),
    hits: sorted(outputs.hits),
    late: sorted(outputs.late),
    deadLetters: outputs.deadLetters,
  };
}

function sorted(items: readonly unknown[]): string[] {
  return items.map((item) => JSON.stringify(item)).sort();
}
