import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { seedLists } from '../../../src/store/list-control.ts';
import { dropAll, migrate } from '../../../src/store/migrate.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { runCaptured } from '../../unit/cli/run-captured.ts';

const RULES = (values: string) => `version: 1
events: { payment: { table: public.payments } }
lists:
  trusted: { values: [${values}] }
rules:
  - { id: r, event: payment, when: user_id in lists.trusted, score: 1 }
`;

let postgres: TestPostgres;
let client: Client;
const cwd = mkdtempSync(join(tmpdir(), 'weir-list-'));

beforeAll(async () => {
  postgres = await startPostgres({ version: 18 });
  client = new Client(postgres.url);
  await client.connect();
  await client.query('create table payments (id int primary key, user_id int)');
});
afterAll(async () => {
  await client?.end();
  await postgres?.close();
});
beforeEach(async () => {
  await dropAll(client);
  await migrate(client);
  await client.query('begin');
  await seedLists(client, new Map([['trusted', new Set(['1', '2'])]]));
  await client.query('commit');
});

function weir(...argv: string[]) {
  return runCaptured(COMMANDS, argv, { env: { DATABASE_URL: postgres.url }, cwd });
}

async function shown(...argv: string[]): Promise<unknown> {
  const { exit, stdout } = await weir('list', 'show', ...argv, '--json');
  expect(exit).toBe(0);
  return JSON.parse(stdout);
}

async function revisions(): Promise<number> {
  const { rows } = await client.query('select count(*)::int as n from weir.list_revisions');
  return (rows as [{ n: number }])[0].n;
}

describe('weir list', () => {
  test('add and remove say what they have changed, and who did it is kept', async () => {
    expect(
      (await weir('list', 'add', 'trusted', '--note', 'ticket 7', '--', '2', '3', '3', '-x')).stdout,
    ).toBe('added 2, 1 in it already: trusted at revision 3\n');
    expect((await weir('list', 'remove', 'trusted', '1', '9', '--note', 'gone', '--json')).stdout).toBe(
      '{"list":"trusted","changed":1,"unchanged":1,"revision":4}\n',
    );
    const who = { changedBy: 'postgres', onBehalfOf: userInfo().username };
    expect(await shown('trusted')).toMatchObject([
      { value: '-x', note: 'ticket 7', ...who },
      { value: '2', note: null, changedBy: 'postgres', onBehalfOf: 'rules' },
      { value: '3', note: 'ticket 7', ...who },
    ]);
    expect(await shown('trusted', '--history', '--limit', '3')).toMatchObject([
      { revision: 4, change: 'removed', value: '1', note: 'gone', ...who },
      { revision: 3, change: 'added', value: '-x' },
      { revision: 3, change: 'added', value: '3' },
    ]);
    expect(await shown()).toMatchObject([{ list: 'trusted', entries: 3, revision: 4, ...who }]);
    expect(await shown('trusted', '3', '9')).toMatchObject([{ value: '3' }]);
    expect(await shown('trusted', '1', '--history')).toMatchObject([
      { change: 'removed' },
      { change: 'added' },
    ]);
    const forPeople = await weir('list', 'show', 'trusted', '--limit', '1');
    expect(forPeople.stdout).toMatch(/^value +added +by +note\n-x +20\S+ +\S+ as postgres +ticket 7\n$/);
    expect(forPeople.stderr).toBe('2 more: --limit 0 shows all\n');
  });

  test('takes a file of any length as one revision, with whatever ends its lines', async () => {
    const file = join(cwd, 'many.txt');
    const many = Array.from({ length: 25_000 }, (_, i) => `v${i}`);
    writeFileSync(file, `${many.join('\r\n')}\n\n a b \n`);
    const before = await revisions();
    expect((await weir('list', 'add', 'trusted', '--file', 'many.txt')).stdout).toBe(
      'added 25001, 0 in it already: trusted at revision 3\n',
    );
    expect(await revisions()).toBe(before + 1);
    const { rows } = await client.query("select from weir.list_entries where value in ('v24999', ' a b ')");
    expect(rows).toHaveLength(2);
    expect((await weir('list', 'remove', 'trusted', '--file', 'many.txt')).stdout).toContain(
      'removed 25001, 0',
    );
  });

  test('makes a list only where it is told to, and names the nearest otherwise', async () => {
    const slip = await weir('list', 'add', 'trustd', '1');
    expect(slip.exit).toBe(2);
    expect(slip.stderr).toContain('there is no list "trustd"');
    expect(slip.stderr).toContain('did you mean trusted?');
    expect(slip.stderr).toContain('weir list add --new trustd VALUE');
    expect((await weir('list', 'show', 'trustd')).exit).toBe(2);
    expect((await weir('list', 'add', '--new', 'other', '1')).stdout).toContain('added 1');
    expect((await weir('list', 'add', '--new', 'other', '2')).stdout).toContain('added 1');
    expect(await shown()).toMatchObject([{ list: 'other', entries: 2 }, { list: 'trusted' }]);
  });

  test('refuses what it cannot do, and leaves the list as it was', async () => {
    const before = await revisions();
    writeFileSync(join(cwd, 'long.txt'), `3\n${'x'.repeat(1_025)}\n`);
    for (const argv of [
      ['edit', 'trusted', '1'],
      ['add', 'trusted'],
      ['add'],
      ['add', 'trusted', '--file', 'nosuch.txt'],
      ['add', 'trusted', '--file', 'long.txt'],
      ['show', 'trusted', '--limit', 'x'],
    ]) {
      const { exit, stderr } = await weir('list', ...argv);
      expect([exit, stderr], argv.join(' ')).toEqual([2, expect.stringContaining('(WEIR_LIST)')]);
    }
    expect(await revisions()).toBe(before);
    await dropAll(client);
    expect((await weir('list', 'show')).stderr).toContain('WEIR_NOT_INITIALISED');
  });
});

describe('weir check', () => {
  const check = async (values: string): Promise<string[]> => {
    writeFileSync(join(cwd, 'r.yaml'), RULES(values));
    const { exit, stdout } = await weir('check', 'r.yaml');
    expect(exit).toBe(0);
    return stdout.split('\n').filter((line) => line.includes('warning:'));
  };

  test('warns of values in the rules that do not come into a list which the store has', async () => {
    await weir('list', 'remove', 'trusted', '2');
    await weir('list', 'add', 'trusted', '7');
    expect(await check('"1", "2"')).toEqual([]);
    expect(await check('"2", "3", "4"')).toEqual([
      expect.stringMatching(
        /^r.yaml:4:3: warning: .*"3", "4" of them were never put into it \(weir list add trusted 3 …\)$/,
      ),
      expect.stringMatching(
        /^r.yaml:4:3: warning: .*"1" came from there once .* \(weir list remove trusted 1\)$/,
      ),
    ]);
  });

  test('goes without the store where there is none, or a role may not look', async () => {
    await dropAll(client);
    expect(await check('"3"')).toEqual([]);
  });
});
