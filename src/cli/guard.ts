import { Option } from 'commander';
import type pg from 'pg';
import type { Config } from '../config.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import { changeGuard, LOCK_TIMEOUT } from '../guard/change-guard.ts';
import { removalScript } from '../guard/guard-script.ts';
import type { TableName } from '../source/catalog.ts';
import { withClient } from './connect.ts';
import { installedGuard, unusable, type WantedGuard, wantedGuard } from './guard-install.ts';
import { print } from './io.ts';
import { loadConfig } from './load-config.ts';
import type { CommandContext, CommandSpec } from './program.ts';

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
  const wanted = await wantedGuard(source, { config, cwd: context.io.cwd, table });
  const { guarding, statements } = wanted;
  const nothing = guarding.subjects.length + guarding.rules.length === 0;
  const apply = context.flags['apply'] === true && !nothing;
  if (apply && statements.length > 0) await changeGuard(source, table, statements);
  await tell(context, { ...wanted, table, apply });
  return nothing ? EXIT.findings : EXIT.ok;
}

async function remove({ context, config, source, table }: Asked): Promise<ExitCode> {
  const { io, json, flags } = context;
  const guard = await installedGuard(source, config.slot, table);
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

interface Told extends WantedGuard {
  readonly table: TableName;
  readonly apply: boolean;
}

async function tell({ io, json }: CommandContext, told: Told): Promise<void> {
  const { table, guarding, statements, installed } = told;
  const name = `${table.schema}.${table.name}`;
  const { subjects } = guarding;
  const rules = guarding.rules.map(({ id }) => id);
  const off = `the trigger is there and disabled: alter table ${name} enable trigger all switches it on`;
  const notes = installed?.enabled === false ? [...guarding.notes, off] : guarding.notes;
  const outcome = outcomeOf(told);
  if (json) {
    const shown = { table: name, outcome, subjects, rules, notes, statements };
    await print(io, `${JSON.stringify(shown, null, 2)}\n`);
    return;
  }
  for (const note of notes) io.stderr.write(`note: ${note}\n`);
  const blocked = subjects.map((names) => `blocked ${names.join(', ')}`);
  const refuses = [...blocked, ...rules.map((id) => `rule ${id}`)].join('; ');
  const texts: Readonly<Record<Outcome, string>> = {
    'nothing to refuse': `${name}: nothing for a guard to refuse: no block that these rules make is by columns of it, and no rule over it says guard: true\n`,
    'there already': `${name} has its guard already: ${refuses}\n`,
    installed: `${name} has its guard: ${refuses}\n`,
    printed: `-- refuses: ${refuses}\n${transactionOf(statements)}`,
  };
  await print(io, texts[outcome]);
}

type Outcome = 'nothing to refuse' | 'there already' | 'installed' | 'printed';

function outcomeOf({ guarding: { subjects, rules }, statements, apply }: Told): Outcome {
  if (subjects.length + rules.length === 0) return 'nothing to refuse';
  if (statements.length === 0) return 'there already';
  return apply ? 'installed' : 'printed';
}

function transactionOf(statements: readonly string[]): string {
  return `begin;\nset local lock_timeout = '${LOCK_TIMEOUT}';\n${statements.join('\n')}\ncommit;\n`;
}
