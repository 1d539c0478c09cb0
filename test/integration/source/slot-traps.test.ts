import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Blocker, createSlot, slotStatus } from '../../../src/source/slot.ts';
import { until } from '../../support/until.ts';
import { makePlan, type RunningSource, SLOT, SourceFixture } from './fixture.ts';

describe('a source that finds its slot changed', () => {
  let fixture: SourceFixture;

  beforeAll(async () => {
    fixture = await SourceFixture.start(18, {
      max_slot_wal_keep_size: '1MB',
      min_wal_size: '32MB',
      max_wal_size: '32MB',
      wal_keep_size: '0',
    });
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.reset());
  afterEach(() => fixture.stopAll());

  const refused = (running: RunningSource) =>
    running.done.then(
      () => null,
      (error: unknown) => error,
    );

  test('a slot that was lost is refused with what to do', async () => {
    await until(
      'the slot is lost',
      async () => {
        await fixture.sql(
          "select pg_logical_emit_message(false, 'fill', repeat('x', 1000000)) from generate_series(1, 20)",
        );
        await fixture.sql('select pg_switch_wal()');
        await fixture.sql('checkpoint');
        const client = await fixture.client();
        const status = await slotStatus(client, SLOT);
        await client.end();
        return status?.walStatus === 'lost';
      },
      60_000,
    );
    expect(await refused(fixture.source())).toMatchObject({
      code: 'WEIR_SLOT_LOST',
      message: expect.stringContaining('wal_status=lost'),
      hint: expect.stringContaining(`pg_drop_replication_slot('${SLOT}')`),
    });
  });

  test('a slot that was advanced by hand is refused', async () => {
    await fixture.sql('insert into payments (user_id) values (1)');
    await fixture.sql('select pg_replication_slot_advance($1, pg_current_wal_lsn())', [SLOT]);
    expect(await refused(fixture.source())).toMatchObject({
      code: 'WEIR_SLOT_MOVED',
      message: expect.stringContaining('confirmed_flush_lsn'),
      hint: expect.stringContaining('--adopt-slot'),
    });
  });

  test('a slot that was dropped and recreated is refused', async () => {
    await fixture.sql('select pg_drop_replication_slot($1)', [SLOT]);
    expect(await refused(fixture.source())).toMatchObject({ code: 'WEIR_SLOT_MISSING' });
    await createSlot({ databaseUrl: fixture.postgres.url, slot: SLOT, timeoutMs: 5_000 });
    expect(await refused(fixture.source())).toMatchObject({ code: 'WEIR_SLOT_MOVED' });
  });

  test('a slot that the store does not know is refused', async () => {
    await fixture.sql('delete from weir.instances');
    expect(await refused(fixture.source())).toMatchObject({
      code: 'WEIR_SLOT_UNKNOWN',
      hint: expect.stringContaining('--adopt-slot'),
    });
  });

  test('another system identifier or timeline is refused', async () => {
    await fixture.sql("update weir.instances set system_identifier = '42'");
    expect(await refused(fixture.source())).toMatchObject({
      code: 'WEIR_SYSTEM',
      message: expect.stringContaining('recorded: 42'),
    });
  });

  test('a publication that was dropped and recreated is refused', async () => {
    await fixture.sql(`drop publication ${SLOT}_insert`);
    await fixture.publish(fixture.plan);
    expect(await refused(fixture.source())).toMatchObject({
      code: 'WEIR_PUBLICATIONS',
      message: expect.stringContaining('dropped and recreated'),
    });
  });

  test('a publication that no longer carries a table is refused', async () => {
    await fixture.sql(`alter publication ${SLOT}_insert drop table payments`);
    expect(await refused(fixture.source())).toMatchObject({
      code: 'WEIR_PUBLICATIONS',
      message: expect.stringContaining('public.payments is in no publication'),
      hint: expect.stringContaining('weir init --apply'),
    });
  });

  test('a database that is not there, and a password that is wrong, are told at once', async () => {
    const url = new URL(fixture.postgres.url);
    url.pathname = '/absent';
    const config = {
      databaseUrl: url.href,
      slot: SLOT,
      partitions: 4,
      ...{ batch: { rows: 10, bytes: 1000, lingerMs: 5 }, heartbeatMs: 1_000 },
    };
    expect(await refused(fixture.source({ config }))).toMatchObject({ code: 'WEIR_SOURCE_REFUSED', exit: 3 });
  });

  test('the creation of a slot says which transactions it waits for, and leaves nothing when it gives up', async () => {
    const open = await fixture.client();
    const seen: Blocker[] = [];
    try {
      await open.query('begin');
      await open.query('insert into payments (user_id) values (1)');
      const creation = createSlot({
        ...{ databaseUrl: fixture.postgres.url, slot: 'blocked', timeoutMs: 2_500 },
        onWaiting: (blockers) => seen.push(...blockers),
      });
      await expect(creation).rejects.toMatchObject({
        code: 'WEIR_SLOT_BLOCKED',
        message: expect.stringContaining('idle in transaction'),
      });
    } finally {
      await open.end();
    }
    expect(seen.length).toBeGreaterThan(0);
    const client = await fixture.client();
    expect(await slotStatus(client, 'blocked')).toBeNull();
    await client.end();
  });

  test('updates, deletes and truncates arrive with what the identity sends', async () => {
    await fixture.reset(makePlan('v1', [{ ops: ['insert', 'update', 'delete', 'truncate'] }]));
    fixture.workers.start();
    await fixture.streaming(fixture.source());
    await fixture.sql('insert into payments (user_id) values (5)');
    await fixture.sql('update payments set user_id = 6');
    await fixture.sql('delete from payments');
    await fixture.sql('truncate payments');
    await fixture.settled(4);
    const rows = await fixture.sql('select op, cells from effects order by position');
    expect(rows).toEqual([
      { op: 'insert', cells: ['1', '5'] },
      { op: 'update', cells: ['1', '6'] },
      { op: 'delete', cells: ['1', 1] },
      { op: 'truncate', cells: [] },
    ]);
  });
});
