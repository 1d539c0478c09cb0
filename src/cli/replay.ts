import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { EXIT, WeirError } from '../errors.ts';
import { replay } from '../rules/testing/replay.ts';
import { print } from './io.ts';
import type { CommandSpec } from './program.ts';
import { readValidRules } from './read-rules.ts';

export const replayCommand: CommandSpec = {
  name: 'replay',
  summary: 'Fold events from a file through the engines, without a database; one JSON object a line',
  args: [
    ['<rules>', 'a rule file or a directory'],
    ['<events>', 'JSON lines in arrival order, or - for stdin'],
  ],
  options: [new Option('--no-flush', 'time does not move to infinity at the end')],
  details: `A line: {"event":"transaction","at":"2026-01-01T00:00:00Z","user_id":1,"amount":"12.50"}
or {"watermark": TIME}, which moves time.`,
  action: async ({ io, args, flags, json }) => {
    const [rules = '', events = ''] = args;
    const path = resolve(io.cwd, rules);
    const { plan, warnings } = await readValidRules({ path, cwd: io.cwd, source: null, webhooks: null });
    const warn = (warning: string) =>
      void io.stderr.write(json ? `${JSON.stringify({ warning })}\n` : `${warning}\n`);
    for (const warning of warnings) warn(warning);
    const lines = linesOf(io.cwd, events);
    const options = { file: events, flush: flags['flush'] !== false, warn };
    for await (const output of replay(plan, lines, options)) await print(io, `${JSON.stringify(output)}\n`);
    return EXIT.ok;
  },
};

/** readline's iterator does not see an error of its input. */
async function* linesOf(cwd: string, path: string): AsyncGenerator<string> {
  const input =
    path === '-' ? process.stdin.setEncoding('utf8') : createReadStream(resolve(cwd, path), 'utf8');
  let rest = '';
  try {
    for await (const chunk of input) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (rest !== '') yield rest;
}

function unreadable(path: string, cause: unknown): WeirError {
  const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return new WeirError({
    code: 'WEIR_EVENTS_UNREADABLE',
    message: `cannot read events from ${JSON.stringify(path)} (${why})`,
    hint: 'name a file of JSON lines, or - for stdin',
    cause,
  });
}
