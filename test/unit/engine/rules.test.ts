import { describe, expect, it } from 'vitest';
import { UNCHANGED } from '../../../src/events/row.ts';
import type { Frame } from '../../../src/rules/plan-parts.ts';
import { PlanBuilder, type RuleSpec, type TableSpec } from './support/plan-builder.ts';
import { type Arrival, foldAll, rowsOf } from './support/stream.ts';

const COLUMNS = { id: 'int8', user_id: 'int4', amount: 'numeric', note: 'text' };
const ALERT = [{ kind: 'alert' }] as const;

function outputsOf(rules: readonly RuleSpec[], arrivals: readonly Arrival[], spec: Partial<TableSpec> = {}) {
  const builder = new PlanBuilder().table('transaction', { columns: COLUMNS, ...spec });
  for (const rule of rules) builder.rule(rule);
  const plan = builder.build();
  return foldAll(plan, rowsOf(plan, arrivals));
}

const rule = (spec: Partial<RuleSpec>): RuleSpec => ({ id: 'r', event: 'transaction', ...spec });
const row = (
  at: number,
  user: string | null,
  amount: string | null = '1',
  note: string | null = null,
): Arrival => ({
  cells: [String(at), user, amount, note],
  at,
});
const amountOf = ({ row }: Frame): number | null => (row.cells[2] === null ? null : Number(row.cells[2]));
const above = (bound: number) => (frame: Frame) => {
  const amount = amountOf(frame);
  return amount === null ? null : amount > bound;
};
const count = { n: { fn: 'count', by: ['user_id'], over: 10 } } as const;
const throws = (): never => {
  throw new Error('1 / nothing\0');
};

describe('a rule', () => {
  it('fires where its condition is true, not where it is false or unknown', () => {
    const { hits } = outputsOf(
      [rule({ when: above(5) })],
      [row(1, '1', '6'), row(2, '1', '5'), row(3, '1', null)],
    );
    expect(hits.map(({ at }) => at)).toEqual([1]);
  });

  it('without a condition fires on every row', () => {
    expect(outputsOf([rule({})], [row(1, '1'), row(2, null)]).hits).toHaveLength(2);
  });

  it('does not fire where `unless` is true; an unknown `unless` excuses nothing', () => {
    const { hits } = outputsOf(
      [rule({ unless: above(5) })],
      [row(1, '1', '6'), row(2, '1', '5'), row(3, '1', null)],
    );
    expect(hits.map(({ at }) => at)).toEqual([2, 3]);
  });

  it('on a view fires on the rows that bear its name, and windows over the view hold those alone', () => {
    const lets = { n: { fn: 'count', event: 'large', by: ['user_id'], over: 10 } } as const;
    const { hits } = outputsOf(
      [rule({ event: 'large', key: ['user_id'], lets })],
      [row(1, '1', '6'), row(2, '1', '5'), row(3, '1', null), row(4, '1', '7')],
      { views: { large: above(5) } },
    );
    expect(hits.map(({ at, let: found }) => [at, found])).toEqual([
      [1, { n: 1 }],
      [4, { n: 2 }],
    ]);
  });

  it('judges a row whose key is NULL with its windows unknown', () => {
    const lets = {
      ...count,
      known: { kind: 'cel', name: 'known', type: 'bool', value: ({ lets: [n] }: Frame) => n !== null },
    } as const;
    const { hits, alerts } = outputsOf(
      [rule({ key: ['user_id'], lets, actions: ALERT })],
      [row(1, null), row(2, null), row(3, '1')],
    );
    expect(hits.map((hit) => hit.let)).toEqual([
      { n: null, known: false },
      { n: null, known: false },
      { n: 1, known: true },
    ]);
    expect(JSON.parse(alerts[0]?.detailsJson ?? '')).toEqual({
      score: 0,
      key: null,
      let: { n: null, known: false },
    });
  });

  it('takes an unchanged TOAST value for unknown, in conditions and in windows', () => {
    const lets = { note: { fn: 'last', of: 'note', by: ['user_id'], over: 10 } } as const;
    const { hits } = outputsOf(
      [rule({ key: ['user_id'], lets })],
      [row(1, '1', '1', 'a'), { cells: ['2', '1', '1', UNCHANGED], at: 2 }],
    );
    expect(hits.map((hit) => hit.let['note'])).toEqual(['a', null]);
  });

  it('that fails on a row is a dead letter, and the others go on', () => {
    const { hits, deadLetters } = outputsOf(
      [rule({ id: 'bad', when: throws }), rule({ id: 'good' })],
      [row(1, '1', '1.50', 'x')],
    );
    expect(hits.map((hit) => hit.rule)).toEqual(['good']);
    expect(deadLetters).toEqual([
      {
        rule: 'bad',
        event: 'transaction',
        position: '0000000000000001.000000000000',
        error: '1 / nothing\ufffd',
        eventJson: '{"id":1,"user_id":1,"amount":1.50,"note":"x"}',
        changeJson: expect.stringContaining('"amount":"1.50"'),
      },
    ]);
  });

  it('over a view whose condition fails is one dead letter, and rules over the table go on', () => {
    const lets = { n: { fn: 'count', event: 'large', by: ['user_id'], over: 10 } } as const;
    const { hits, deadLetters } = outputsOf(
      [rule({ id: 'bad', event: 'large', key: ['user_id'], lets }), rule({ id: 'good' })],
      [row(1, '1'), row(2, '1')],
      { views: { large: throws } },
    );
    expect(hits.map((hit) => hit.rule)).toEqual(['good', 'good']);
    expect(deadLetters.map((letter) => [letter.rule, letter.event])).toEqual([
      ['bad', 'large'],
      ['bad', 'large'],
    ]);
  });
});

describe('a late row', () => {
  it('is told once, is scored by what the windows hold, and enters none', () => {
    const plan = new PlanBuilder()
      .table('transaction', { columns: COLUMNS, lateness: 2 })
      .rule(rule({ key: ['user_id'], lets: count, score: 5 }))
      .scoring({ event: 'transaction', combine: 'sum', bands: [], block: null, shadow: false })
      .build();
    const { hits, late, decisions } = foldAll(
      plan,
      rowsOf(plan, [row(10, '1'), row(20, '1'), row(15, '1'), row(21, '1')]),
    );
    expect(hits.map(({ at, let: { n } = {} }) => [at, n])).toEqual([
      [10, 1],
      [20, 1],
      [15, 1],
      [21, 2],
    ]);
    expect(late.map(({ event, at, watermark, eventJson }) => ({ event, at, watermark, eventJson }))).toEqual([
      {
        event: 'transaction',
        at: 15,
        watermark: 17,
        eventJson: '{"id":15,"user_id":1,"amount":1,"note":null}',
      },
    ]);
    expect(decisions.map(({ at, reasons }) => [at, reasons[0]?.late])).toEqual([
      [10, undefined],
      [20, undefined],
      [15, true],
      [21, undefined],
    ]);
  });

  it('with an infinite time finds its windows empty', () => {
    const { hits, late } = outputsOf(
      [rule({ key: ['user_id'], lets: count })],
      [
        row(10, '1'),
        { ...row(11, '1'), at: Infinity, commitAt: 11 },
        { ...row(12, '1'), at: -Infinity, commitAt: 12 },
      ],
    );
    expect(hits.map((hit) => hit.let['n'])).toEqual([1, 0, 0]);
    expect(late).toHaveLength(2);
  });
});

describe('a cooldown', () => {
  const cooled = (spec: Partial<RuleSpec> = {}): RuleSpec =>
    rule({
      key: ['user_id'],
      cooldown: { by: ['user_id'], forMicros: 10 },
      actions: ALERT,
      score: 3,
      ...spec,
    });

  it('silences actions for its time from the last that was not silent, by key, never the hit or its score', () => {
    const { hits, alerts } = outputsOf(
      [cooled()],
      [row(1, '1'), row(5, '1'), row(5, '2'), row(10, '1'), row(11, '1'), row(20, '1'), row(21, '1')],
    );
    expect(hits.map(({ silenced }) => silenced)).toEqual([false, true, false, true, false, true, false]);
    expect(hits.map(({ score }) => score)).toEqual([3, 3, 3, 3, 3, 3, 3]);
    expect(alerts.map(({ at }) => at)).toEqual([1, 5, 11, 21]);
  });

  it('does not silence where its key is NULL', () => {
    const { alerts } = outputsOf([cooled()], [row(1, null), row(2, null)]);
    expect(alerts).toHaveLength(2);
  });

  it('by more columns than the key is kept for each of them', () => {
    const spec = cooled({ cooldown: { by: ['user_id', 'note'], forMicros: 10 } });
    const { alerts } = outputsOf(
      [spec],
      [row(1, '1', '1', 'a'), row(2, '1', '1', 'b'), row(3, '1', '1', 'a')],
    );
    expect(alerts.map(({ at }) => at)).toEqual([1, 2]);
  });

  it('is not begun for years by a row with a time that cannot be', () => {
    const impossible = { ...row(2, '1'), at: Infinity, commitAt: 2 };
    const { alerts } = outputsOf([cooled()], [row(1, '2'), impossible, row(3, '1'), row(12, '1')]);
    expect(alerts.map(({ at }) => at)).toEqual([1, Infinity, 12]);
  });

  it('silences flags and blocks too', () => {
    const block = { by: ['user_id'], forMicros: 100 };
    const plan = new PlanBuilder()
      .table('transaction', { columns: COLUMNS })
      .rule(cooled({ block, actions: [{ kind: 'flag' }, { kind: 'block' }] }))
      .scoring({ event: 'transaction', combine: 'sum', bands: [], block: null, shadow: false })
      .build();
    const { blocks, decisions } = foldAll(plan, rowsOf(plan, [row(1, '1'), row(2, '1')]));
    expect(blocks).toEqual([{ key: 'user_id', value: '1', reason: 'r', until: 101 }]);
    expect(decisions.map(({ flag }) => flag)).toEqual([true, false]);
  });
});

describe('a window', () => {
  it('over another table is looked up by columns of the own one', () => {
    const plan = new PlanBuilder()
      .table('transaction', { columns: COLUMNS })
      .table('login', { columns: { id: 'int8', uid: 'int4' } })
      .rule(
        rule({
          key: ['user_id'],
          lets: { n: { fn: 'count', event: 'login', by: ['user_id'], theirBy: ['uid'], over: 10 } },
        }),
      )
      .build();
    const login = (at: number, user: string): Arrival => ({ event: 'login', cells: [String(at), user], at });
    const { hits } = foldAll(
      plan,
      rowsOf(plan, [login(1, '1'), login(2, '1'), login(3, '2'), row(4, '1'), row(12, '1')]),
    );
    expect(hits.map((hit) => hit.let['n'])).toEqual([2, 0]);
  });

  it('over another table loses nothing by `current: false`: no row of that table is the row itself', () => {
    const plan = new PlanBuilder()
      .table('transaction', { columns: COLUMNS })
      .table('login', { columns: { id: 'int8', uid: 'int4' } })
      .rule(
        rule({
          key: ['user_id'],
          lets: {
            n: { fn: 'count', event: 'login', by: ['user_id'], theirBy: ['uid'], over: 10, current: false },
          },
        }),
      )
      .build();
    const { hits } = foldAll(plan, rowsOf(plan, [{ event: 'login', cells: ['1', '1'], at: 1 }, row(2, '1')]));
    expect(hits.map((hit) => hit.let['n'])).toEqual([1]);
  });

  it('by other columns of the same table holds the row itself only where both are equal', () => {
    const plan = new PlanBuilder()
      .table('transfer', { columns: { id: 'int8', sender: 'int4', receiver: 'int4' } })
      .rule({
        id: 'mule',
        event: 'transfer',
        key: ['sender'],
        lets: {
          received: { fn: 'count', by: ['sender'], theirBy: ['receiver'], over: 10 },
          others: { fn: 'count', by: ['sender'], theirBy: ['receiver'], over: 10, current: false },
        },
      })
      .build();
    const transfer = (at: number, from: string, to: string): Arrival => ({
      cells: [String(at), from, to],
      at,
    });
    const { hits } = foldAll(
      plan,
      rowsOf(plan, [transfer(1, '1', '2'), transfer(2, '2', '3'), transfer(3, '4', '4')]),
    );
    expect(hits.map((hit) => hit.let)).toEqual([
      { received: 0, others: 0 },
      { received: 1, others: 1 },
      { received: 1, others: 0 },
    ]);
  });
});
