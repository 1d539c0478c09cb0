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
