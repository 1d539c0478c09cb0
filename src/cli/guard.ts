import { Option } from 'commander';
import type pg from 'pg';
import type { Config } from '../config.ts';
import { EXIT, type ExitCode, WeirError } from '../errors.ts';
import { changeGuard, LOCK_TIMEOUT } from '../guard/change-guard.ts';
import { guardScript, removalScript } from '../guard/guard-script.ts';
import { type InstalledGuard, readGuards, readTable, sameTable } from '../guard/guard-state.ts';
import { type Guarding, guardingOf } from '../guard/guarding.ts';
import type { CatalogTable } from '../rules/catalog.ts';
import type { TableName } from '../source/catalog.ts';
import { withClient } from './connect.ts';
import { guardHome } from './guard-home.ts';
import { print } from './io.ts';
import { loadConfig } from './load-config.ts';
import type { CommandContext, CommandSpec } from './program.ts';
import { readValidRules } from './read-rules.ts';

export const guardCommand: CommandSpec = {
  name: 'guard',
  summary:
    'A trigger on a table of yours that refuses rows whose subject is blocked: print it, or with --apply, do it',
  args: [
    ['<action>', 'install or remove'],
    ['<table>', 'as in the rules: public.transactions'],
  ],
  config: ['slot', 'rules'],
  options: [new Option('--apply', 'run it, in one transaction')],
  details: `The insert (COPY too) of a row that is blocked, or on which a rule with guard: true fires, fails with SQLSTATE WR001 and
the rule's id. The trigger needs no running Weir. It takes a SHARE ROW EXCLUSIVE lock for a moment, and gives up after
${LOCK_TIMEOUT}. Run it as the owner of the table who is also a member of the role that owns the schema weir, or a superuser.
Exit codes: 0 done, 1 there is nothing for a guard to refuse, 2 usage, 3 a server does not answer.`,
  action: async (context) => {
    const [action = '', name = ''] = context.args;
    if (action !== 'install' && action !== 'remove')
      throw unusable(`there is no action ${JSON.stringify(action)}`, 'install, or remove');
    const config = loadConfig(context.sources);
    const target = { url: config.databaseUrl, variable: 'DATABASE_URL', slot: config.slot };
    return withClient(target, async (source) => {
      const asked = { context, config, source, table: await parseTable(source, name) };
      return action === 'install' ? install(asked) : remove(asked);
    });
  },
};

interface Asked {
  readonly context: CommandContext;
  readonly config: Config;
  readonly source: pg.Client;
  readonly table: TableName;
}

/** As the rules name tables: the schema ends at the first dot. As SQL does, where there are quotes. */
async function parseTable(source: pg.Client, name: string): Promise<TableName> {
  if (!name.includes('"')) {
    const dot = name.indexOf('.');
    return { schema: dot < 0 ? 'public' : name.slice(0, dot), name: name.slice(dot + 1) };
  }
  const { rows } = await source
    .query<{ parts: string[] }>('select parse_ident($1) as parts', [name])
    .catch(() => ({ rows: [] }));
  const parts = rows[0]?.parts ?? [];
  const [last] = parts.slice(-1);
  if (last === undefined || parts.length > 2)
    throw unusable(
      `${JSON.stringify(name)} names no table`,
      'write public.transactions, or public."Odd name"',
    );
  return { schema: parts.length === 2 ? (parts[0] ?? 'public') : 'public', name: last };
}

async function install({ context, config, source, table }: Asked): Promise<ExitCode> {
  const { owner } = await guardHome(source, config);
  const known = await readTable(source, table);
  if (known === null)
    throw unusable(
      `there is no table ${table.schema}.${table.name}`,
      'a guard is for ordinary and partitioned tables, not for views',
    );
  const { plan } = await readValidRules({
    path: config.rulesPath,
    cwd: context.io.cwd,
    source,
    webhooks: Object.keys(config.webhooks),
  });
  const guarding = guardingOf(plan, known);
  const installed = await guardOf(source, config.slot, table);
  const script = guardScript({ slot: config.slot, table: known, guarding, installed, owner });
  const statements = [...script.functions, ...script.trigger];
  const nothing = guarding.subjects.length + guarding.rules.length === 0;
  const apply = context.flags['apply'] === true && !nothing;
  if (apply && statements.length > 0) await changeGuard(source, table, statements);
  await tell(context, { table: known, guarding, statements, apply, enabled: installed?.enabled ?? true });
  return nothing ? EXIT.findings : EXIT.ok;
}

async function guardOf(source: pg.Client, slot: string, table: TableName): Promise<InstalledGuard | null> {
  return (await readGuards(source, slot)).find((guard) => sameTable(guard, table)) ?? null;
}

async function remove({ context, config, source, table }: Asked): Promise<ExitCode> {
  const { io, json, flags } = context;
  const guard = await guardOf(source, config.slot, table);
  const statements = guard === null ? [] : removalScript(config.slot, guard);
  const apply = flags['apply'] === true;
  if (apply && guard !== null) await changeGuard(source, table, statements);
  const name = `${table.schema}.${table.name}`;
  const outcome = guard === null ? 'there was none' : apply ? 'removed' : 'printed';
  if (json) await print(io, `${JSON.stringify({ table: name, outcome, statements }, null, 2)}\n`);
  else if (guard === null) await print(io, `${name} has no guard\n`);
  else await print(io, apply ? `the guard of ${name} is gone\n` : transactionOf(statements));
  return EXIT.ok;
}

interface Told {
  readonly table: CatalogTable;
  readonly guarding: Guarding;
  readonly statements: readonly string[];
  readonly apply: boolean;
  readonly enabled: boolean;
}

async function tell({ io, json }: CommandContext, told: Told): Promise<void> {
  const { table, guarding, statements, apply, enabled } = told;
  const name = `${table.schema}.${table.name}`;
  const { subjects, notes } = guarding;
  const rules = guarding.rules.map(({ id }) => id);
  const outcome =
    [...subjects, ...rules].length === 0
      ? 'nothing to refuse'
      : statements.length === 0
        ? 'there already'
        : apply
          ? 'installed'
          : 'printed';
  const warnings = enabled
    ? notes
    : [...notes, `the trigger is there and disabled: alter table ${name} enable trigger all switches it on`];
  if (json) {
    await print(
      io,
      `${JSON.stringify({ table: name, outcome, subjects, rules, notes: warnings, statements }, null, 2)}\n`,
    );
    return;
  }
  for (const note of warnings) io.stderr.write(`note: ${note}\n`);
  const refuses = [
    ...subjects.map((names) => `blocked ${names.join(', ')}`),
    ...rules.map((id) => `rule ${id}`),
  ].join('; ');
  if (outcome === 'nothing to refuse') {
    const why = 'no block that these rules make is by columns of it, and no rule over it says guard: true';
    await print(io, `${name}: nothing for a guard to refuse: ${why}\n`);
  } else if (outcome === 'printed') await print(io, `-- refuses: ${refuses}\n${transactionOf(statements)}`);
  else await print(io, `${name} has its guard${outcome === 'installed' ? '' : ' already'}: ${refuses}\n`);
}

function transactionOf(statements: readonly string[]): string {
  return `begin;\nset local lock_timeout = '${LOCK_TIMEOUT}';\n${statements.join('\n')}\ncommit;\n`;
}

function unusable(message: string, hint: string): WeirError {
  return new WeirError({ code: 'WEIR_GUARD', message, hint, exit: EXIT.usage });
}
