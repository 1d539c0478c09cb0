import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openControl } from '../../../src/store/control-store.ts';
import { dropAll, migrate, migrations, pendingMigrations, schemaSql } from '../../../src/store/migrate.ts';
import { StoreFixture } from './fixture.ts';

describe.each([14, 18] as const)('the schema, on PostgreSQL %i', (version) => {
  let store: StoreFixture;
  beforeAll(async () => {
    store = await StoreFixture.start(version);
  });
  afterAll(() => store.close());
  beforeEach(async () => {
    await dropAll(await store.client());
  });

  const everything = () =>
    store.rows<{ name: string }>(
      `select c.relname || '.' || coalesce(a.attname, '') || ':' || coalesce(a.atttypid::regtype::text, '') as name
       from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
       where c.relnamespace = 'weir'::regnamespace order by 1`,
    );

  it('is made once, by however many start at once', async () => {
    const clients = await Promise.all([0, 1, 2].map(() => store.client()));
    const applied = await Promise.all(clients.map((client) => migrate(client)));
    expect(applied.map((one) => one.length).sort()).toEqual([0, 0, migrations().length]);
    expect(await pendingMigrations(await store.client())).toEqual([]);
  });

  it('is the same when a DBA runs the script that init prints', async () => {
    const client = await store.client();
    await migrate(client);
    const migrated = await everything();
    await dropAll(client);
    await client.query(schemaSql());
    expect(await everything()).toEqual(migrated);
    expect(await migrate(client)).toEqual([]);
  });

  it('is refused when a newer Weir has made it', async () => {
    const client = await store.client();
    await migrate(client);
    await client.query(`insert into weir.migrations (version, name) values (900, '900_later')`);
    await expect(migrate(client)).rejects.toMatchObject({
      code: 'WEIR_SCHEMA_NEWER',
      message: `the schema weir is at version 900, and this Weir knows up to ${migrations().at(-1)?.version}`,
    });
  });

  it('has a comment on every table, column, view and function', async () => {
    await store.reset();
    const silent = await store.rows<{ name: string }>(
      `select c.relname || '.' || a.attname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
         where c.relnamespace = 'weir'::regnamespace and c.relkind = 'r' and col_description(c.oid, a.attnum) is null
       union all select relname from pg_class
         where relnamespace = 'weir'::regnamespace and relkind in ('r', 'v') and obj_description(oid, 'pg_class') is null
       union all select proname from pg_proc
         where pronamespace = 'weir'::regnamespace and obj_description(oid, 'pg_proc') is null`,
    );
    expect(silent).toEqual([]);
  });

  it('is gone after teardown, with everything of it', async () => {
    await store.reset();
    await dropAll(await store.client());
    expect(await store.rows(`select from pg_namespace where nspname = 'weir'`)).toEqual([]);
    expect(await openControl(store.pool, 'weir').instance()).toBeNull();
  });
});
