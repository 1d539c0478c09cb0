import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileRules } from '../../../src/rules/compile-rules.ts';
import { readRuleFiles } from '../../../src/rules/source-files.ts';
import { runTests } from '../../../src/rules/testing/run-tests.ts';

const DIRECTORY = 'rules/examples';
const files = readdirSync(DIRECTORY);

test('the examples for fraud teams are these', () => {
  expect(files).toEqual([
    'dormant-account.yaml',
    'impossible-travel.yaml',
    'new-device.yaml',
    'shared-device.yaml',
    'structuring.yaml',
    'velocity.yaml',
  ]);
});

describe.each(files)('%s', (file) => {
  const compiled = compileRules(readRuleFiles(`${DIRECTORY}/${file}`), null);

  test('is a rule set by itself, without a mistake or a warning', () => {
    expect(compiled.problems).toEqual([]);
  });

  test('passes its tests: of each rule a hit, what is nearly one, and NULL', () => {
    const { results, coverage } = runTests(compiled);
    expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
    expect(coverage.length).toBeGreaterThan(0);
    for (const { rule, tests, fired, silent } of coverage) {
      expect({ rule, tests: tests >= 3, fired: fired > 0, silent: silent > 0 }).toEqual({
        ...{ rule, tests: true, fired: true, silent: true },
      });
    }
  });
});

test('together they are a rule set too', () => {
  const compiled = compileRules(readRuleFiles(DIRECTORY), null);
  expect(compiled.problems).toEqual([]);
  expect(runTests(compiled).failed).toBe(0);
});
