import { expect, test } from 'vitest';
import { compileRules } from '../../../src/rules/compile-rules.ts';
import { readRuleFiles } from '../../../src/rules/source-files.ts';
import { compileStored } from '../../../src/rules/stored.ts';

const { plan, problems, content } = compileRules(readRuleFiles('rules'), null);

test('the example rules have no mistakes and no warnings', () => {
  expect(problems).toEqual([]);
});

test('the example rules score by amount, count and country', () => {
  const rules = plan?.rules.map(({ id, score, actions }) => ({
    id,
    score,
    actions: actions.map(({ kind }) => kind),
  }));
  expect(rules).toEqual([
    { id: 'frequent_transactions', score: 60, actions: ['flag'] },
    { id: 'large_amount', score: 80, actions: ['alert'] },
    { id: 'location_change', score: 70, actions: ['flag'] },
    { id: 'shared_device', score: 40, actions: ['flag'] },
  ]);
  expect(plan?.scoring.get('transaction')?.bands.map(({ name, above }) => [name, above])).toEqual([
    ['flag', 50],
    ['block', 100],
  ]);
});

test('the example patterns are of sequences that a fraud team knows', () => {
  const patterns = plan?.patterns.map(({ id, score, by }) => ({ id, score, by }));
  expect(patterns).toEqual([
    { id: 'account_takeover', score: 90, by: ['user_id'] },
    { id: 'card_testing', score: 60, by: ['device_id'] },
    { id: 'fraud_sequence', score: 80, by: ['user_id'] },
    { id: 'mule_account', score: 70, by: ['receiver_id'] },
  ]);
});

test('only the columns that the example rules use leave PostgreSQL', () => {
  const columns = plan?.tables.map((table) => [table.event, ...table.columns.map(({ name }) => name)]);
  expect(columns).toEqual([
    ['device', 'id', 'user_id', 'device_id'],
    ['behavior', 'id', 'user_id', 'behavior_type', 'country'],
    ['transaction', ...['id', 'user_id', 'amount', 'type', 'country', 'device_id', 'status', 'receiver_id']],
  ]);
});

test('the stored example rules are the same plan', () => {
  expect(JSON.stringify(compileStored(content))).toBe(JSON.stringify(plan));
});
