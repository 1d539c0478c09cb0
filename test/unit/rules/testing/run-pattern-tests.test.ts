import { describe, expect, test } from 'vitest';
import { shownReport } from '../../../../src/cli/test-report.ts';
import { runTests, type TestReport } from '../../../../src/rules/testing/run-tests.ts';
import { compile } from '../fixtures.ts';
import { PATTERN_EVENTS } from '../pattern-frame.ts';

function report(pattern: string, tests: string): TestReport {
  const compiled = compile(`${PATTERN_EVENTS}patterns:\n  - id: p\n${pattern}    tests:\n${tests}`);
  expect(compiled.problems).toEqual([]);
  return runTests(compiled);
}

/** What the tests say, each difference as `test: what: expected, not actual`. */
function failures(pattern: string, tests: string): string[] {
  return report(pattern, tests).results.flatMap(({ name, errors, failures: differences }) => [
    ...errors.map((error) => `${name}: ${error}`),
    ...differences.map(
      ({ what, expected, actual }) => `${name}: ${what}: ${String(expected)}, not ${String(actual)}`,
    ),
  ]);
}

const BURST = `    by: { start: uid, moved: user_id, end: uid }
    within: 5m
    steps:
      - start: { event: login }
      - moved: { event: large, times: 2+ }
      - end: { event: logout }
    score: 80
    actions: [alert]
    cooldown: { by: [uid], for: 1h }
`;

/** Login, transfers, logout of user 7, in 40 seconds from the given one on. */
function burst(from: number, transfers: number): string {
  return `          - { event: behavior, at: ${from}s, uid: 7, kind: login }
          - { event: transaction, at: ${from + 10}s, repeat: ${transfers}, every: 10s, id: ${from + 1}, user_id: 7, type: transfer, amount: 2000 }
          - { event: behavior, at: ${from + 40}s, uid: 7, kind: logout }
`;
}

describe('a test beside a pattern', () => {
  test('counts matches as hits and their alerts, the cooldown seen, and knows when the first was', () => {
    const tests = `      - name: twice
        events:
${burst(0, 2)}${burst(60, 2)}        expect: { hits: 2, alerts: 1, first_at: 40s }
      - name: too few
        events:
${burst(0, 1)}        expect: { hits: 0, alerts: 0 }
`;
    expect(failures(BURST, tests)).toEqual([]);
  });

  test('tells each difference', () => {
    const tests = `      - name: twice
        events:
${burst(0, 2)}${burst(60, 2)}        expect: { hits: 1, alerts: 2, first_at: 41s }
      - name: none
        events:
${burst(0, 1)}        expect: { first_at: 40s }
`;
    expect(failures(BURST, tests)).toEqual([
      'twice: hits: 1, not 2',
      'twice: alerts: 2, not 1',
      'twice: first_at: 41s, not 40s',
      'none: first_at: 40s, not no hit',
    ]);
  });

  test('knows by which row a match came, and that its score is of an earlier one', () => {
    const tests = `      - name: the logout ends it, the last transfer is scored
        events:
${burst(0, 2)}        expect:
          at:
            2: { hits: 0, score: 0, band: null }
            3: { hits: 0, score: 80, band: flag }
            4: { hits: 1, score: 0, band: null }
`;
    expect(failures(BURST, tests)).toEqual([]);
  });

  test('adds the score of a match to what rules gave the same row before', () => {
    const compiled = compile(`${PATTERN_EVENTS}rules:
  - { id: big, event: transaction, when: amount > 1500, score: 30 }
patterns:
  - id: p
${BURST}    tests:
      - name: beside it
        events:
${burst(0, 2)}        expect: { hits: 1, alerts: 1, at: { 3: { score: 110, band: block } } }
tests:
  - name: the whole set
    events:
${burst(0, 2)}    expect: { hits: { big: 2, p: 1 }, at: { 2: { score: 30, band: null }, 3: { score: 110, band: block } } }
`);
    expect(compiled.problems).toEqual([]);
    expect(runTests(compiled).results.map(({ failures: found }) => found)).toEqual([[], []]);
  });

  test('sees an absence at the end, which the end of the test brings, at its deadline', () => {
    const pattern = `    by: { start: uid, end: uid }
    within: 5m
    steps:
      - start: { event: login }
      - end: { event: logout, not: true }
    actions: [alert]
`;
    const tests = `      - name: no logout
        events: [{ event: behavior, at: 1m, uid: 7, kind: login }]
        expect: { hits: 1, alerts: 1, first_at: 6m, at: { 1: { hits: 0 } } }
      - name: a logout
        events: [{ event: behavior, at: 1m, uid: 7, kind: login }, { event: behavior, at: 2m, uid: 7, kind: logout }]
        expect: { hits: 0, alerts: 0 }
      - name: a logout of another
        events: [{ event: behavior, at: 1m, uid: 7, kind: login }, { event: behavior, at: 2m, uid: 8, kind: logout }]
        expect: { hits: 1 }
`;
    expect(failures(pattern, tests)).toEqual([]);
  });

  test('counts the partial matches that ran out of time, by a later row or by the end', () => {
    const pattern = `    by: { start: uid, moved: user_id }
    within: 5m
    steps:
      - start: { event: login }
      - moved: { event: transfer }
    actions: []
    on_timeout: { actions: [alert] }
`;
    const login = (at: string) => `{ event: behavior, at: ${at}, uid: 7, kind: login }`;
    const transfer = (at: string) =>
      `{ event: transaction, at: ${at}, id: 1, user_id: 7, type: transfer, amount: 1 }`;
    const tests = `      - name: the end
        events: [${login('0s')}]
        expect: { timeouts: 1, alerts: 1, hits: 0, at: { 1: { alerts: 0 } } }
      - name: a later row
        events: [${login('0s')}, ${login('1s')}, ${transfer('301s')}]
        expect: { timeouts: 2, alerts: 2, hits: 0, at: { 3: { alerts: 2 } } }
      - name: in time
        events: [${login('0s')}, ${transfer('299s')}]
        expect: { timeouts: 0, alerts: 0, hits: 1 }
`;
    expect(failures(pattern, tests)).toEqual([]);
  });
});

describe('the coverage of a pattern', () => {
  const CHOICE = `    by: { start: uid, extra: uid, moved: user_id, no_end: uid }
    within: 5m
    steps:
      - start: { event: login }
      - extra: { event: logout, optional: true }
      - moved: { event: transfer }
      - no_end: { event: logout, not: true }
`;
  const login = '{ event: behavior, at: 0s, uid: 7, kind: login }';
  const logout = '{ event: behavior, at: 1s, uid: 7, kind: logout }';
  const transfer = '{ event: transaction, at: 2s, id: 1, user_id: 7, type: transfer, amount: 1 }';
  const shown = (...events: readonly string[]): string =>
    shownReport(
      report(CHOICE, `      - { name: x, events: [${events.join(', ')}], expect: { alerts: 0 } }\n`),
    );

  test('names the steps that took no row in any match; an absence never takes one', () => {
    expect(shown(login, transfer)).toMatch(/silent {2}steps never taken\np {5}live {2}1 .* {2}extra\n/);
    expect(shown(login)).toMatch(/ {2}start, extra, moved {2}never fired\n/);
  });

  test('has no column for them when each took one', () => {
    expect(shown(login, logout, transfer)).not.toContain('steps never taken');
  });
});
