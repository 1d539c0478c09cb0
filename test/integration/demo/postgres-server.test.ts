import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';

describe.each([14, 15, 18] as const)('the embedded PostgreSQL %i', (version) => {
  let server: TestPostgres | undefined;
  afterAll(() => server?.close());

  it('runs with wal_level=logical, and a committed row survives a stop in immediate mode', async () => {
    server = await startPostgres({ version });
    const before = new pg.Client(server.url);
    before.on('error', () => undefined);
    await before.connect();
    const shown = await before.query(
      'select current_setting($1) as level, current_setting($2)::int as version',
      ['wal_level', 'server_version_num'],
    );
    expect(shown.rows[0].level).toBe('logical');
    expect(Math.floor(shown.rows[0].version / 10_000)).toBe(version);
    await before.query('create table kept as select 1 as one');
    await server.stop('immediate');
    await server.start();
    const after = new pg.Client(server.url);
    await after.connect();
    expect((await after.query('select one from kept')).rows).toEqual([{ one: 1 }]);
    await after.end();
  });
});
