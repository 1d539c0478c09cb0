import { beforeEach, describe, expect, it } from 'vitest';
import { PartitionState } from '../../../src/engine/partition-state.ts';
import { applyContribution } from '../../../src/engine/risk/decision.ts';
import type { Row } from '../../../src/events/row.ts';
import { decodeRowChange } from '../../../src/events/row-change.ts';
import type { ScoringPlan } from '../../../src/rules/plan.ts';
import { PlanBuilder, type RuleSpec } from './support/plan-builder.ts';
import { foldInto, rowsOf, SavedBuckets } from './support/stream.ts';

const SCORING: ScoringPlan = {
  ...{ event: 'transaction', combine: 'sum', block: null, shadow: false },
  bands: [{ name: 'flag', above: 50, actions: [{ kind: 'alert' }] }],
};
const ALERT = [{ kind: 'alert' }] as const;
const count = { n: { fn: 'count', by: ['user_id'], over: 10 } } as const;

/** Of the rule `r`, which fails on every row while it is. */
let broken = true;
beforeEach(() => {
  broken = true;
});

/** User 1 at 1, 2 and 3; at 100 another one, and then the row at 2 comes again as a dead letter. */
function story(spec: Partial<RuleSpec>, letters = 1) {
  const when = (frame: Parameters<NonNullable<RuleSpec['when']>>[0]) => {
    if (broken) throw new Error('broken');
    return spec.when === undefined ? true : spec.when(frame);
  };
  const plan = new PlanBuilder()
    .table('transaction', { columns: { id: 'int8', user_id: 'int4', amount: 'numeric' } })
    .rule({ id: 'r', event: 'transaction', score: 60, ...spec, when })
    .rule({ id: 'other', event: 'transaction', key: ['user_id'], lets: count, score: 1 })
    .scoring(SCORING)
    .build();
  const cells = (id: number, user: number) => [String(id), String(user), '7.50'];
  const rows = rowsOf(plan, [
    ...[1, 2, 3].map((at) => ({ at, cells: cells(at, 1) })),
    { at: 100, cells: cells(4, 2) },
    { at: 101, cells: cells(5, 1) },
  ]);
  const row = rows[1] as Row;
  const again = { ...row, late: true, watermark: 99, letter: { id: '12', rule: 'r', asked: '7' } };
  const state = new PartitionState(plan);
  const saved = new SavedBuckets();
  const whole = [...rows.slice(0, 4), ...Array.from({ length: letters }, () => again), ...rows.slice(4)];
  const take = (from: number, to: number) => foldInto(state, saved, { rows: whole, from, to }).outputs;
  return {
    row,
    failing: () => take(0, 4),
    again: () => take(4, 4 + letters),
    after: () => take(4 + letters, 5 + letters),
  };
}

describe('a dead letter that is judged again', () => {
  it('has the alert and the score that the row would have had, and says that it was late', () => {
    broken = false;
    const sound = story({ actions: ALERT }).failing();
    broken = true;
    const { row, failing, again } = story({ actions: ALERT });
    failing();
    broken = false;
    const { alerts, decisions, replays } = again();
    const [alert] = sound.alerts.filter(({ position }) => position === row.position);
    expect(alerts).toEqual([{ ...alert, detailsJson: '{"score":60,"key":null,"let":{},"late":true}' }]);
    expect(decisions).toMatchObject([
      { position: row.position, at: 2, commitAt: 2, entityId: '2', once: true },
    ]);
    expect(decisions[0]?.reasons).toEqual([{ rule: 'r', score: 60, let: {}, late: true }]);
    expect(replays).toEqual([{ letter: '12', outcome: 'hit' }]);
  });

  it('is judged by that rule alone, enters no window, and is not told of as late', () => {
    const { failing, again, after } = story({});
    failing();
    broken = false;
    const { hits, late, deadLetters } = again();
    expect(hits.map(({ rule }) => rule)).toEqual(['r']);
    expect([late, deadLetters]).toEqual([[], []]);
    expect(after().hits.map(({ rule, let: { n } }) => [rule, n])).toEqual([
      ['r', undefined],
      ['other', 1],
    ]);
  });

  it('does not meet itself in windows that it went into when it came first', () => {
    const long = { by: ['user_id'], over: 1_000 } as const;
    const lets = {
      all: { fn: 'count', ...long },
      others: { fn: 'count', ...long, current: false },
      before: { fn: 'previous', of: 'id', ...long },
    } as const;
    const { failing, again } = story({ key: ['user_id'], lets });
    failing();
    broken = false;
    expect(again().hits.map((hit) => hit.let)).toEqual([{ all: 2, others: 1, before: 1 }]);
  });

  it('where it fails again is another dead letter, of the same row', () => {
    const { row, failing, again } = story({});
    const letters = failing().deadLetters;
    const { deadLetters, replays, hits } = again();
    expect(replays).toEqual([{ letter: '12', outcome: 'failed again' }]);
    expect(hits).toEqual([]);
    expect(deadLetters).toEqual(letters.filter(({ position }) => position === row.position));
    expect(deadLetters).toHaveLength(1);
  });

  it('of a row that has two is told for each, be they in one batch or in two', () => {
    const { failing, again } = story({}, 2);
    failing();
    expect(again().deadLetters).toHaveLength(2);
  });

  it('keeps the row as it was read', () => {
    const { row, failing } = story({});
    const letter = failing().deadLetters.find(({ position }) => position === row.position);
    expect(decodeRowChange(JSON.parse(letter?.changeJson ?? ''))).toEqual({
      ...{ table: 'public.transaction', op: 'insert', at: 2, commitAt: 2, old: null },
      columns: new Map(Object.entries({ id: '2', user_id: '1', amount: '7.50' })),
    });
  });

  it.each([
    ['no hit', {}],
    ['forgotten', { key: ['user_id'], lets: count }],
  ] as const)('without a hit says %s', (outcome, spec) => {
    const { failing, again } = story({ ...spec, when: () => false });
    failing();
    broken = false;
    expect(again()).toMatchObject({ hits: [], decisions: [], alerts: [], replays: [{ outcome }] });
  });

  it('twice has one alert, its actions are silent in a cooldown, and its rule counts once', () => {
    const cooldown = { by: ['user_id'], forMicros: 1_000 };
    const { failing, again } = story({ actions: ALERT, key: ['user_id'], cooldown }, 2);
    failing();
    broken = false;
    const { alerts, decisions, replays } = again();
    expect(alerts).toHaveLength(1);
    expect(replays.map(({ outcome }) => outcome)).toEqual(['hit', 'silenced']);
    const [first, second] = decisions;
    if (first === undefined || second === undefined) throw new Error('it has two decisions');
    const once = applyContribution(SCORING, null, first);
    const twice = applyContribution(SCORING, once.after, second);
    expect(once.crossed.map(({ name }) => name)).toEqual(['flag']);
    expect(twice).toEqual({ after: once.after, crossed: [] });
  });
});
