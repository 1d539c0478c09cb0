import type { Client } from 'pg';
import { Client as PgClient } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Op } from '../../../src/events/row.ts';
import type { TablePlan } from '../../../src/rules/plan.ts';
import { readCatalog } from '../../../src/source/catalog.ts';
import { checkPublications } from '../../../src/source/check-publications.ts';
import { readPublications } from '../../../src/source/existing-publications.ts';
import { publicationSql } from '../../../src/source/publication-sql.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { makePlan } from './fixture.ts';

const SLOT = 'pub';
const CHANGES: readonly Op[] = ['insert', 'update', 'delete'];
const ALL: readonly Op[] = ['insert', 'update', 'delete', 'truncate'];

interface Kind {
  readonly table: string;
  readonly ddl: readonly string[];
  readonly ops: readonly Op[];
  readonly uses: readonly string[];
  /** What the host does; the same works before. */
  readonly host?: readonly string[];
  readonly from?: number;
}

const HOST = [
  'insert into T (id, a, b) values (1, 1, 1), (2, 2, 2)',
  'update T set b = 3 where id = 1',
  'update T set id = 4 where id = 2',
  'delete from T where id = 4',
  'delete from T',
];

const KINDS: readonly Kind[] = [
  { table: 'pk', ddl: ['create table pk (id int primary key, a int, b int)'], ops: CHANGES, uses: ['a'] },
  {
    table: 'pk_truncate',
    ddl: ['create table pk_truncate (id int primary key, a int, b int)'],
    ops: ALL,
    uses: ['a'],
    host: [...HOST, 'truncate T'],
  },
  {
    table: 'pk_two',
    ddl: ['create table pk_two (id int, a int, b int, primary key (id, a))'],
    ops: CHANGES,
    uses: ['b'],
  },
  { table: 'no_pk', ddl: ['create table no_pk (id int, a int, b int)'], ops: ['insert'], uses: ['a'] },
  {
    table: 'no_pk_full',
    ddl: ['create table no_pk_full (id int, a int, b int)', 'alter table no_pk_full replica identity full'],
    ops: CHANGES,
    uses: ['a'],
  },
  {
    table: 'by_index',
    ddl: [
      'create table by_index (id int, a int not null, b int)',
      'create unique index by_index_a on by_index (a)',
      'alter table by_index replica identity using index by_index_a',
    ],
    ops: CHANGES,
    uses: ['b'],
  },
  {
    table: 'nothing_insert',
    ddl: [
      'create table nothing_insert (id int primary key, a int, b int)',
      'alter table nothing_insert replica identity nothing',
    ],
    ops: ['insert'],
    uses: ['a'],
  },
  {
    table: 'parted',
    ddl: [
      'create table parted (id int primary key, a int, b int) partition by range (id)',
      'create table parted_1 partition of parted for values from (0) to (3)',
      'create table parted_2 partition of parted for values from (3) to (100)',
    ],
    ops: CHANGES,
    uses: ['a'],
  },
  {
    table: 'parted_full',
    ddl: [
      'create table parted_full (id int, a int, b int) partition by range (id)',
      'create table parted_full_1 partition of parted_full for values from (0) to (3)',
      'create table parted_full_2 partition of parted_full for values from (3) to (100)',
      'alter table parted_full_1 replica identity full',
      'alter table parted_full_2 replica identity full',
    ],
    ops: CHANGES,
    uses: ['a'],
  },
  {
    table: 'parted_mixed',
    ddl: [
      'create table parted_mixed (id int primary key, a int, b int) partition by range (id)',
      'create table parted_mixed_1 partition of parted_mixed for values from (0) to (3)',
      'create table parted_mixed_2 partition of parted_mixed for values from (3) to (100)',
      'alter table parted_mixed_2 replica identity full',
    ],
    ops: CHANGES,
    uses: ['a'],
  },
  {
    table: 'generated',
    ddl: [
      'create table generated (id int primary key, a int, b int, c int generated always as (a + 1) stored)',
    ],
    ops: CHANGES,
    uses: ['a'],
  },
  {
    table: 'generated_full',
    ddl: [
      'create table generated_full (id int primary key, a int, b int, c int generated always as (a + 1) stored)',
      'alter table generated_full replica identity full',
    ],
    ops: CHANGES,
    uses: ['a'],
  },
  {
    table: 'generated_key',
    ddl: [
      'create table generated_key (id int, a int, b int, c int generated always as (id + 1) stored primary key)',
    ],
    ops: CHANGES,
    uses: ['a'],
  },
  {
    table: 'generated_used',
    ddl: [
      'create table generated_used (id int primary key, a int, b int, c int generated always as (a + 1) stored)',
    ],
    ops: CHANGES,
    uses: ['c'],
    from: 18,
  },
  {
    table: 'parent',
    ddl: ['create table parent (id int primary key, a int, b int)', 'create table heir () inherits (parent)'],
    ops: CHANGES,
    uses: ['a'],
    host: [
      ...HOST,
      'insert into heir (id, a, b) values (9, 9, 9)',
      'update heir set a = 10',
      'delete from heir',
    ],
  },
  {
    table: 'Odd "name"',
    ddl: ['create table "Odd ""name""" (id int primary key, a int, b int)'],
    ops: CHANGES,
    uses: ['a'],
  },
];

function planTable(kind: Kind): Partial<TablePlan> {
  const columns = kind.uses.map((name) => ({ name, pgType: 'int4', type: 'double' as const }));
  return { name: kind.table, event: kind.table, ops: kind.ops, columns, primaryKey: [], keys: [], id: [] };
}

describe.each([14, 15, 18] as const)('publications on PostgreSQL %i', (version) => {
  let postgres: TestPostgres;
  let client: Client;
  const kinds = KINDS.filter(({ from }) => from === undefined || version >= from);

  beforeAll(async () => {
    postgres = await startPostgres({ version });
    client = new PgClient({ connectionString: postgres.url });
    await client.connect();
    for (const { ddl } of kinds) for (const statement of ddl) await client.query(statement);
  });
  afterAll(async () => {
    await client.end();
    await postgres.close();
  });

  async function apply(tables: readonly Partial<TablePlan>[]): Promise<readonly string[]> {
    const plan = makePlan('v', tables);
    const statements = publicationSql(plan, {
      slot: SLOT,
      columns: 'used',
      serverVersion: version * 10_000,
      catalog: await readCatalog(client, plan.tables),
      existing: await readPublications(client, SLOT),
    });
    for (const statement of statements) await client.query(statement);
    return statements;
  }

  test("the host's INSERT, UPDATE and DELETE still work on every kind of table", async () => {
    await apply(kinds.map(planTable));
    const failed: string[] = [];
    for (const kind of kinds) {
      const name = `"${kind.table.replaceAll('"', '""')}"`;
      for (const statement of kind.host ?? HOST) {
        const sql = statement.replace(/\bT\b/, name);
        await client
          .query(sql)
          .catch((error: Error) => failed.push(`${kind.table}: ${sql}: ${error.message}`));
      }
    }
    expect(failed).toEqual([]);
  });

  test('what was applied fits the plan, and applying it again changes nothing', async () => {
    await apply(kinds.map(planTable));
    expect(await apply(kinds.map(planTable))).toEqual([]);
    const plan = makePlan('v', kinds.map(planTable));
    expect(checkPublications(plan, await readPublications(client, SLOT), null)).toEqual([]);
  });

  test('only columns that rules use, the primary key and the identity are published', async () => {
    await apply(kinds.map(planTable));
    const published = await readPublications(client, SLOT);
    const columns = published.flatMap(({ tables }) => tables).find(({ name }) => name === 'pk')?.columns;
    expect(columns).toEqual(version >= 15 ? ['id', 'a'] : null);
  });

  test('a table that is captured otherwise moves by ALTER, and no OID changes', async () => {
    await apply(kinds.map(planTable));
    const before = await readPublications(client, SLOT);
    const pk = kinds.find(({ table }) => table === 'pk') as Kind;
    const rest = kinds.filter(({ table }) => table !== 'pk');
    await apply([...rest.map(planTable), planTable({ ...pk, ops: ['insert'], uses: ['b'] })]);
    const after = await readPublications(client, SLOT);
    for (const { name, oid } of before) expect(after.find((one) => one.name === name)?.oid).toBe(oid);
    const places = after.filter(({ tables }) => tables.some(({ name }) => name === 'pk'));
    expect(places.map(({ name }) => name)).toEqual(['pub_insert']);
  });

  test('a publication that is no longer needed is emptied, not dropped', async () => {
    await apply([{ ...planTable(KINDS[0] as Kind), ops: ['update'] }]);
    await apply([planTable(KINDS[0] as Kind)]);
    const emptied = (await readPublications(client, SLOT)).find(({ name }) => name === 'pub_update');
    expect(emptied?.tables).toEqual([]);
  });

  test('while rules change a table is in both publications, with one column list', async () => {
    const pk = KINDS[0] as Kind;
    await apply([planTable(pk), planTable({ ...pk, ops: ['insert'], uses: ['b'] })]);
    const places = (await readPublications(client, SLOT)).flatMap(({ name, tables }) =>
      tables.filter((table) => table.name === 'pk').map(({ columns }) => ({ name, columns })),
    );
    const columns = version >= 15 ? ['id', 'a', 'b'] : null;
    expect(places).toEqual([
      { name: 'pub_insert', columns },
      { name: 'pub_insert_update_delete', columns },
    ]);
    const plan = makePlan('v', [planTable({ ...pk, ops: ['insert'], uses: ['b'] })]);
    expect(checkPublications(plan, await readPublications(client, SLOT), null)).toEqual([]);
  });

  test('updates of a table without an identity are refused with the fix', async () => {
    const noPk = KINDS.find(({ table }) => table === 'no_pk') as Kind;
    await expect(apply([planTable({ ...noPk, ops: ['update'] })])).rejects.toMatchObject({
      code: 'WEIR_CANNOT_PUBLISH',
      message: expect.stringContaining('no replica identity'),
      hint: expect.stringContaining('REPLICA IDENTITY FULL'),
    });
  });

  test.runIf(version >= 18)(
    'a virtual generated column is refused where it would break updates',
    async () => {
      await client.query(`create table if not exists virtual (id int primary key, a int, b int,
      v int generated always as (a + 1) virtual)`);
      const kind = { table: 'virtual', ddl: [], ops: CHANGES, uses: ['a'] };
      await apply([planTable(kind)]);
      for (const statement of HOST) await client.query(statement.replace(/\bT\b/, 'virtual'));
      await expect(apply([planTable({ ...kind, uses: ['v'] })])).rejects.toThrow(
        /"v" is generated and virtual/,
      );
      await apply([planTable(KINDS[0] as Kind)]);
      await client.query('alter table virtual replica identity full');
      await expect(apply([planTable(kind)])).rejects.toThrow(/FULL and the virtual generated column "v"/);
      await apply([planTable({ ...kind, ops: ['insert'] })]);
      for (const statement of HOST) await client.query(statement.replace(/\bT\b/, 'virtual'));
    },
  );

  test('a table of weir, a missing table and a missing column are refused', async () => {
    await expect(apply([{ schema: 'weir', name: 'alerts' }])).rejects.toThrow(/Weir's own/);
    await expect(apply([{ name: 'absent' }])).rejects.toThrow(/public.absent does not exist/);
    await expect(apply([planTable({ ...(KINDS[0] as Kind), uses: ['z'] })])).rejects.toThrow(/no column "z"/);
  });

  test('a publication for all tables is refused, and told by the check', async () => {
    await client.query('create publication pub_delete for all tables');
    try {
      await expect(apply([planTable(KINDS[0] as Kind)])).rejects.toMatchObject({
        code: 'WEIR_PUBLICATION_WIDE',
      });
    } finally {
      await client.query('drop publication pub_delete');
    }
  });

  test('the catalog resolves domains, arrays, enums and types of other schemas', async () => {
    await client.query(`create schema if not exists odd; create type odd.mood as enum ('sad', 'ok');
      create domain odd.cents as numeric check (value >= 0); create domain odd.more as odd.cents;
      create table if not exists types (id bigint primary key, a odd.more, b text[], c odd.mood, d odd.mood[], e timestamptz,
        f varchar(10), g odd.cents[], h jsonb, i uuid, j int generated always as (1) stored)`);
    const catalog = await readCatalog(client, [{ schema: 'public', name: 'types' }]);
    const table = catalog.tables.get('public.types');
    expect(Object.fromEntries((table?.columns ?? []).map(({ name, pgType }) => [name, pgType]))).toEqual({
      id: 'int8',
      a: 'numeric',
      b: 'text[]',
      c: 'enum',
      d: 'enum[]',
      e: 'timestamptz',
      f: 'varchar',
      g: 'numeric[]',
      h: 'jsonb',
      i: 'uuid',
      j: 'int4',
    });
    expect(table).toMatchObject({ primaryKey: ['id'], replicaIdentity: 'default', identityColumns: ['id'] });
    expect(table?.columns.filter(({ generated }) => generated).map(({ name }) => name)).toEqual(['j']);
  });
});
