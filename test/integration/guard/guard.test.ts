import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { keyText } from '../../../src/events/keys.ts';
import { refreshGuards } from '../../../src/guard/refresh-guards.ts';
import { compileRules } from '../../../src/rules/compile-rules.ts';
import { readCatalog } from '../../../src/source/catalog.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { runCaptured } from '../../unit/cli/run-captured.ts';

const TABLES = `
  create table transactions (id bigint generated always as identity primary key, user_id int, device_id text,
    "Odd ""name""" text, amount numeric, country text);
  create table parted (id bigint, user_id int, amount numeric) partition by range (id);
  create table parted_low partition of parted for values from (0) to (100);
  create table keyless (user_id bigint);
  create table other (name text);
  create role clerk login;
  grant insert, select on transactions to clerk;
`;
const rules = (more: string): string => `version: 1
events:
  transaction: { table: public.transactions }
lists:
  trusted: { values: ["42"] }
rules:
  - id: hurried
    event: transaction
    let: { n: { count: transaction, by: user_id, over: 1m } }
    when: n > 10
    actions: [block]
    block: { by: user_id, for: 24h }
  - id: shared
    event: transaction
    actions: [block]
    block: { by: [user_id, device_id], for: 24h }
${more}`;
const HUGE = `  - id: huge
    event: transaction
    when: amount > 10000
    unless: user_id in lists.trusted
    guard: true
`;

describe('a guard', () => {
  let postgres: TestPostgres;
  let cwd: string;
  let host: pg.Client;

  beforeAll(async () => {
    postgres = await startPostgres({ version: 15 });
    cwd = mkdtempSync(join(tmpdir(), 'weir-guard-'));
    host = new pg.Client(postgres.url);
    await host.connect();
    await host.query(TABLES);
    writeFileSync(join(cwd, 'r.yaml'), rules(HUGE));
    await weir('init', '--apply');
  }, 60_000);
  afterAll(async () => {
    await host?.end();
    await postgres?.close();
    rmSync(cwd, { recursive: true, force: true });
  });
  beforeEach(() => writeFileSync(join(cwd, 'r.yaml'), rules(HUGE)));
  afterEach(async () => {
    await host.query('truncate weir.blocks');
    for (const table of ['transactions', 'parted', 'keyless'])
      await weir('guard', 'remove', table, '--apply');
  });

  async function weir(...argv: string[]): Promise<string> {
    const { exit, stdout, stderr } = await ask(...argv);
    if (exit !== 0) throw new Error(`weir ${argv.join(' ')} ended with ${exit}: ${stdout}${stderr}`);
    return stdout;
  }

  function ask(...argv: string[]) {
    const env = { DATABASE_URL: postgres.url, WEIR_RULES: 'r.yaml', WEIR_PARTITIONS: '3' };
    return runCaptured(COMMANDS, argv, { env, cwd });
  }

  async function block(
    key: string,
    value: string,
    more: { reason?: string; scoredBy?: string; until?: string; instance?: string } = {},
  ) {
    await host.query(
      `insert into weir.blocks (subject_key, subject_value, reason, scored_by, until, processor_id)
       values ($1, $2, $3, $4, now() + $5::interval, $6)`,
      [
        ...[key, value, more.reason ?? 'hurried', more.scoredBy ?? null],
        ...[more.until ?? '1 day', more.instance ?? 'weir'],
      ],
    );
  }

  /** What a statement is refused with; null: it is not. */
  async function refused(statement: string, client = host): Promise<Record<string, unknown> | null> {
    try {
      await client.query(statement);
      return null;
    } catch (error) {
      const { code, message, constraint, table, schema } = error as pg.DatabaseError;
      return { code, message, constraint, table, schema };
    }
  }

  async function refusals() {
    const { rows } = await host.query(
      'select rule_id, refusals::int from weir.guard_refusals order by 1 nulls first',
    );
    return rows.map((row: { rule_id: string | null; refusals: number }) => [row.rule_id, row.refusals]);
  }

  /** All that the database has of triggers, functions, sequences and their comments. */
  async function traces() {
    const { rows } = await host.query(`select
      array(select tgrelid::regclass || tgname from pg_trigger where not tgisinternal order by 1) as triggers,
      array(select oid::regprocedure::text from pg_proc where pronamespace = 'weir'::regnamespace order by 1) as functions,
      array(select oid::regclass::text from pg_class where relnamespace = 'weir'::regnamespace order by 1) as relations,
      (select count(*)::int from pg_description) as comments, (select count(*)::int from pg_depend) as depend,
      (select relacl::text from pg_class where oid = 'transactions'::regclass) as rights`);
    return rows[0];
  }

  test('refuses a row whose subject is blocked, by rule and until when, and counts it', async () => {
    await weir('guard', 'install', 'transactions', '--apply');
    await block('user_id', '7');
    expect(await refused('insert into transactions (user_id, amount) values (6, 1), (7, 1)')).toEqual({
      code: 'WR001',
      message: expect.stringMatching(
        /^weir: insert into public\.transactions refused: user_id 7 is blocked until \S+Z by rule hurried$/,
      ),
      constraint: 'hurried',
      table: 'transactions',
      schema: 'public',
    });
    expect(await refused('insert into transactions (user_id, amount) values (6, 1), (null, 1)')).toBeNull();
    expect(await refusals()).toEqual([
      [null, 1],
      ['huge', 0],
    ]);
    expect((await weir('status')).split('\n')).toContainEqual(
      expect.stringMatching(/guard +public.transactions: 1 refused by blocks/),
    );
    const { rows } = await host.query('select count(*)::int as n from transactions where user_id = 7');
    expect(rows).toEqual([{ n: 0 }]);
  });

  test('refuses a row that a guard rule condemns, by the lists that are in force at that moment', async () => {
    await weir('guard', 'install', 'transactions', '--apply');
    const insert = 'insert into transactions (user_id, amount) values (42, 20000)';
    const other = 'insert into transactions (user_id, amount) values (43, 20000)';
    expect(await refused(insert)).toBeNull();
    expect(await refused(other)).toMatchObject({ code: 'WR001', constraint: 'huge' });
    await host.query("delete from weir.list_entries where value = '42'");
    expect(await refused(insert)).toMatchObject({ constraint: 'huge' });
    await host.query("insert into weir.list_entries (list_name, value) values ('trusted', '43')");
    expect(await refused(other)).toBeNull();
    expect(await refusals()).toEqual([
      [null, 0],
      ['huge', 2],
    ]);
  });

  test('names the rules whose scores have reached the band that blocks', async () => {
    await weir('guard', 'install', 'transactions', '--apply');
    await block('user_id', '7', { reason: 'scoring.transaction.block', scoredBy: 'huge + hurried' });
    expect(await refused('insert into transactions (user_id) values (7)')).toMatchObject({
      message: expect.stringMatching(/ is blocked until \S+Z by rules huge \+ hurried$/),
      constraint: 'scoring.transaction.block',
    });
  });

  test('does not refuse by a block that is over, or of another instance, or by NULL', async () => {
    await weir('guard', 'install', 'transactions', '--apply');
    await block('user_id', '1', { until: '-1 second' });
    await block('user_id', '2', { instance: 'other' });
    expect(await refused('insert into transactions (user_id) values (1), (2), (null)')).toBeNull();
  });

  test('finds a subject of several columns, and one that is too long, by the key that Weir writes', async () => {
    await weir('guard', 'install', 'transactions', '--apply');
    const long = `${'é'.repeat(40)}${'😀'.repeat(300)}`;
    for (const device of ['a "b"\\\n\u0001', 'ü', long]) {
      await host.query('truncate weir.blocks');
      await block('user_id,device_id', keyText(['5', device], [0, 1]) ?? '');
      const insert = `insert into transactions (user_id, device_id) values (5, ${pg.escapeLiteral(device)})`;
      expect(await refused(insert), device).toMatchObject({ code: 'WR001' });
      expect(await refused(insert.replace('(5,', '(6,'))).toBeNull();
    }
  });

  test('makes COPY and an upsert fail, and works for roles without any right in the schema weir', async () => {
    await weir('guard', 'install', 'transactions', '--apply');
    await block('user_id', '7');
    const clerk = new pg.Client(postgres.url.replace('postgres@', 'clerk@'));
    await clerk.connect();
    try {
      expect(await refused('select * from weir.blocks', clerk)).toMatchObject({ code: '42501' });
      expect(await refused('insert into transactions (user_id) values (7)', clerk)).toMatchObject({
        code: 'WR001',
      });
      expect(await refused('insert into transactions (user_id) values (8)', clerk)).toBeNull();
    } finally {
      await clerk.end();
    }
    const upsert =
      'insert into transactions (id, user_id) overriding system value values (1, 7) on conflict (id) do nothing';
    expect(await refused(upsert)).toMatchObject({ code: 'WR001' });
    const copy = 'copy transactions (user_id) from program \'printf "8\\n7\\n"\'';
    expect(await refused(copy)).toMatchObject({ code: 'WR001', constraint: 'hurried' });
  });

  test('stands on partitioned tables, and on tables that no rule captures', async () => {
    await weir('guard', 'install', 'parted', '--apply');
    await weir('guard', 'install', 'public.keyless', '--apply');
    await block('user_id', '7');
    expect(await refused('insert into parted values (1, 7, 1)')).toMatchObject({
      code: 'WR001',
      table: 'parted_low',
    });
    expect(await refused('insert into parted values (1, 8, 1)')).toBeNull();
    expect(await refused('insert into keyless values (7)')).toMatchObject({ code: 'WR001' });
    await host.query('create table parted_high partition of parted for values from (100) to (200)');
    expect(await refused('insert into parted values (101, 7, 1)')).toMatchObject({ code: 'WR001' });
  });

  test('comes after the triggers of the host, which fill columns in', async () => {
    await host.query(`create function fill() returns trigger language plpgsql as 'begin new.user_id := 7; return new; end';
      create trigger zebra before insert on keyless for each row execute function fill()`);
    await weir('guard', 'install', 'keyless', '--apply');
    await block('user_id', '7');
    expect(await refused('insert into keyless values (8)')).toMatchObject({ code: 'WR001' });
    await host.query('drop function fill cascade');
  });

  test.each([
    ['weir.blocks', 'alter table weir.blocks rename to gone', 'alter table weir.gone rename to blocks'],
    ['the schema weir', 'alter schema weir rename to gone', 'alter schema gone rename to weir'],
    [
      'a column',
      'alter table transactions rename user_id to who',
      'alter table transactions rename who to user_id',
    ],
  ])('lets rows pass where %s is missing', async (_, take, giveBack) => {
    await weir('guard', 'install', 'transactions', '--apply');
    await block('user_id', '7');
    await host.query(take);
    try {
      expect(await refused('insert into transactions (amount) values (1)')).toBeNull();
    } finally {
      await host.query(giveBack);
    }
    expect(await refused('insert into transactions (user_id) values (7)')).toMatchObject({ code: 'WR001' });
  });

  test('is printed as SQL that does the same; twice is as good as once; removed, it leaves no trace', async () => {
    const before = await traces();
    const script = await weir('guard', 'install', 'transactions');
    expect(await traces()).toEqual(before);
    await host.query(script);
    const made = await traces();
    expect(made).not.toEqual(before);
    expect(await weir('guard', 'install', 'transactions', '--apply')).toContain('has its guard already');
    expect(await traces()).toEqual(made);
    await host.query(await weir('guard', 'remove', 'transactions'));
    expect(await traces()).toEqual(before);
    expect(JSON.parse(await weir('guard', 'remove', 'transactions', '--json'))).toMatchObject({
      outcome: 'there was none',
    });
  });

  test('is not made where nothing could be refused, or of a table that is not there', async () => {
    expect(await ask('guard', 'install', 'other', '--apply')).toMatchObject({
      exit: 1,
      stdout: expect.stringContaining('nothing for a guard to refuse'),
    });
    expect((await ask('guard', 'install', 'nosuch')).stderr).toContain('there is no table public.nosuch');
  });

  test('gives up on a locked table, says who holds it, and has changed nothing', async () => {
    const before = await traces();
    const busy = new pg.Client(postgres.url);
    await busy.connect();
    await busy.query('begin; insert into transactions (user_id) values (1)');
    const { exit, stderr } = await ask('guard', 'install', 'transactions', '--apply');
    await busy.end();
    expect([exit, stderr]).toEqual([2, expect.stringMatching(/PID \d+ holds RowExclusiveLock/)]);
    expect(await traces()).toEqual(before);
  }, 20_000);

  test('is brought to other rules in one transaction, without waiting for the table', async () => {
    await weir('guard', 'install', 'transactions', '--apply');
    const insert = "insert into transactions (user_id, amount, country) values (1, 20000, 'XX')";
    expect(await refused(insert)).toMatchObject({ constraint: 'huge' });
    const busy = new pg.Client(postgres.url);
    await busy.connect();
    await busy.query('begin; lock table transactions in share row exclusive mode');
    const abroad = "  - { id: abroad, event: transaction, when: country == 'XX', guard: true }\n";
    writeFileSync(join(cwd, 'r.yaml'), rules(abroad));
    const doctor = await ask('doctor');
    expect(doctor.stdout).toContain('the guard of public.transactions is not that of the rules on disk');
    expect(await bring(rules(abroad))).toEqual({ written: 1, notOurs: 0 });
    expect(await bring(rules(abroad))).toEqual({ written: 0, notOurs: 0 });
    await busy.end();
    expect(await refused(insert)).toMatchObject({ constraint: 'abroad' });
    expect((await ask('doctor')).stdout).toContain(
      'the guard of public.transactions is that of the rules on disk',
    );
    expect(await refusals()).toEqual([
      [null, 0],
      ['abroad', 1],
      ['huge', 1],
    ]);
    await bring('version: 1\nevents: { transaction: { table: public.transactions } }\n');
    expect(await refused(insert)).toBeNull();
  }, 20_000);

  async function bring(text: string, client = host): Promise<{ written: number; notOurs: number }> {
    const catalog = await readCatalog(host, [{ schema: 'public', name: 'transactions' }]);
    const { plan, problems } = compileRules([{ name: 'r.yaml', text }], catalog);
    if (plan === null) throw new Error(JSON.stringify(problems));
    const { written, notOurs } = await refreshGuards(client, 'weir', plan);
    return { written: written.length, notOurs: notOurs.length };
  }

  test('belongs to the owner of the schema weir, who may bring it to other rules without a right on the table', async () => {
    await host.query(`create role keeper login; grant usage, create on schema public to keeper;
      alter schema weir owner to keeper; grant select on all tables in schema weir to keeper;
      alter table weir.blocks owner to keeper`);
    const keeper = new pg.Client(postgres.url.replace('postgres@', 'keeper@'));
    await keeper.connect();
    try {
      await weir('guard', 'install', 'transactions', '--apply');
      expect(
        await bring('version: 1\nevents: { transaction: { table: public.transactions } }\n', keeper),
      ).toEqual({
        written: 1,
        notOurs: 0,
      });
      await block('user_id', '7');
      expect(await refused('insert into transactions (user_id) values (7)')).toBeNull();
      await weir('guard', 'install', 'transactions', '--apply');
      expect(await refused('insert into transactions (user_id) values (7)')).toMatchObject({ code: 'WR001' });
      await host.query(`do $$ begin execute (select format('alter function %s owner to postgres', tgfoid::regprocedure)
        from pg_trigger where tgname = 'zz_weir_guard_weir'); end $$`);
      expect(await bring(rules(''), keeper)).toEqual({ written: 0, notOurs: 1 });
    } finally {
      await keeper.end();
      await host.query('reassign owned by keeper to postgres; drop owned by keeper; drop role keeper');
    }
  });

  test('installed by a process that dies half-way is not there at all', async () => {
    const before = await traces();
    const script = (await weir('guard', 'install', 'transactions')).replace('\ncommit;\n', '\n');
    const dying = new pg.Client(postgres.url);
    dying.on('error', () => undefined);
    await dying.connect();
    await dying.query(script);
    const { rows } = await dying.query('select pg_backend_pid() as pid');
    await host.query('select pg_terminate_backend($1, 5000)', [rows[0].pid]);
    await dying.end().catch(() => undefined);
    expect(await traces()).toEqual(before);
  });

  test('goes first at teardown, which leaves nothing, and can be made again after init', async () => {
    await weir('guard', 'install', 'transactions', '--apply');
    expect(await weir('teardown')).toMatch(/-- 1\. guards of public\.transactions\n[\s\S]*drop trigger/);
    await weir('teardown', '--apply');
    const { rows } = await host.query('select 1 from pg_trigger where not tgisinternal');
    expect(rows).toEqual([]);
    expect(await refused('insert into transactions (user_id, amount) values (1, 20000)')).toBeNull();
    await weir('init', '--apply');
    await weir('guard', 'install', 'transactions', '--apply');
    expect(await refused('insert into transactions (user_id, amount) values (1, 20000)')).toMatchObject({
      code: 'WR001',
    });
  }, 30_000);
});
