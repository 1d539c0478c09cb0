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
    { id: 'location_change', score: 70, actions: ['block'] },
  ]);
  expect(plan?.scoring.get('transaction')?.bands.map(({ name, above }) => [name, above])).toEqual([
    ['flag', 50],
    ['block', 100],
  ]);
});

test('only the columns that the example rules use leave PostgreSQL', () => {
  expect(plan?.tables[0]?.columns.map(({ name }) => name)).toEqual(['id', 'user_id', 'amount', 'country']);
});

test('the stored example rules are the same plan', () => {
  expect(JSON.stringify(compileStored(content))).toBe(JSON.stringify(plan));
});
