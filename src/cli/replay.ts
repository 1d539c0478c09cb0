import { resolve } from 'node:path';
import { Option } from 'commander';
import { EXIT, WeirError } from '../errors.ts';
import { replay } from '../rules/testing/replay.ts';
import { print } from './io.ts';
import { linesOf } from './lines-of.ts';
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
    const lines = linesOf(io.cwd, events, unreadable(events));
    const options = { file: events, flush: flags['flush'] !== false, warn };
    for await (const output of replay(plan, lines, options)) await print(io, `${JSON.stringify(output)}\n`);
    return EXIT.ok;
  },
};

function unreadable(path: string): (why: string, cause: unknown) => WeirError {
  return (why, cause) =>
    new WeirError({
      code: 'WEIR_EVENTS_UNREADABLE',
      message: `cannot read events from ${JSON.stringify(path)} (${why})`,
      hint: 'name a file of JSON lines, or - for stdin',
      cause,
    });
}
