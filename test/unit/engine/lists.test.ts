import { expect, test } from 'vitest';
import { fold } from '../../../src/engine/fold.ts';
import { PartitionState } from '../../../src/engine/partition-state.ts';
import type { Lists } from '../../../src/rules/plan-parts.ts';
import { planOf } from '../rules/fixtures.ts';
import { rowsOf } from './support/stream.ts';

const plan = planOf(`version: 1
events:
  payment: { table: public.payments, columns: { id: int8, user_id: int8, country: text } }
  risky: { from: payment, when: country in lists.risky }
lists:
  risky: { values: [XX] }
  trusted: { values: ["42"] }
rules:
  - id: from_a_view
    event: risky
    when: "true"
    unless: user_id in lists.trusted
    score: 1
  - id: in_a_window
    event: payment
    let: { n: { count: risky, by: user_id, over: 1h } }
    when: n > 0
    score: 1
  - id: as_a_value
    event: payment
    when: lists.risky.exists(c, c == country)
    score: 1
patterns:
  - id: in_a_step
    by: user_id
    steps:
      - one: { event: payment, when: country in lists.risky }
      - two: { event: payment, when: country == "DE" }
    unless: user_id in lists.trusted
    actions: [alert]
`);

const rows = rowsOf(
  plan,
  ['XX', 'DE', 'YY', 'DE'].map((country, i) => ({ cells: [String(i), '42', country], at: i })),
);

/** What the rows of user 42 hit, by rule, with these lists; without any, as the rule files have them. */
function hits(lists?: Lists): Record<string, number> {
  const state = new PartitionState(plan);
  for (const bucket of state.neededBuckets(rows)) state.install(bucket, null, []);
  const { outputs } = fold(plan, state, {
    ...{ rows, watermarks: [10], commitAt: 10 },
    ...(lists === undefined ? {} : { lists }),
  });
  const told = [...outputs.hits.map(({ rule }) => rule), ...outputs.matches.map(({ pattern }) => pattern)];
  return Object.fromEntries(
    [...new Set(told)].sort().map((id) => [id, told.filter((one) => one === id).length]),
  );
}

test('without lists of the batch they are as the rule files have them', () => {
  expect(hits()).toEqual({ as_a_value: 1, in_a_window: 4 });
});

test('the lists of the batch are what every condition looks at, and nothing of an earlier batch stays', () => {
  const both = new Set(['XX', 'YY']);
  expect(hits([both, new Set()])).toEqual({ as_a_value: 2, from_a_view: 2, in_a_step: 2, in_a_window: 4 });
  expect(hits([new Set(['YY']), new Set()])).toEqual({
    ...{ as_a_value: 1, from_a_view: 1, in_a_step: 1, in_a_window: 2 },
  });
  expect(hits([new Set(), new Set()])).toEqual({});
  expect(hits([both, new Set(['42'])])).toEqual({ as_a_value: 2, in_a_window: 4 });
});
