import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { EXIT } from '../errors.ts';
import { runTests } from '../rules/testing/run-tests.ts';
import { compileFor, reportProblems } from './check.ts';
import { print } from './io.ts';
import type { CommandSpec } from './program.ts';
import { junit, shownReport } from './test-report.ts';

export const testCommand: CommandSpec = {
  name: 'test',
  summary: 'Run the tests inside rule files on the real engines, with a clock of their own',
  args: [['[rules]', 'a rule file or a directory (default: WEIR_RULES or ./rules)']],
  config: ['slot'],
  options: [
    new Option('--run <regex>', 'only tests whose `rule › name` matches'),
    new Option('--junit <file>', 'also write a JUnit report'),
    new Option('--offline', "take the tables from the rules' own `columns:`, even where DATABASE_URL is set"),
  ],
  details: 'Exit codes: 0 all passed, 1 some failed, 2 the rules have mistakes.',
  action: async ({ io, args, flags, sources, json }) => {
    const compiled = await compileFor(io, { rules: args[0], sources, offline: flags['offline'] === true });
    if (compiled.plan === null) return reportProblems(io, compiled, json);
    const run = typeof flags['run'] === 'string' ? flags['run'] : undefined;
    const report = runTests(compiled, { run });
    if (typeof flags['junit'] === 'string') writeFileSync(resolve(io.cwd, flags['junit']), junit(report));
    await print(io, json ? `${JSON.stringify(report, null, 2)}\n` : shownReport(report));
    return report.failed === 0 ? EXIT.ok : EXIT.findings;
  },
};
