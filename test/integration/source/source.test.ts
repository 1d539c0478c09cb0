import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closing, parseLsn } from '../../../src/events/position.ts';
import { slotStatus } from '../../../src/source/slot.ts';
import { until } from '../../support/until.ts';
import { SLOT, SourceFixture } from './fixture.ts';

describe.each([14, 18] as const)('the source on PostgreSQL %i', (version) => {
  let fixture: SourceFixture;

  beforeAll(async () => {
    fixture = await SourceFixture.start(version);
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.reset());
  afterEach(() => fixture.stopAll());

  test('every row has its effect once, and the slot follows', async () => {
    fixture.workers.start();
    const running = fixture.source();
    await fixture.streaming(running);
    await fixture.sql('insert into payments (user_id) select g % 50 from generate_series(1, 1000) g');
    await fixture.sql('insert into payments (user_id) values (1)');
    await fixture.settled(1001);
    expect(await fixture.count('(select distinct position from effects) d')).toBe(1001);
    running.source.drain();
    await running.done;
    const [ack] = await fixture.sql('select lsn::text from weir.acks');
    const client = await fixture.client();
    const slot = await slotStatus(client, SLOT);
    await client.end();
    const acked = parseLsn(ack?.['lsn'] as string);
    expect(slot?.confirmedFlushLsn).toBe(acked + 1n);
    const positions = await fixture.sql('select position from weir.checkpoints');
    expect(positions.every(({ position }) => position === closing(acked))).toBe(true);
  });

  test('a start after a clean drain replays nothing', async () => {
    fixture.workers.start();
    const first = fixture.source();
    await fixture.streaming(first);
    await fixture.sql('insert into payments (user_id) select g from generate_series(1, 10) g');
    await fixture.settled(10);
    first.source.drain();
    await first.done;
    const second = fixture.source();
    await fixture.streaming(second);
    await fixture.sql('insert into payments (user_id) values (7)');
    await fixture.settled(11);
    expect(second.measured.rowCount).toBe(1);
  });

  test('a transaction that another server committed an hour ahead moves no time', async () => {
    fixture.workers.start();
    await fixture.streaming(fixture.source());
    await fixture.sql('insert into payments (user_id) values (1)');
    await fixture.settled(1);
    const client = await fixture.client();
    await client.query("select pg_replication_origin_create('elsewhere')");
    await client.query("select pg_replication_origin_session_setup('elsewhere')");
    await client.query('begin');
    await client.query("select pg_replication_origin_xact_setup('1/2A', now() + interval '1 hour')");
    await client.query('insert into payments (user_id) values (2)');
    await client.query('commit');
    await client.query('select pg_replication_origin_session_reset()');
    await client.end();
    await fixture.sql('insert into payments (user_id) values (3)');
    await fixture.settled(3);
    await fixture.sql("select pg_replication_origin_drop('elsewhere')");
    const rows = await fixture.sql(
      `select cells ->> 1 as "user", at <= extract(epoch from clock_timestamp()) * 1e6 as past,
         at >= lag(at) over (order by position) as monotone
       from effects where home order by position`,
    );
    expect(rows).toEqual([
      { user: '1', past: true, monotone: null },
      { user: '2', past: true, monotone: true },
      { user: '3', past: true, monotone: true },
    ]);
  });

  test('workers that are away for a while lose and double nothing', async () => {
    const running = fixture.source();
    await fixture.streaming(running);
    await fixture.sql('insert into payments (user_id) select g from generate_series(1, 500) g');
    await until('batches', () => fixture.workers.batches.some(({ rows }) => rows > 0));
    fixture.workers.flushAll();
    await fixture.control.requestEpoch(await fixture.control.currentEpoch(), 'test');
    await until('the next epoch', () => running.measured.epochs.includes('requested'));
    fixture.workers.start();
    await fixture.settled(500);
    expect(await fixture.count('effects')).toBe(500);
    expect(fixture.workers.gaps).toBe(0);
  });
});
