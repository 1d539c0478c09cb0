import { resolve } from 'node:path';
import { Option } from 'commander';
import { EXIT, type ExitCode } from '../errors.ts';
import type { CompiledRules } from '../rules/compile-rules.ts';
import { formatProblem } from '../rules/problem.ts';
import { withClient } from './connect.ts';
import { type CliIo, print } from './io.ts';
import { loadSettings, type Settings } from './load-config.ts';
import type { CommandSpec } from './program.ts';
import { readRules } from './read-rules.ts';

export const checkCommand: CommandSpec = {
  name: 'check',
  summary: 'Find every mistake in rule files, each with file:line:column',
  args: [['[rules]', 'a rule file or a directory (default: WEIR_RULES or ./rules)']],
  config: ['slot'],
  options: [
    new Option('--offline', "take the tables from the rules' own `columns:`, even where DATABASE_URL is set"),
  ],
  details:
    'With DATABASE_URL the tables are as the database has them.\nExit codes: 0 no errors (warnings may be), 2 errors.',
  action: async ({ io, args, flags, sources, json }) => {
    const settings = loadSettings(sources);
    const path = args[0] === undefined ? settings.rulesPath : resolve(io.cwd, args[0]);
    const compiled = await check(io, { path, settings, offline: flags['offline'] === true });
    return report(io, compiled, json);
  },
};

interface Check {
  readonly path: string;
  readonly settings: Settings;
  readonly offline: boolean;
}

function check(io: CliIo, { path, settings, offline }: Check): Promise<CompiledRules> {
  const options = { path, cwd: io.cwd, webhooks: Object.keys(settings.webhooks) };
  const { databaseUrl: url, slot } = settings;
  if (offline || url === null) return readRules({ ...options, source: null });
  return withClient({ url, slot, variable: 'DATABASE_URL' }, (source) => readRules({ ...options, source }));
}

async function report(io: CliIo, { plan, problems }: CompiledRules, json: boolean): Promise<ExitCode> {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (json) {
    await print(
      io,
      `${JSON.stringify({ valid: plan !== null, version: plan?.version ?? null, problems }, null, 2)}\n`,
    );
  } else {
    for (const problem of problems) await print(io, `${formatProblem(problem)}\n`);
    const rules = plan === null ? '' : `, ${plan.rules.length} rules over ${plan.tables.length} tables`;
    await print(io, `${errors} errors, ${problems.length - errors} warnings${rules}\n`);
  }
  return plan === null ? EXIT.usage : EXIT.ok;
}
