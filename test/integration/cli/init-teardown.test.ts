import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { runCaptured } from '../../unit/cli/run-captured.ts';

const RULES = `version: 1
events:
  transaction: { table: public.transactions }
  account: { table: public.accounts, ops: [insert, update] }
rules:
  - id: large
    event: transaction
    when: amount > 100
    score: 80
    actions: [alert]
  - id: moved
    event: account
    when: country != "DE"
    score: 10
    actions: [alert]
`;
const TABLES = `
  create table transactions (id bigint primary key, user_id int, amount numeric, iban text);
  create table accounts (id int primary key, country text, holder text);
`;

describe.each([14, 18] as const)('on PostgreSQL %i', (version) => {
  let postgres: TestPostgres;
  let cwd: string;
  beforeAll(async () => {
    postgres = await startPostgres({ version });
    cwd = mkdtempSync(join(tmpdir(), 'weir-init-'));
    writeFileSync(join(cwd, 'r.yaml'), RULES);
    await sql(TABLES);
  }, 60_000);
  afterAll(() => postgres.close());

  async function sql(text: string, url = postgres.url): Promise<Record<string, unknown>[]> {
    const client = new pg.Client(url);
    await client.connect();
    try {
      const result = await client.query(text);
      return (Array.isArray(result) ? result.at(-1) : result).rows;
    } finally {
      await client.end();
    }
  }

  function weir(argv: readonly string[], url = postgres.url) {
    const env = { DATABASE_URL: url, WEIR_RULES: 'r.yaml', WEIR_PARTITIONS: '3' };
    return runCaptured(COMMANDS, argv, { env, cwd });
  }

  /** All that Weir makes outside of the schema it owns. */
  async function traces() {
    const [row] = await sql(`select
      array(select pubname::text from pg_publication order by 1) as publications,
      array(select slot_name::text from pg_replication_slots order by 1) as slots,
      array(select nspname::text from pg_namespace where nspname !~ '^pg_' order by 1) as schemas,
      array(select datname::text from pg_database order by 1) as databases,
      array(select rolname::text from pg_roles where rolname !~ '^pg_' order by 1) as roles`);
    return row;
  }

  async function hostWrites(id: number): Promise<void> {
    await sql(`insert into transactions values (${id}, 1, 5, 'DE1');
      update transactions set amount = 6 where id = ${id}; delete from transactions where id = ${id};
      insert into accounts values (${id}, 'DE', 'h');
      update accounts set country = 'FR' where id = ${id}; delete from accounts where id = ${id}`);
  }

  test('init --apply twice makes everything once, the host writes on, teardown leaves nothing', async () => {
    const before = await traces();
    const first = await weir(['init', '--apply']);
    expect(first.stderr).toBe('');
    expect(first.exit).toBe(0);
    const made = await traces();
    expect(made).toMatchObject({
      publications: ['weir_insert', 'weir_insert_update'],
      slots: ['weir'],
      databases: expect.arrayContaining(['weir_queue']),
      schemas: expect.arrayContaining(['weir']),
    });
    await hostWrites(1);
    const instance = await sql(
      `select i.*, a.lsn, a.rules_version from weir.instances i join weir.acks a using (processor_id)`,
    );

    const second = await weir(['init', '--apply']);
    expect([second.exit, second.stderr]).toEqual([0, '']);
    expect(second.stdout).toContain('there already');
    expect(await traces()).toEqual(made);
    expect(
      await sql(
        `select i.*, a.lsn, a.rules_version from weir.instances i join weir.acks a using (processor_id)`,
      ),
    ).toEqual(instance);
    expect(instance).toMatchObject([{ partitions: 3, slot: 'weir', database: 'postgres' }]);
    const [slot] = await sql(
      `select a.lsn < s.confirmed_flush_lsn as before from weir.acks a, pg_replication_slots s`,
    );
    expect(slot).toEqual({ before: true });

    const { stdout: nothing } = await weir(['init']);
    expect(statementsOf(nothing)).toEqual([]);
    expect(nothing).toContain('All of it is there: weir run works.');
    expect(nothing).not.toContain('--adopt-slot ');
    const another = (await weir(['init', '--role', 'another'])).stdout;
    expect(statementsOf(another)[0]).toContain('CREATE ROLE "another"');

    const status = await weir(['status', '--json']);
    expect(status.exit).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject({
      instance: 'weir',
      epoch: 1,
      slot: { activePid: null, walStatus: 'reserved' },
      partitions: [{ partition: 0 }, { partition: 1 }, { partition: 2 }],
      queue: { kind: 'postgres', depths: [0, 0, 0] },
    });
    expect((await weir(['status'])).stdout).toContain('no Weir reads it now');

    const printed = await weir(['teardown']);
    expect(printed.stdout).toContain('pg_drop_replication_slot');
    expect(await traces()).toEqual(made);
    const down = await weir(['teardown', '--apply']);
    expect([down.exit, down.stderr]).toEqual([0, '']);
    expect(await traces()).toEqual(before);
    expect((await weir(['teardown', '--apply'])).exit).toBe(0);
  }, 60_000);

  test('columns that no rule uses are not published', async () => {
    await weir(['init', '--apply']);
    if (version >= 15) {
      const columns = await sql(
        `select tablename::text as table, array_to_string(attnames, ',') as columns from pg_publication_tables order by 1`,
      );
      expect(columns).toEqual([
        { table: 'accounts', columns: 'id,country' },
        { table: 'transactions', columns: 'id,amount' },
      ]);
    }
    await weir(['teardown', '--apply']);
  }, 60_000);

  test('the printed script works as it stands in psql, and then a role without any more rights finishes', async () => {
    const before = await traces();
    const { stdout, exit } = await weir(['init']);
    expect(exit).toBe(0);
    expect(await traces()).toEqual(before);
    const dba = new pg.Client(postgres.url);
    await dba.connect();
    for (const statement of statementsOf(stdout)) await dba.query(statement);
    await dba.end();
    const url = postgres.url.replace('postgres@', 'weir@');
    const finished = await weir(['init', '--apply', '--adopt-slot'], url);
    expect([finished.exit, finished.stderr]).toEqual([0, '']);
    expect(finished.stdout).toContain('adopted');
    await hostWrites(2);
    expect(JSON.parse((await weir(['status', '--json'], url)).stdout)).toMatchObject({ epoch: 1 });
    await expect(sql('select * from transactions', url)).rejects.toThrow('permission denied');
    const down = await weir(['teardown', '--apply', '--role', 'weir']);
    expect([down.exit, down.stderr]).toEqual([0, '']);
    expect(await traces()).toEqual(before);
  }, 60_000);

  test('init --apply --role makes a role that owns what it needs', async () => {
    const before = await traces();
    expect(await weir(['init', '--apply', '--role', 'weir'])).toMatchObject({ exit: 0, stderr: '' });
    expect(
      await sql(
        `select distinct pg_get_userbyid(relowner)::text as owner from pg_class where relnamespace = 'weir'::regnamespace`,
      ),
    ).toEqual([{ owner: 'weir' }]);
    expect(await sql(`select has_database_privilege('weir', current_database(), 'CREATE') as may`)).toEqual([
      { may: false },
    ]);
    const again = await weir(['init', '--apply'], postgres.url.replace('postgres@', 'weir@'));
    expect([again.exit, again.stderr]).toEqual([0, '']);
    expect((await weir(['teardown', '--apply', '--role', 'weir'])).exit).toBe(0);
    expect(await traces()).toEqual(before);
  }, 60_000);

  test('a slot that was dropped by hand is refused, and --adopt-slot begins again with what was found', async () => {
    await weir(['init', '--apply']);
    await sql(`insert into weir.alerts (alert_id, rule_id, kind, severity, subject, message, event_time, commit_lsn, events, details, rules_version, mode, processor_id)
      values ('a', 'r', 'rule', 'high', '{}', 'm', now(), '0/1', '[]', '{}', 'v', 'live', 'weir')`);
    await sql(`select pg_drop_replication_slot('weir')`);
    const refused = await weir(['init', '--apply']);
    expect(refused.exit).toBe(2);
    expect(refused.stderr).toContain('WEIR_SLOT_MISSING');
    expect(refused.stderr).toContain('--adopt-slot');
    const adopted = await weir(['init', '--apply', '--adopt-slot']);
    expect([adopted.exit, adopted.stderr]).toEqual([0, '']);
    expect(await sql('select epoch, partitions from weir.instances')).toEqual([
      { epoch: '2', partitions: 3 },
    ]);
    expect(await sql('select distinct epoch from weir.checkpoints')).toEqual([{ epoch: '2' }]);
    expect(await sql('select alert_id from weir.alerts')).toEqual([{ alert_id: 'a' }]);
    await weir(['teardown', '--apply']);
  }, 60_000);

  test('another slot of this name, and one that is in use, are left alone', async () => {
    await sql(`select pg_create_logical_replication_slot('weir', 'pgoutput')`);
    const refused = await weir(['init', '--apply']);
    expect([refused.exit, refused.stderr.includes('WEIR_SLOT_UNKNOWN')]).toEqual([2, true]);
    await weir(['teardown', '--apply']);
    await sql(`select pg_create_physical_replication_slot('weir')`);
    const physical = await weir(['init', '--apply']);
    expect(physical.stderr).toContain('WEIR_SLOT');
    expect(physical.exit).toBe(2);
    await sql(`select pg_drop_replication_slot('weir')`);
    await weir(['teardown', '--apply']);
  }, 60_000);
});

/** As psql would send them: at each semicolon that ends a line, outside of $$ bodies. */
function statementsOf(script: string): readonly string[] {
  const statements: string[] = [];
  let current = '';
  for (const line of script.split('\n')) {
    if (current === '' && line.startsWith('--')) continue;
    current += `${line}\n`;
    const bodies = current.split('$$').length - 1;
    if (line.trimEnd().endsWith(';') && bodies % 2 === 0) {
      statements.push(current);
      current = '';
    }
  }
  return statements;
}
