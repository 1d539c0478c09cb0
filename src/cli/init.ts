import { Option } from 'commander';
import { EXIT } from '../errors.ts';
import { withClient } from './connect.ts';
import { serverVersion } from './init-context.ts';
import { initSteps } from './init-steps.ts';
import type { CliIo } from './io.ts';
import { loadConfig } from './load-config.ts';
import type { CommandSpec } from './program.ts';
import { readValidRules } from './read-rules.ts';
import { printSteps, runSteps } from './step.ts';

export const initCommand: CommandSpec = {
  name: 'init',
  summary: 'Print, or with --apply run, the SQL that Weir needs: role, schema, publications, queue, slot',
  config: ['rules', 'slot', 'partitions', 'columns', 'adoptSlot'],
  options: [
    new Option('--apply', 'do it; safe to repeat'),
    new Option(
      '--role <name>',
      "a role of Weir's own with the least rights (default: when printing weir, else none)",
    ),
  ],
  details: `A DBA runs what weir init prints; then, as Weir's role: weir init --apply --adopt-slot.
Or, as a superuser, weir init --apply does everything at once.`,
  action: async ({ io, flags, sources, json }) => {
    const config = loadConfig(sources);
    const apply = flags['apply'] === true;
    const role = typeof flags['role'] === 'string' ? flags['role'] : apply ? null : 'weir';
    const target = { url: config.databaseUrl, variable: 'DATABASE_URL', slot: config.slot };
    await withClient(target, async (source) => {
      const webhooks = Object.keys(config.webhooks);
      const rules = await readValidRules({ path: config.rulesPath, cwd: io.cwd, source, webhooks });
      const steps = await initSteps({
        config,
        rules,
        source,
        role,
        serverVersion: await serverVersion(source),
        adoptSlot: config.adoptSlot,
        tell: (line) => tell(io, line, json),
      });
      if (apply) await runSteps(io, steps, json);
      else await printSteps(io, steps, { json, before: BEFORE, after: AFTER });
    });
    return EXIT.ok;
  },
};

function tell(io: CliIo, line: string, json: boolean): void {
  io.stderr.write(json ? `${JSON.stringify({ waiting: line })}\n` : `\n  ${line}\n`);
}

const BEFORE = 'What Weir needs, in this order. Nothing here changes your tables or their rows.';
const AFTER = `Then, with DATABASE_URL naming Weir's role:
  weir init --apply --adopt-slot   records where the slot starts; weir run then works
weir teardown prints how to take all of it away again.`;
