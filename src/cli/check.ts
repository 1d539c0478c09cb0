import { resolve } from 'node:path';
import { Option } from 'commander';
import { EXIT, type ExitCode } from '../errors.ts';
import type { CompiledRules } from '../rules/compile-rules.ts';
import { formatProblem } from '../rules/problem.ts';
import type { ConfigSources } from './config-reader.ts';
import { withClient } from './connect.ts';
import { type CliIo, print } from './io.ts';
import { loadSettings } from './load-config.ts';
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
    const offline = flags['offline'] === true;
    const compiled = await compileFor(io, { rules: args[0], sources, offline, lists: true });
    return reportProblems(io, compiled, json);
  },
};

interface Asked {
  /** As it was typed; undefined: what is configured. */
  readonly rules: string | undefined;
  readonly sources: ConfigSources;
  readonly offline: boolean;
  /** Whether `values:` of lists are compared with what the store has. */
  readonly lists?: boolean;
}

export function compileFor(
  io: CliIo,
  { rules, sources, offline, lists = false }: Asked,
): Promise<CompiledRules> {
  const { databaseUrl: url, storeUrl, slot, webhooks, rulesPath } = loadSettings(sources);
  const path = rules === undefined ? rulesPath : resolve(io.cwd, rules);
  // Rules may be checked where weir.yaml is not; weir run has it, and refuses a name that it does not know.
  const names = Object.keys(webhooks);
  const options = { path, cwd: io.cwd, webhooks: names.length === 0 ? null : names };
  if (offline || url === null) return readRules({ ...options, source: null });
  return withClient({ url, slot, variable: 'DATABASE_URL' }, (source) => {
    if (!lists || storeUrl === null) return readRules({ ...options, source });
    if (storeUrl === url) return readRules({ ...options, source, store: source });
    const target = { url: storeUrl, slot, variable: 'WEIR_STORE_URL' };
    return withClient(target, (store) => readRules({ ...options, source, store }));
  });
}

function sizeOf(plan: CompiledRules['plan']): string {
  if (plan === null) return '';
  const { rules, patterns, tables } = plan;
  const both = patterns.length === 0 ? '' : ` and ${patterns.length} patterns`;
  return `, ${rules.length} rules${both} over ${tables.length} tables`;
}

export async function reportProblems(
  io: CliIo,
  { plan, problems }: CompiledRules,
  json: boolean,
): Promise<ExitCode> {
  // Of patterns without `by`.
  const lane = (plan?.patterns ?? []).filter(({ by }) => by === null).map(({ id }) => id);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (json) {
    await print(
      io,
      `${JSON.stringify({ valid: plan !== null, version: plan?.version ?? null, lane, problems }, null, 2)}\n`,
    );
  } else {
    for (const problem of problems) await print(io, `${formatProblem(problem)}\n`);
    await print(io, `${errors} errors, ${problems.length - errors} warnings${sizeOf(plan)}\n`);
    if (lane.length > 0)
      await print(io, `one lane, in one partition, sees every row for: ${lane.join(', ')}\n`);
  }
  return plan === null ? EXIT.usage : EXIT.ok;
}
