import { describe, expect, it } from 'vitest';
import { mistakes, planOf } from './fixtures.ts';

const EVENTS = `version: 1
events:
  payment: { table: public.payments, columns: { id: int8, user_id: int8, country: text, amount: numeric, paid_at: timestamptz } }
  large: { from: payment, when: amount > 50 }
  login: { table: public.logins, columns: { id: int8, country: text, amount: text } }
aggregates:
  - `;

describe('an aggregate', () => {
  it('is planned with what each table has of it', () => {
    const plan = planOf(
      `${EVENTS}{ id: a, event: '*', by: [event, country, user_id], every: 1m, keep: 7d, measures: { n: count, late: latency, last: { max: paid_at } } }`,
    );
    expect(plan.aggregates).toMatchObject([
      {
        ...{
          id: 'a',
          event: '*',
          by: ['event', 'country', 'user_id'],
          every: 60_000_000,
          keep: 604_800_000_000,
        },
        values: [{ name: 'paid_at', type: 'timestamp' }],
        inputs: [
          { event: 'payment', by: ['event', 2, 1], values: [{ column: 3, pgType: 'timestamptz' }] },
          { event: 'login', by: ['event', 1, null], values: [null] },
        ],
      },
    ]);
    expect(plan.tables.map(({ columns }) => columns.map(({ name }) => name))).toEqual([
      ['id', 'user_id', 'country', 'paid_at'],
      ['id', 'country'],
    ]);
  });

  it.each([
    [
      '{ id: a, event: logim, every: 1m, measures: { n: count } }',
      '7:21: error: there is no event "logim" (did you mean login?)',
    ],
    [
      '{ id: a, event: payment, by: contry, every: 1m, measures: { n: count } }',
      '7:34: error: table "public.payments" has no column "contry" (did you mean country?)',
    ],
    [
      "{ id: a, event: '*', every: 1m, measures: { n: { sum: amont } } }",
      '7:59: error: no table has a column "amont" (did you mean amount?)',
    ],
    [
      '{ id: a, event: payment, every: 1m, measures: { n: { sum: country } } }',
      '7:63: error: sum needs a number, and country of public.payments is text (string)',
    ],
    [
      '{ id: a, event: payment, every: 1m, measures: { n: { avg: paid_at } } }',
      '7:63: error: avg needs a number, and paid_at of public.payments is timestamptz (timestamp)',
    ],
    [
      "{ id: a, event: '*', every: 1m, measures: { n: { max: amount } } }",
      '7:59: error: max needs a number or a timestamp, and amount of public.logins is text (string)',
    ],
    [
      '{ id: a, event: payment, every: 1m, measures: { n: { sum: amount, avg: amount } } }',
      '7:53: error: measure "n" has two functions, sum and avg (make two measures)',
    ],
    ['{ id: a, event: payment, every: 1m, measures: {} }', '7:51: error: there are no measures'],
  ])('%s is refused', (text, mistake) => {
    expect(mistakes(EVENTS + text)).toEqual([mistake]);
  });
});
