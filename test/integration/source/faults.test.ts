import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULTS } from '../../../src/config.ts';
import { until } from '../../support/until.ts';
import { type RunningSource, SLOT, SourceFixture } from './fixture.ts';

const CONFIG = { slot: SLOT, partitions: 4, heartbeatMs: 200 } as const;

describe('a source that meets faults', () => {
  let fixture: SourceFixture;

  beforeAll(async () => {
    fixture = await SourceFixture.start(18);
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.reset());
  afterEach(() => fixture.stopAll());

  const insert = (rows: number) =>
    fixture.sql(
      `insert into payments (user_id, note) select g, repeat('x', 50) from generate_series(1, ${rows}) g`,
    );

  /** Each row once: none missing, none doubled. */
  async function exact(rows: number): Promise<void> {
    await fixture.settled(rows);
    expect(await fixture.count('effects')).toBe(rows);
    expect(
      await fixture.count(
        '(select distinct cells->>0 from effects where cells->>0 in (select id::text from payments)) d',
      ),
    ).toBe(rows);
    expect(fixture.workers.gaps).toBe(0);
  }

  test('a queue that is wiped while the socket is paused heals by itself', async () => {
    const running = fixture.source({ inFlightBytes: 64 * 1024 });
    await fixture.streaming(running);
    await insert(5_000);
    await until('paused', () => running.source.status.state === 'paused');
    await fixture.quiet();
    fixture.workers.flushAll();
    fixture.workers.start();
    await until('an epoch for liveness', () => running.measured.epochs.includes('liveness'), 15_000);
    await exact(5_000);
  });

  test('a queue that holds everything and has no workers gets no new epoch', async () => {
    const running = fixture.source();
    await fixture.streaming(running);
    await insert(10);
    const since = Date.now();
    await until('the rule of liveness would have spoken', () => Date.now() - since > 7_000);
    expect(running.measured.epochs).toEqual(['start']);
    fixture.workers.start();
    await exact(10);
  });

  test('a queue that refuses a batch begins a new epoch', async () => {
    fixture.workers.start();
    const running = fixture.source();
    await fixture.streaming(running);
    fixture.workers.failNextAdd = new Error('READONLY You can’t write against a read only replica.');
    await insert(100);
    await exact(100);
    expect(running.measured.epochs).toContain('queue');
  });

  test('a second source is a hot standby, and takes over when the first lets go', async () => {
    fixture.workers.start();
    const first = fixture.source();
    await fixture.streaming(first);
    await insert(10);
    const second = fixture.source();
    await until('standing by', () => second.source.status.state === 'waiting-for-slot');
    first.source.drain();
    await first.done;
    await fixture.streaming(second);
    await insert(10);
    await exact(20);
  });

  test('a source that lost its slot to another stands by, and has written nothing meanwhile', async () => {
    fixture.workers.start();
    const first = fixture.source();
    await fixture.streaming(first);
    const second = fixture.source();
    await until('standing by', () => second.source.status.state === 'waiting-for-slot');
    // Until the second has the slot the first may get it back: it tries at once.
    await until('the second streams', async () => {
      await fixture.sql(
        'select pg_terminate_backend(active_pid) from pg_replication_slots where active_pid is not null',
      );
      return second.source.status.state === 'streaming';
    });
    await insert(200);
    await exact(200);
    const states = [first, second].map((one: RunningSource) => one.source.status.state);
    expect(states.filter((state) => state === 'streaming')).toHaveLength(1);
  });

  test('a source whose epoch is over records no acknowledgement', async () => {
    fixture.workers.start();
    const running = fixture.source();
    await fixture.streaming(running);
    const old = await fixture.control.currentEpoch();
    const { ack } = await fixture.control.raiseEpoch();
    expect(await fixture.control.recordAck(old, ack)).toBe(false);
    await until('it notices', () => running.measured.epochs.includes('fenced'));
    await insert(50);
    await exact(50);
  });

  test('PostgreSQL that crashes and comes back loses and doubles nothing', async () => {
    fixture.workers.start();
    const running = fixture.source();
    await fixture.streaming(running);
    await insert(1_000);
    await fixture.postgres.stop('immediate');
    await until('it recovers', () => running.source.status.state === 'recovering');
    await fixture.postgres.start();
    await fixture.streaming(running);
    await insert(1_000);
    await exact(2_000);
  });

  test('PostgreSQL that is shut down does not wait for the stream', async () => {
    fixture.workers.start();
    const running = fixture.source();
    await fixture.streaming(running);
    await insert(10);
    await fixture.settled(10);
    const since = Date.now();
    await fixture.postgres.stop('fast');
    expect(Date.now() - since).toBeLessThan(5_000);
    await fixture.postgres.start();
    await fixture.streaming(running);
    await insert(10);
    await exact(20);
  });

  test('a transaction of 200,000 rows runs in bounded memory', async () => {
    fixture.workers.keepRows = false;
    fixture.workers.start();
    const inFlightBytes = 2 * 1024 * 1024;
    const running = fixture.source({
      inFlightBytes,
      config: { ...CONFIG, databaseUrl: fixture.postgres.url, batch: { ...DEFAULTS.batch, rows: 500 } },
    });
    await fixture.streaming(running);
    await insert(200_000);
    await until('200,000 effects', async () => (await fixture.count('effects')) >= 200_000, 60_000);
    await exact(200_000);
    expect(running.measured.pauses).toBeGreaterThan(3);
    // One piece of the stream is read beyond the limit, never more.
    expect(running.measured.maxInFlight).toBeLessThan(inFlightBytes + 2 * 1024 * 1024);
    const inside = fixture.workers.batches.filter(({ to }) => !to.endsWith('.FFFFFFFFFFFF'));
    expect(inside.length).toBeGreaterThan(100);
  });

  test('an idle system writes little', async () => {
    fixture.workers.start();
    await fixture.streaming(fixture.source());
    const written = async () => {
      const [row] = await fixture.sql(
        "select pg_snapshot_xmax(pg_current_snapshot())::text::int as xids, (pg_current_wal_lsn() - '0/0')::float8 as bytes",
      );
      return row as { xids: number; bytes: number };
    };
    const batches = fixture.workers.batches.length;
    const before = await written();
    const since = Date.now();
    await until('6 seconds have passed', () => Date.now() - since > 6_000);
    const after = await written();
    // Thirty heartbeats, and at most two rounds of punctuations with their acknowledgement.
    expect(fixture.workers.batches.length - batches).toBeLessThanOrEqual(8);
    expect(after.xids - before.xids).toBeLessThanOrEqual(32 + 8 + 4);
    expect(after.bytes - before.bytes).toBeLessThan(256 * 1024);
  });

  test('a drain without workers ends in its time, and the next start replays the rest', async () => {
    const first = fixture.source({ drainMs: 500, inFlightBytes: 64 * 1024 });
    await fixture.streaming(first);
    await insert(5_000);
    await until('paused', () => first.source.status.state === 'paused');
    first.source.drain();
    await first.done;
    fixture.workers.start();
    await fixture.streaming(fixture.source());
    await exact(5_000);
  });

  test('a queue that fails during a drain does not keep it from ending', async () => {
    fixture.workers.start();
    const first = fixture.source();
    await fixture.streaming(first);
    await insert(10);
    await fixture.settled(10);
    await fixture.workers.stop();
    fixture.workers.failNextAdd = new Error('away');
    await insert(10);
    first.source.drain();
    await first.done;
    fixture.workers.failNextAdd = null;
    fixture.workers.start();
    await fixture.streaming(fixture.source());
    await exact(20);
  });
});
