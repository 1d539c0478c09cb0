import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { existingSlot, makeSlot } from '../../../src/cli/init-slot.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres({ version: 18, settings: { max_prepared_transactions: '5' } });
}, 60_000);
afterAll(() => postgres.close());

async function client(name: string): Promise<pg.Client> {
  const made = new pg.Client({ connectionString: postgres.url, application_name: name });
  await made.connect();
  return made;
}

test('it says for whom the making of a slot waits, and goes on when they end', async () => {
  const [writer, other] = [await client('nightly-import'), await client('test')];
  await other.query('create table t (x int)');
  await other.query('begin; insert into t values (1)');
  await other.query("prepare transaction 'half-done'");
  await writer.query('begin');
  await writer.query('insert into t select 1');
  const told: string[] = [];
  const making = makeSlot(postgres.url, 'weir', (whom) => told.push(...whom));
  await until('the open transaction is named', () => told.some((who) => who.includes('nightly-import')));
  await writer.query('commit');
  await until('the prepared transaction is named', () => told.some((who) => who.includes('half-done')));
  await other.query("commit prepared 'half-done'");
  const made = await making;
  expect(made.made).toBe(true);
  expect(await existingSlot(other, 'weir')).toEqual({ startsAt: made.startsAt, made: false });
  expect(told.find((who) => who.includes('nightly-import'))).toMatch(
    /^PID \d+ \(postgres, nightly-import, .*insert into t/,
  );
  await writer.end();
  await other.end();
});

test("a slot that is somebody else's is refused", async () => {
  const other = await client('test');
  await other.query("select pg_create_physical_replication_slot('standby_1')");
  await expect(existingSlot(other, 'standby_1')).rejects.toMatchObject({
    code: 'WEIR_SLOT_FOREIGN',
    message: expect.stringContaining('physical'),
    hint: expect.stringContaining('WEIR_SLOT'),
  });
  expect(await existingSlot(other, 'nobodys')).toBeNull();
  await other.end();
});
