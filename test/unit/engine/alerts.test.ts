import { describe, expect, it } from 'vitest';
import type { RulePlan } from '../../../src/rules/plan.ts';
import { PlanBuilder, type RuleSpec } from './support/plan-builder.ts';
import { foldAll, rowsOf } from './support/stream.ts';

const COLUMNS = { id: 'int8', user_id: 'int8', amount: 'numeric', note: 'text' };
const AT = Date.UTC(2026, 0, 1, 12) * 1000 + 250_001;
const BIG = '9223372036854775807';

function alertsOf(spec: Partial<RuleSpec>, cells: readonly (string | null)[] = ['7', BIG, '12.50', 'é']) {
  const plan = new PlanBuilder()
    .table('transaction', { columns: COLUMNS })
    .rule({ id: 'r', event: 'transaction', actions: [{ kind: 'alert' }], score: 60, ...spec })
    .build();
  return foldAll(plan, rowsOf(plan, [{ cells, at: AT }]));
}

const text = (value: string): NonNullable<RulePlan['message']> => [{ kind: 'text', text: value }];

describe('an alert', () => {
  it('tells the subject, the event and the lets with every digit', () => {
    const lets = {
      n: { fn: 'count', by: ['user_id'], over: 10 },
      big: { fn: 'max', of: 'amount', by: ['user_id'], over: 10 },
    } as const;
    const [alert] = alertsOf({ key: ['user_id'], lets }).alerts;
    expect(alert?.subjectJson).toBe(`{"user_id":${BIG}}`);
    expect(alert?.eventsJson).toBe(
      `[{"event":"transaction","position":"0000000000000001.000000000000","at":"2026-01-01T12:00:00.250001Z",` +
        `"columns":{"id":7,"user_id":${BIG},"amount":12.50,"note":"é"}}]`,
    );
    expect(alert?.detailsJson).toBe(`{"score":60,"key":"${BIG}","let":{"n":1,"big":12.5}}`);
  });

  it('tells what first, last and previous found with the digits that a double lacks; conditions see the double', () => {
    const at = (fn: 'first' | 'last' | 'previous', of: string) =>
      ({ fn, of, by: ['user_id'], over: 10 }) as const;
    const lets = {
      user: at('first', 'user_id'),
      last: at('last', 'amount'),
      before: at('previous', 'amount'),
      same: at('last', 'id'),
    };
    const message = [0, 1, 2].flatMap((index) => [{ kind: 'let', index } as const, ...text(' ')]);
    const seen: unknown[] = [];
    const when = ({ lets: found }: { lets: readonly unknown[] }) => seen.push(...found) > 0;
    const plan = new PlanBuilder()
      .table('transaction', { columns: COLUMNS })
      .rule({
        id: 'r',
        event: 'transaction',
        key: ['user_id'],
        lets,
        when,
        message,
        actions: [{ kind: 'alert' }],
      })
      .scoring({ event: 'transaction', combine: 'sum', bands: [], block: null, shadow: false })
      .build();
    const cells = ['9007199254740991', BIG, '0.1000000000000000055', null];
    const { alerts, hits, decisions } = foldAll(plan, rowsOf(plan, [{ cells, at: AT }]));
    const told = { user: BIG, last: '0.1000000000000000055', before: null, same: 2 ** 53 - 1 };
    expect(seen).toEqual([2 ** 63, 0.1, null, 2 ** 53 - 1]);
    expect(alerts[0]?.message).toBe(`${BIG} 0.1000000000000000055 null `);
    expect(JSON.parse(alerts[0]?.detailsJson ?? '')).toMatchObject({ let: told });
    expect(hits[0]?.let).toEqual(told);
    expect(decisions[0]?.reasons).toEqual([{ rule: 'r', score: 0, let: told }]);
  });

  it('of a rule without a key is about the row', () => {
    expect(alertsOf({}).alerts[0]?.subjectJson).toBe('{"id":7}');
  });

  it('has the same id for the same rule, key, position and mode, and another for others', () => {
    const id = (spec: Partial<RuleSpec>): string | undefined => alertsOf(spec).alerts[0]?.alertId;
    expect(id({})).toMatch(/^[0-9a-f]{32}$/);
    expect(id({})).toBe(id({ message: text('otherwise the same') }));
    expect(new Set([id({}), id({ id: 's' }), id({ mode: 'shadow' }), id({ key: ['user_id'] })]).size).toBe(4);
  });

  it('says NULL as null, columns by their own text, and lets as people write them', () => {
    const lets = { sum: { fn: 'sum', of: 'amount', by: ['user_id'], over: 10 } } as const;
    const message = [
      { kind: 'let', index: 0 },
      ...text(' of '),
      { kind: 'column', column: 2 },
      ...text(' by '),
      { kind: 'column', column: 1 },
    ] as const;
    const spec = { key: ['user_id'], lets, message };
    expect(alertsOf(spec).alerts[0]?.message).toBe(`12.5 of 12.50 by ${BIG}`);
    expect(alertsOf(spec, ['7', null, null, null]).alerts[0]?.message).toBe('null of null by null');
  });

  it('has no text that PostgreSQL refuses, and is cut at 2,000 code points, not inside one', () => {
    expect(alertsOf({ message: text('a\0b\ud800c\u{1f600}') }).alerts[0]?.message).toBe(
      'a\ufffdb\ufffdc\u{1f600}',
    );
    expect(alertsOf({ message: text('\u{1f600}'.repeat(2001)) }).alerts[0]?.message).toBe(
      '\u{1f600}'.repeat(2000),
    );
  });

  it('is made in shadow too, but sends and blocks nothing', () => {
    const actions = [{ kind: 'webhook', name: 'ops' }, { kind: 'block' }] as const;
    const block = { by: ['user_id'], forMicros: 5 };
    const live = alertsOf({ actions, block });
    const shadow = alertsOf({ actions, block, mode: 'shadow' });
    expect(live.alerts[0]).toMatchObject({ mode: 'live', webhooks: ['ops'] });
    expect(live.blocks).toEqual([{ key: 'user_id', value: BIG, reason: 'r', until: AT + 5 }]);
    expect(shadow.alerts[0]).toMatchObject({ mode: 'shadow', webhooks: [] });
    expect(shadow.blocks).toEqual([]);
  });

  it('is not made by a rule that only flags', () => {
    const { alerts, hits } = alertsOf({ actions: [{ kind: 'flag' }] });
    expect([alerts.length, hits.length]).toEqual([0, 1]);
  });
});
