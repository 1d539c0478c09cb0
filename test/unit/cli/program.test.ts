import { expect, test } from 'vitest';
import type { CommandSpec } from '../../../src/cli/program.ts';
import { EXIT, WeirError } from '../../../src/errors.ts';
import { runCaptured } from './run-captured.ts';

const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'doctor',
    summary: 'Looks',
    config: ['slot'],
    action: async ({ json, flags }) => {
      if (flags['slot'] === 'bug') throw new TypeError('undefined is not a function');
      if (flags['slot'] === 'lost')
        throw new WeirError({ code: 'WEIR_LOST', message: 'it is lost', hint: 'make it' });
      return json ? EXIT.ok : EXIT.findings;
    },
  },
  { name: 'status', summary: 'Says', action: async () => EXIT.ok },
];

test("a command's result is the exit code", async () => {
  expect((await runCaptured(COMMANDS, ['doctor'])).exit).toBe(1);
  expect((await runCaptured(COMMANDS, ['doctor', '--json'])).exit).toBe(0);
});

test('an unknown command suggests the nearest and exits 2', async () => {
  const { exit, stderr, stdout } = await runCaptured(COMMANDS, ['docter']);
  expect([exit, stdout]).toEqual([2, '']);
  expect(stderr).toContain("unknown command 'docter'");
  expect(stderr).toContain('Did you mean doctor?');
});

test('an unknown option, an argument too many and no command at all exit 2', async () => {
  expect((await runCaptured(COMMANDS, ['status', '--jsn'])).stderr).toContain('Did you mean --json?');
  for (const argv of [['status', '--jsn'], ['status', 'extra'], [], ['doctor', '--slot']])
    expect((await runCaptured(COMMANDS, argv)).exit).toBe(2);
});

test('a command that does not exist is told with the nearest, also where help is asked for', async () => {
  for (const argv of [
    ['docter', '--help'],
    ['help', 'docter'],
    ['docter', '-h'],
  ]) {
    const { exit, stderr, stdout } = await runCaptured(COMMANDS, argv);
    expect([exit, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Did you mean doctor?');
  }
});

test('with --json a wrong command line is one object on stderr', async () => {
  const told = async (...argv: string[]) => {
    const { exit, stderr, stdout } = await runCaptured(COMMANDS, [...argv, '--json']);
    expect([exit, stdout]).toEqual([2, '']);
    return JSON.parse(stderr).error;
  };
  const hint = expect.stringContaining('weir --help');
  const code = 'WEIR_USAGE';
  expect(await told('docter', '--help')).toEqual({
    ...{ code, message: "unknown command 'docter'", hint: 'Did you mean doctor?' },
  });
  expect(await told('status', 'extra')).toMatchObject({
    code,
    hint,
    message: expect.stringContaining('too many arguments'),
  });
  expect(await told('doctor', '--nosuch')).toEqual({ code, hint, message: "unknown option '--nosuch'" });
  expect(await told()).toEqual({ code, hint, message: expect.any(String) });
});

test('every command has --help on stdout, exit 0', async () => {
  for (const argv of [['--help'], ['doctor', '--help'], ['help', 'doctor'], ['--version']]) {
    const { exit, stdout, stderr } = await runCaptured(COMMANDS, argv);
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout.length).toBeGreaterThan(4);
  }
  expect((await runCaptured(COMMANDS, ['doctor', '--help'])).stdout).toContain('WEIR_SLOT');
});

test('an error names what, fix and code; with --json as an object', async () => {
  const plain = await runCaptured(COMMANDS, ['doctor', '--slot', 'lost']);
  expect([plain.exit, plain.stderr]).toEqual([2, 'error: it is lost\n  fix: make it\n  (WEIR_LOST)\n']);
  const json = await runCaptured(COMMANDS, ['doctor', '--slot', 'lost', '--json']);
  expect(JSON.parse(json.stderr)).toEqual({
    error: { code: 'WEIR_LOST', message: 'it is lost', hint: 'make it' },
  });
});

test('a bug exits 70, with the stack at debug level only', async () => {
  const info = await runCaptured(COMMANDS, ['doctor', '--slot', 'bug']);
  expect(info.exit).toBe(70);
  expect(info.stderr).toContain('this is a bug: TypeError');
  expect(info.stderr).not.toContain('program.test.ts');
  const debug = await runCaptured(COMMANDS, ['doctor', '--slot', 'bug'], { env: { LOG_LEVEL: 'debug' } });
  expect(debug.stderr).toContain('program.test.ts');
});
