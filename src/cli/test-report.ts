import type { RuleCoverage, TestReport, TestResult } from '../rules/testing/run-tests.ts';
import { textTable } from './text-table.ts';

const MARKS = { passed: '✓', failed: '✗', skipped: '-' } as const;

/** As test runners show it. */
export function shownReport(report: TestReport): string {
  const { passed, failed, skipped } = report;
  return [
    ...report.results.map(shownResult),
    '\n',
    shownCoverage(report.coverage),
    `\n${passed} passed, ${failed} failed, ${skipped} skipped\n`,
  ].join('');
}

export function testName({ rule, name }: TestResult): string {
  return rule === null ? name : `${rule} › ${name}`;
}

function shownResult(result: TestResult): string {
  const head = `${MARKS[result.outcome]} ${testName(result)} (${result.rows} rows, ${result.durationMs.toFixed(1)} ms)\n`;
  if (result.outcome !== 'failed') return head;
  const why = reasons(result).map((line) => `    ${line}\n`);
  return `${head}    ${result.file}:${result.line}:${result.column}\n${why.join('')}`;
}

export function reasons({ failures, errors }: TestResult): readonly string[] {
  const different = failures.map(
    ({ what, expected, actual }) =>
      `${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`,
  );
  return [...errors, ...different];
}

/** A rule that never fired, or was never silent, has not been tested; nor has a step that is in no match. */
function shownCoverage(coverage: readonly RuleCoverage[]): string {
  // Where no pattern has such a step, the column would be an empty one.
  const withSteps = coverage.some((one) => stepsNeverTaken(one) !== '');
  const rows = coverage.map((one) => [
    one.rule,
    one.mode,
    String(one.tests),
    String(one.fired),
    String(one.silent),
    ...(withSteps ? [stepsNeverTaken(one)] : []),
    verdict(one),
  ]);
  const head = ['rule', 'mode', 'tests', 'fired', 'silent', ...(withSteps ? ['steps never taken'] : []), ''];
  return textTable([head, ...rows]);
}

function stepsNeverTaken({ mode, untaken }: RuleCoverage): string {
  return mode === 'off' ? '' : untaken.join(', ');
}

function verdict({ mode, fired, silent }: RuleCoverage): string {
  if (mode === 'off') return 'off';
  if (fired === 0) return 'never fired';
  return silent === 0 ? 'never silent' : '';
}

/** https://github.com/testmoapp/junitxml: what CI servers read. */
export function junit({ results, failed, skipped }: TestReport): string {
  const seconds = results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1_000;
  const cases = results.map(testCase).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="weir test" tests="${results.length}" failures="${failed}" skipped="${skipped}" time="${seconds.toFixed(3)}">
  <testsuite name="rules" tests="${results.length}" failures="${failed}" skipped="${skipped}" time="${seconds.toFixed(3)}">
${cases}  </testsuite>
</testsuites>
`;
}

function testCase(result: TestResult): string {
  const { rule, name, file, line, durationMs, outcome } = result;
  const attributes = `classname="${xml(rule ?? 'scenarios')}" name="${xml(name)}" file="${xml(file)}" line="${line}" time="${(durationMs / 1_000).toFixed(3)}"`;
  if (outcome === 'passed') return `    <testcase ${attributes}/>\n`;
  if (outcome === 'skipped') return `    <testcase ${attributes}><skipped/></testcase>\n`;
  const [first = ''] = reasons(result);
  const all = reasons(result).join('\n');
  return `    <testcase ${attributes}><failure message="${xml(first)}">${xml(all)}</failure></testcase>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

/** Also drops what XML 1.0 has no way to write. */
function xml(text: string): string {
  return [...text]
    .filter((char) => char === '\n' || char === '\t' || char >= ' ')
    .map((char) => ENTITIES[char] ?? char)
    .join('');
}
