import { describe, expect, test } from 'vitest';
import { compileRules } from '../../../../src/rules/compile-rules.ts';
import { readRuleFiles } from '../../../../src/rules/source-files.ts';
import { runTests, type TestReport } from '../../../../src/rules/testing/run-tests.ts';
import { compile, EVENTS } from '../fixtures.ts';

const LARGE = `${EVENTS}rules:
  - id: large
    event: transaction
    let:
      sum_1h: { sum: amount, by: user_id, over: 1h }
    when: sum_1h > 100
    score: 80
    actions: [alert]
    cooldown: { by: user_id, for: 10m }
    tests:
`;

function report(tests: string, run?: string): TestReport {
  const compiled = compile(LARGE + tests);
  expect(compiled.problems).toEqual([]);
  return runTests(compiled, { run });
}

function failures(tests: string): string[] {
  return report(tests).results.flatMap((result) => [
    ...result.errors,
    ...result.failures.map(
      ({ what, expected, actual }) => `${what}: ${String(expected)}, not ${String(actual)}`,
    ),
  ]);
}

describe('the example rules', () => {
  test('pass their own tests, each rule fires in one, each step of a pattern takes a row', () => {
    const { results, failed, coverage } = runTests(compileRules(readRuleFiles('rules'), null));
    expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
    expect(failed).toBe(0);
    expect(coverage.map(({ rule, fired, silent }) => [rule, fired > 0, silent > 0])).toEqual([
      ['frequent_transactions', true, true],
      ['large_amount', true, true],
      ['location_change', true, true],
      ['shared_device', true, true],
      ['account_takeover', true, true],
      ['card_testing', true, true],
      ['fraud_sequence', true, true],
      ['mule_account', true, true],
    ]);
    expect(coverage.flatMap(({ untaken }) => untaken)).toEqual([]);
  });
});

describe('a test in a rule file', () => {
  test('counts hits and alerts, and knows score, band and the first hit', () => {
    const ok = `      - name: adds up
        events: [{ repeat: 4, every: 1m, user_id: 1, amount: "40.00" }]
        expect: { hits: 2, alerts: 1, score: 80, band: flag, first_at: 2m, at: { 2: { hits: 0, score: 0, band: null }, 3: { hits: 1 } } }
`;
    expect(failures(ok)).toEqual([]);
  });

  test('tells each difference', () => {
    const wrong = `      - name: adds up
        events: [{ repeat: 4, every: 1m, user_id: 1, amount: "40.00" }]
        expect: { hits: 1, alerts: 2, score: 70, band: block, first_at: 1m, at: { 3: { hits: 0 }, 9: { hits: 0 } } }
`;
    expect(failures(wrong)).toEqual([
      'hits: 1, not 2',
      'alerts: 2, not 1',
      'score: 70, not 80',
      'band: block, not flag',
      'first_at: 1m, not 2m',
      'at 3: hits: 0, not 1',
      'at 9: row: a row 9, not 4 rows',
    ]);
  });

  test('says which row does not fit its column', () => {
    const wrong = `      - name: x
        events: [{ user_id: 1, amount: 5 }, { user_id: 1, amount: lots }]
        expect: { hits: 0 }
`;
    expect(failures(wrong)).toEqual(['row 2: column "amount" is numeric, and "lots" is not a number']);
  });

  test('is run when its name or its rule matches', () => {
    const two = `      - { name: one, events: [{ user_id: 1 }], expect: { hits: 0 } }
      - { name: two, events: [{ user_id: 1 }], expect: { hits: 0 } }
`;
    expect(report(two, 'large › two').results.map(({ name }) => name)).toEqual(['two']);
    expect(() => report(two, '(')).toThrow('--run "(" is not a regular expression');
  });

  test('has its place, for the reporter', () => {
    const [result] = report('      - { name: one, events: [{ user_id: 1 }], expect: { hits: 0 } }\n').results;
    expect(result).toMatchObject({
      rule: 'large',
      name: 'one',
      file: 'r.yaml',
      line: 18,
      column: 17,
      rows: 1,
    });
  });

  test('keeps the digits of numbers as they are written', () => {
    const big = `      - name: x
        events:
          - { user_id: 9007199254740993, amount: 60.10 }
          - { user_id: 9007199254740992, amount: 60.10 }
        expect: { hits: 0 }
`;
    expect(failures(big)).toEqual([]);
  });
});

test('a test may say what is in the lists, as it is written', () => {
  const compiled = compile(`${EVENTS}lists:
  some: { values: ["1"] }
rules:
  - id: listed
    event: transaction
    when: user_id in lists.some
    score: 1
    tests:
      - { name: as in the file, events: [{ user_id: 1, amount: 1 }, { user_id: 7, amount: 1 }], expect: { hits: 1, first_at: 0s } }
      - { name: with another, lists: { some: [7] }, events: [{ user_id: 7, amount: 1 }], expect: { hits: 1 } }
      - { name: as written, lists: { some: [007] }, events: [{ user_id: 7, amount: 1 }], expect: { hits: 0 } }
      - { name: empty, lists: { some: [] }, events: [{ user_id: 1, amount: 1 }], expect: { hits: 0 } }
`);
  expect(compiled.problems).toEqual([]);
  expect(runTests(compiled).results.map(({ name, outcome }) => `${name}: ${outcome}`)).toEqual([
    ...['as in the file: passed', 'with another: passed', 'as written: passed', 'empty: passed'],
  ]);
});

test('a rule that is off has its tests skipped', () => {
  const compiled = compile(`${EVENTS}rules:
  - id: r
    event: transaction
    when: amount > 1
    mode: off
    tests: [{ name: x, events: [{ amount: 5 }], expect: { hits: 0 } }]
`);
  const { skipped, coverage } = runTests(compiled);
  expect(skipped).toBe(1);
  expect(coverage[0]).toMatchObject({ mode: 'off', fired: 0 });
});

test('a shadow rule is judged by the shadow decision', () => {
  const compiled = compile(`${EVENTS}rules:
  - id: r
    event: transaction
    when: amount > 1
    score: 60
    mode: shadow
    tests: [{ name: x, events: [{ amount: 5 }], expect: { hits: 1, score: 60, band: flag } }]
tests:
  - { name: nothing live, event: transaction, events: [{ amount: 5 }], expect: { hits: { r: 1 }, score: 0, band: null } }
`);
  expect(runTests(compiled)).toMatchObject({ passed: 2, failed: 0 });
});
