import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { runCaptured } from './run-captured.ts';

const RULES = `version: 1
events:
  transaction:
    table: public.transactions
    columns: { id: int8, amount: numeric }
rules:
  - id: large
    event: transaction
    when: amount > 100
    score: 80
    actions: [alert]
    tests:
      - name: above
        events: [{ id: 1, amount: "100.01" }]
        expect: { hits: 1 }
      - name: wrong & "quoted" <here>
        events: [{ id: 1, amount: "5" }]
        expect: { hits: 1 }
scoring:
  transaction: { bands: { flag: 50 } }
`;

function directory(files: Readonly<Record<string, string>>): string {
  const cwd = mkdtempSync(join(tmpdir(), 'weir-rules-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  return cwd;
}

function event(id: number, amount: string): string {
  return JSON.stringify({ event: 'transaction', at: '2026-01-01T00:00:00Z', id, amount });
}

test('weir test exits 1 when a test fails, and says which, where and why', async () => {
  const cwd = directory({ 'r.yaml': RULES });
  const { exit, stdout, stderr } = await runCaptured(COMMANDS, ['test', 'r.yaml'], { cwd });
  expect([exit, stderr]).toEqual([1, '']);
  expect(stdout).toContain('✓ large › above');
  expect(stdout).toMatch(/✗ large › wrong .*\n {4}r\.yaml:16:\d+\n {4}hits: expected 1, got 0\n/);
  expect(stdout).toContain('1 passed, 1 failed, 0 skipped');
});

test('--run chooses tests, and what passes exits 0; the coverage names a rule that was never silent', async () => {
  const cwd = directory({ 'r.yaml': RULES });
  const { exit, stdout } = await runCaptured(COMMANDS, ['test', 'r.yaml', '--run', 'above'], { cwd });
  expect(exit).toBe(0);
  expect(stdout).toContain('1 passed, 0 failed');
  expect(stdout).toContain('never silent');
  const wrong = await runCaptured(COMMANDS, ['test', 'r.yaml', '--run', '('], { cwd });
  expect([wrong.exit, wrong.stderr.includes('regular expression')]).toEqual([2, true]);
});

test('--junit writes a report whose text is escaped', async () => {
  const cwd = directory({ 'r.yaml': RULES });
  await runCaptured(COMMANDS, ['test', 'r.yaml', '--junit', 'out.xml'], { cwd });
  const report = readFileSync(join(cwd, 'out.xml'), 'utf8');
  expect(report).toContain('tests="2" failures="1"');
  expect(report).toContain('name="wrong &amp; &quot;quoted&quot; &lt;here&gt;"');
  expect(report).toContain('<failure message="hits: expected 1, got 0">');
});

test('weir test --run that matches no test is a mistake, not a success', async () => {
  const cwd = directory({ 'r.yaml': RULES });
  const { exit, stderr } = await runCaptured(COMMANDS, ['test', 'r.yaml', '--run', 'nothing'], { cwd });
  expect(exit).toBe(2);
  expect(stderr).toContain('--run "nothing" matches no test');
});

test('weir test of rules with mistakes shows them and exits 2', async () => {
  const cwd = directory({ 'r.yaml': RULES.replace('amount > 100', 'amuont > 100') });
  const { exit, stdout } = await runCaptured(COMMANDS, ['test', 'r.yaml'], { cwd });
  expect(exit).toBe(2);
  expect(stdout).toContain('r.yaml:9:11: error');
});

test('weir replay prints a line an output, in order, whatever the last line ends with', async () => {
  for (const end of ['', '\n', '\r\n']) {
    const cwd = directory({ 'r.yaml': RULES, 'e.jsonl': `${event(1, '5')}\n\n${event(2, '100.50')}${end}` });
    const { exit, stdout, stderr } = await runCaptured(COMMANDS, ['replay', 'r.yaml', 'e.jsonl'], { cwd });
    expect([exit, stderr]).toEqual([0, '']);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { kind: 'hit', rule: 'large', line: 2, score: 80, let: {} },
      {
        kind: 'decision',
        event: 'transaction',
        id: '2',
        line: 2,
        score: 80,
        band: 'flag',
        reasons: [{ rule: 'large', score: 80 }],
      },
    ]);
  }
});

test('weir replay names the bad line, a file that is not there, and rules with mistakes; each exits 2', async () => {
  const cwd = directory({
    'r.yaml': RULES,
    'e.jsonl': `${event(1, '5')}\n{"event":`,
    'bad.yaml': 'version: 2\n',
  });
  const run = (...argv: string[]) => runCaptured(COMMANDS, ['replay', ...argv], { cwd });
  expect(await run('r.yaml', 'e.jsonl')).toMatchObject({
    exit: 2,
    stderr: expect.stringContaining('e.jsonl:2: not JSON'),
  });
  expect(await run('r.yaml', 'nope.jsonl')).toMatchObject({
    exit: 2,
    stderr: expect.stringContaining('"nope.jsonl" (ENOENT)'),
  });
  expect(await run('bad.yaml', 'e.jsonl')).toMatchObject({
    exit: 2,
    stderr: expect.stringContaining('bad.yaml:1'),
  });
  expect((await run('r.yaml')).exit).toBe(2);
});

test('weir replay reads a long file whose lines cross the chunks that it is read in', async () => {
  const many = Array.from({ length: 20_000 }, (_, id) => event(id, id % 1_000 === 0 ? '101' : '1'));
  const cwd = directory({ 'r.yaml': RULES, 'e.jsonl': many.join('\n') });
  const { exit, stdout } = await runCaptured(COMMANDS, ['replay', 'r.yaml', 'e.jsonl'], { cwd });
  const hits = stdout.split('\n').filter((line) => line.includes('"hit"'));
  expect([exit, hits.length]).toEqual([0, 20]);
  expect(JSON.parse(hits[19] ?? '')).toMatchObject({ line: 19_000 });
});

test('weir schema prints a draft-07 schema', async () => {
  const { exit, stdout } = await runCaptured(COMMANDS, ['schema']);
  expect([exit, JSON.parse(stdout)['$schema']]).toEqual([0, 'http://json-schema.org/draft-07/schema#']);
});

test('every command has --help and --json', async () => {
  expect(COMMANDS.map(({ name }) => name).sort()).toEqual([
    'check',
    'dead-letters',
    'demo',
    'doctor',
    'guard',
    'init',
    'list',
    'replay',
    'run',
    'schema',
    'status',
    'teardown',
    'test',
    'webhooks',
  ]);
  for (const { name } of COMMANDS) {
    const { exit, stdout } = await runCaptured(COMMANDS, [name, '--help']);
    expect(exit).toBe(0);
    expect(stdout).toContain('--json');
  }
});
