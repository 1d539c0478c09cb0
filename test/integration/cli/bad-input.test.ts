import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { type Captured, runCaptured } from '../../unit/cli/run-captured.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres({ version: 18, settings: { wal_level: 'replica' } });
  const client = new pg.Client(postgres.url);
  await client.connect();
  await client.query(`create table transactions (id int primary key, user_id int, amount numeric, at timestamptz);
    create table logs (line text);
    create role reader login`);
  await client.end();
}, 60_000);
afterAll(() => postgres.close());

const UNREACHABLE = 'postgresql://weir:hunter2@127.0.0.1:1/shop';

function rulesIn(files: Readonly<Record<string, string>>): string {
  const cwd = mkdtempSync(join(tmpdir(), 'weir-bad-'));
  mkdirSync(join(cwd, 'rules'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, 'rules', name), text);
  return cwd;
}

function rule(parts: { table?: string; ops?: string; when?: string }): string {
  const ops = parts.ops === undefined ? '' : `, ops: ${parts.ops}`;
  return `version: 1
events:
  transaction: { table: ${parts.table ?? 'public.transactions'}${ops} }
rules:
  - id: large
    event: transaction
    when: ${parts.when ?? 'amount > 10000'}
    score: 80
    actions: [alert]
`;
}

function weir(
  argv: readonly string[],
  options: { files?: Record<string, string>; url?: string | null } = {},
) {
  const url = options.url === undefined ? postgres.url : options.url;
  const cwd = rulesIn(options.files ?? { 'r.yaml': rule({}) });
  return runCaptured(COMMANDS, argv, { env: url === null ? {} : { DATABASE_URL: url }, cwd });
}

function expectRefused(got: Captured, exit: number, ...parts: readonly string[]): void {
  for (const part of parts) expect(`${got.stdout}${got.stderr}`).toContain(part);
  expect(got.exit).toBe(exit);
  expect(`${got.stdout}${got.stderr}`).not.toContain('this is a bug');
}

describe('the database', () => {
  test.each(['run', 'init', 'status', 'doctor', 'teardown'])(
    '%s without DATABASE_URL says how to set it',
    async (name) => {
      expectRefused(
        await weir([name], { url: null }),
        2,
        'DATABASE_URL is not set',
        'export DATABASE_URL=postgresql://',
      );
    },
  );

  test.each(['init', 'status', 'doctor', 'check'])(
    '%s exits 3 when PostgreSQL is unreachable',
    async (name) => {
      const got = await weir([name], { url: UNREACHABLE });
      expectRefused(got, 3, 'postgresql://weir:***@127.0.0.1:1/shop', 'ECONNREFUSED', 'DATABASE_URL');
      expect(`${got.stdout}${got.stderr}`).not.toContain('hunter2');
    },
  );

  test('a database and a role that do not exist are mistakes of the URL', async () => {
    const nowhere = postgres.url.replace(/postgres$/, 'nowhere');
    expectRefused(await weir(['status'], { url: nowhere }), 2, 'database "nowhere" does not exist');
    const nobody = postgres.url.replace('postgres@', 'nobody@');
    expectRefused(await weir(['status'], { url: nobody }), 2, 'role "nobody" does not exist', 'DATABASE_URL');
  });

  test('status, and run, before init name the command that is missing', async () => {
    expectRefused(await weir(['status']), 2, 'WEIR_NOT_INITIALISED', 'weir init --apply');
  });

  test('wal_level that is not logical: init changes nothing, doctor finds it, both with the fix', async () => {
    const fix = 'ALTER SYSTEM SET wal_level = logical';
    expectRefused(await weir(['init', '--apply']), 2, 'WEIR_WAL_LEVEL', 'wal_level is replica', fix);
    const doctor = await weir(['doctor', '--json']);
    expect(doctor.exit).toBe(1);
    expect(JSON.parse(doctor.stdout)).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({ subject: 'source', id: 'wal-level', ok: false, takes: 'restart' }),
        expect.objectContaining({ subject: 'store', id: 'schema', ok: false }),
        expect.objectContaining({ subject: 'queue', id: 'queue-database', ok: false, severity: 'warning' }),
      ]),
    });
    expectRefused(await weir(['doctor']), 1, fix, '(takes a restart)');
    expect((await weir(['init'])).stdout).toContain(`FIRST: wal_level is replica`);
  });

  test('a role without REPLICATION', async () => {
    const url = postgres.url.replace('postgres@', 'reader@');
    expectRefused(
      await weir(['init', '--apply'], { url }),
      2,
      'role "reader" may not replicate',
      'ALTER ROLE "reader" REPLICATION',
    );
    expectRefused(await weir(['doctor'], { url }), 1, 'ALTER ROLE "reader" REPLICATION');
  });
});

describe('the rules', () => {
  const both = ['check', 'init'] as const;

  test.each(both)('%s: a table that does not exist, with the nearest that does', async (name) => {
    const files = { 'r.yaml': rule({ table: 'public.transaction' }) };
    expectRefused(
      await weir([name], { files }),
      2,
      'rules/r.yaml:3:',
      '"public.transaction" does not exist',
      'did you mean public.transactions?',
    );
  });

  test.each(both)('%s: a column that does not exist, with the nearest that does', async (name) => {
    const files = { 'r.yaml': rule({ when: 'amuont > 5' }) };
    expectRefused(await weir([name], { files }), 2, 'rules/r.yaml:7:', 'amuont', 'did you mean amount?');
  });

  test.each(both)('%s: updates of a table without a primary key', async (name) => {
    const files = { 'r.yaml': rule({ table: 'public.logs', ops: '[update]', when: 'line == "x"' }) };
    expectRefused(await weir([name], { files }), 2, 'public.logs', 'no replica identity', 'primary key');
  });

  test.each(both)('%s: a condition of the wrong type', async (name) => {
    const files = { 'r.yaml': rule({ when: 'amount > "a lot"' }) };
    expectRefused(await weir([name], { files }), 2, 'rules/r.yaml:7:');
  });

  test.each(both)('%s: broken YAML', async (name) => {
    const files = { 'r.yaml': 'version: 1\nevents: {\n' };
    expectRefused(await weir([name], { files }), 2, 'rules/r.yaml:');
  });

  test.each(both)('%s: an empty rules directory, and one that is not there', async (name) => {
    expectRefused(await weir([name], { files: {} }), 2, 'WEIR_NO_RULES', 'WEIR_RULES');
    const got = await runCaptured(COMMANDS, [name], { env: { DATABASE_URL: postgres.url }, cwd: tmpdir() });
    expectRefused(got, 2, 'WEIR_RULES_UNREADABLE');
  });

  test('without a database the tables are as `columns:` says, and a rule set without them says so', async () => {
    const files = { 'r.yaml': rule({}) };
    expectRefused(await weir(['check', 'rules'], { files, url: null }), 2, 'rules/r.yaml:', 'columns');
    const typed = rule({}).replace(
      'transactions }',
      'transactions, columns: { id: int4, amount: numeric } }',
    );
    expect((await weir(['check', 'rules'], { files: { 'r.yaml': typed }, url: null })).exit).toBe(0);
    expect(
      (await weir(['check', 'rules', '--offline'], { files: { 'r.yaml': typed }, url: UNREACHABLE })).exit,
    ).toBe(0);
  });

  test('every mistake is told at once, and --json has its place', async () => {
    const files = { 'r.yaml': rule({ when: 'amuont > 5' }), 'b.yaml': 'version: 1\nrulez: []\n' };
    const got = await weir(['check', '--json'], { files });
    expect(got.exit).toBe(2);
    expect(JSON.parse(got.stdout)).toMatchObject({
      valid: false,
      problems: [
        { file: 'rules/b.yaml', line: 2, column: 1, severity: 'error' },
        { file: 'rules/r.yaml', line: 7, severity: 'error' },
      ],
    });
  });
});
