import { Option } from 'commander';
import type pg from 'pg';
import type { Config } from '../config.ts';
import { EXIT } from '../errors.ts';
import { type Finding, refusal } from '../source/finding.ts';
import { judgeServer, readServer } from '../source/requirements.ts';
import { withClient } from './connect.ts';
import { serverVersion } from './init-context.ts';
import { initSteps } from './init-steps.ts';
import type { CliIo } from './io.ts';
import { loadConfig } from './load-config.ts';
import type { CommandSpec } from './program.ts';
import { readValidRules } from './read-rules.ts';
import { printSteps, runSteps, type Step, THERE } from './step.ts';

export const initCommand: CommandSpec = {
  name: 'init',
  summary: 'Print, or with --apply run, the SQL that Weir needs: role, schema, publications, queue, slot',
  config: ['rules', 'slot', 'partitions', 'columns', 'adoptSlot'],
  options: [
    new Option('--apply', 'do it; safe to repeat'),
    new Option(
      '--role <name>',
      "a role of Weir's own with the least rights (default: when printing the owner of the schema weir, else weir; with --apply none)",
    ),
  ],
  details: `A DBA runs what weir init prints; then, as Weir's role: weir init --apply --adopt-slot.
Or, as a superuser, weir init --apply does everything at once.`,
  action: async ({ io, flags, sources, json }) => {
    const config = loadConfig(sources);
    const apply = flags['apply'] === true;
    const said = typeof flags['role'] === 'string' ? flags['role'] : null;
    const role = said ?? (apply ? null : ((await schemaOwner(config)) ?? 'weir'));
    const options = { role, cwd: io.cwd, tell: (line: string) => tell(io, line, json) };
    await withInitSteps(config, options, async (steps, source) => {
      const lacks = judgeServer(await readServer(source, config.slot)).filter(({ ok }) => !ok);
      const refused = refusal(lacks);
      if (!apply)
        await printSteps(io, steps, { json, before: `${BEFORE}${shownLacks(lacks)}`, after: after(steps) });
      else if (refused === null) await runSteps(io, steps, json);
      else throw refused;
    });
    return EXIT.ok;
  },
};

export interface InitOptions {
  readonly role: string | null;
  /** Places of mistakes in rules are shown from here. */
  readonly cwd: string;
  readonly tell: (line: string) => void;
}

/** The steps live as long as the session of the source that they use. */
export function withInitSteps(
  config: Config,
  { role, cwd, tell: told }: InitOptions,
  work: (steps: readonly Step[], source: pg.Client) => Promise<void>,
): Promise<void> {
  const target = { url: config.databaseUrl, variable: 'DATABASE_URL', slot: config.slot };
  return withClient(target, async (source) => {
    const webhooks = Object.keys(config.webhooks);
    const rules = await readValidRules({ path: config.rulesPath, cwd, source, webhooks });
    const { adoptSlot } = config;
    const version = await serverVersion(source);
    const steps = await initSteps({
      config,
      rules,
      source,
      role,
      serverVersion: version,
      adoptSlot,
      tell: told,
    });
    await work(steps, source);
  });
}

/** The role that prints is not the one that reads. */
function shownLacks(lacks: readonly Finding[]): string {
  return lacks
    .filter(({ id, severity }) => severity === 'error' && id !== 'replication-right')
    .map(({ measured, why, fix }) => `\nFIRST: ${measured}: ${why}.\n  ${fix}`)
    .join('');
}

function tell(io: CliIo, line: string, json: boolean): void {
  io.stderr.write(json ? `${JSON.stringify({ waiting: line })}\n` : `\n  ${line}\n`);
}

/** Whoever applied it before, role or DBA, is who goes on with it. */
function schemaOwner({ databaseUrl, storeUrl: url, slot }: Config): Promise<string | null> {
  const variable = url === databaseUrl ? 'DATABASE_URL' : 'WEIR_STORE_URL';
  return withClient({ url, variable, slot }, async (store) => {
    const { rows } = await store.query<{ owner: string }>(
      "select pg_get_userbyid(nspowner)::text as owner from pg_namespace where nspname = 'weir'",
    );
    return rows[0]?.owner ?? null;
  });
}

function after(steps: readonly Step[]): string {
  return steps.every(({ script }) => script === THERE) ? ALL_THERE : AFTER;
}

const ALL_THERE = 'All of it is there: weir run works. weir teardown prints how to take it away again.';
const BEFORE = 'What Weir needs, in this order. Nothing here changes your tables or their rows.';
const AFTER = `Then, with DATABASE_URL naming Weir's role:
  weir init --apply --adopt-slot   records where the slot starts; weir run then works
weir teardown prints how to take all of it away again.`;
