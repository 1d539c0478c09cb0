import { Option } from 'commander';
import type pg from 'pg';
import { EXIT, type ExitCode, WeirError } from '../errors.ts';
import { nearest } from '../rules/nearest.ts';
import { connect } from './connect.ts';
import { print } from './io.ts';
import { linesOf } from './lines-of.ts';
import { type Edit, editList } from './list-edit.ts';
import { showHistory, showList, showLists, type Wanted } from './list-show.ts';
import { loadConfig } from './load-config.ts';
import type { CommandContext, CommandSpec } from './program.ts';
import { notInitialised } from './status.ts';

/** Of a list and its history, unless --limit says otherwise. */
const MOST_SHOWN = '1000';

export const listCommand: CommandSpec = {
  name: 'list',
  summary: 'What is in the lists that rules look into: show it, add to it, remove from it',
  args: [
    ['<action>', 'show, add or remove'],
    ['[name]', 'the list; none: show all of them'],
    ['[values...]', 'entries, compared as text; show: only these'],
  ],
  config: ['slot'],
  options: [
    new Option('--file <path>', 'add, remove: entries from a file, one a line; - for stdin'),
    new Option('--note <text>', 'add, remove: why'),
    new Option('--new', 'add: make the list, if it is not there'),
    new Option('--history', 'show: every change, the newest first'),
    new Option('--limit <n>', 'show: so many rows; 0: all').default(MOST_SHOWN),
  ],
  details: `An edit is one revision, whatever it holds; a running Weir judges by it every row that is committed later. Who made
it is the role of the URL, and the user of this machine beside it. In SQL: insert into weir.list_entries, delete from it.
Exit codes: 0 done, 2 usage or no such list, 3 the store does not answer.`,
  action: async (context) => {
    const [action = '', name, ...given] = context.args;
    if (!ACTIONS.includes(action))
      throw unusable(`there is no action ${JSON.stringify(action)}`, ACTIONS.join(', '));
    const { storeUrl: url, slot } = loadConfig(context.sources);
    const target = { url, variable: 'WEIR_STORE_URL', slot, statementTimeoutMs: 0 };
    const store = await connect(target);
    try {
      await checkSchema(store, slot);
      const values = given.length === 0 ? null : given;
      if (action === 'show') return await show(context, store, { name: name ?? null, values });
      return await edit(context, store, {
        ...{ action: action as Edit['action'], name: name ?? '', values: given },
      });
    } finally {
      await store.end();
    }
  },
};

const ACTIONS: readonly string[] = ['show', 'add', 'remove'];

async function show(
  { io, json, flags }: CommandContext,
  store: pg.Client,
  of: Omit<Wanted, 'limit'>,
): Promise<ExitCode> {
  const asked = { ...of, limit: limitOf(flags) };
  if (of.name !== null) await checkName(store, of.name);
  const shown =
    flags['history'] === true
      ? await showHistory(store, asked)
      : of.name === null
        ? await showLists(store)
        : await showList(store, asked);
  await print(io, json ? `${JSON.stringify(shown.rows, null, 2)}\n` : shown.text);
  if (shown.more > 0)
    io.stderr.write(json ? `{"more":${shown.more}}\n` : `${shown.more} more: --limit 0 shows all\n`);
  return EXIT.ok;
}

interface Asked {
  readonly action: Edit['action'];
  readonly name: string;
  readonly values: readonly string[];
}

async function edit(context: CommandContext, store: pg.Client, asked: Asked): Promise<ExitCode> {
  const { io, json, flags } = context;
  const { action, name, values } = asked;
  const file = flags['file'] === undefined ? null : String(flags['file']);
  if (name === '' || (values.length === 0 && file === null))
    throw unusable(`${action} what?`, `weir list ${action} NAME VALUE…, or --file PATH`);
  const make = action === 'add' && flags['new'] === true;
  if (!make) await checkName(store, name);
  const note = flags['note'] === undefined ? null : String(flags['note']);
  const done = await editList(store, { action, name, make, note, values: valuesOf(context, values, file) });
  const told = action === 'add' ? 'in it already' : 'not in it';
  const text = `${action === 'add' ? 'added' : 'removed'} ${done.changed}, ${done.unchanged} ${told}: ${name} at revision ${done.revision}\n`;
  await print(io, json ? `${JSON.stringify({ list: name, ...done })}\n` : text);
  return EXIT.ok;
}

const MOST_BYTES = 1_024;

/** Empty lines of a file are none; an empty argument is an entry. */
async function* valuesOf(
  { io }: CommandContext,
  values: readonly string[],
  file: string | null,
): AsyncGenerator<string> {
  for (const value of values) yield checked(value);
  if (file === null) return;
  const unreadable = (why: string, cause: unknown): WeirError =>
    new WeirError({
      ...{ code: 'WEIR_LIST', message: `cannot read entries from ${JSON.stringify(file)} (${why})` },
      ...{ hint: 'name a file with an entry on each line, or - for stdin', exit: EXIT.usage, cause },
    });
  for await (const line of linesOf(io.cwd, file, unreadable)) {
    const value = line.replace(/\r$/, '');
    if (value !== '') yield checked(value);
  }
}

function checked(value: string): string {
  const shown = JSON.stringify(value.slice(0, 40));
  if (value.includes('\0'))
    throw unusable(`${shown} holds a NUL, which no text in PostgreSQL does`, 'leave it out');
  if (Buffer.byteLength(value) <= MOST_BYTES) return value;
  throw unusable(`an entry is too long: ${shown}…`, `entries have ${MOST_BYTES} bytes at most`);
}

async function checkSchema(store: pg.Client, slot: string): Promise<void> {
  const { rows } = await store.query<{ there: boolean }>(
    "select to_regclass('weir.list_changes') is not null as there",
  );
  if (rows[0]?.there !== true) throw notInitialised({ slot });
}

async function checkName(store: pg.Client, name: string): Promise<void> {
  const { rows } = await store.query<{ name: string }>('select name from weir.lists');
  if (rows.some((list) => list.name === name)) return;
  const near = nearest(
    name,
    rows.map((list) => list.name),
  );
  const meant = near === null ? '' : `did you mean ${near}? `;
  throw unusable(
    `there is no list ${JSON.stringify(name)}`,
    `${meant}A list is made by the rules (lists: { ${name}: { values: [] } }, then weir run), or by weir list add --new ${name} VALUE…`,
  );
}

function limitOf(flags: CommandContext['flags']): number | null {
  const limit = Number(flags['limit']);
  if (!Number.isSafeInteger(limit) || limit < 0)
    throw unusable(`--limit ${String(flags['limit'])} is no number of rows`, 'as in --limit 100');
  return limit === 0 ? null : limit;
}

function unusable(message: string, hint: string): WeirError {
  return new WeirError({ code: 'WEIR_LIST', message, hint, exit: EXIT.usage });
}
