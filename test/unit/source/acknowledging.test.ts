import { describe, expect, test } from 'vitest';
import { closing, formatPosition } from '../../../src/events/position.ts';
import { AckPoints } from '../../../src/source/ack-points.ts';
import { STALL_MS, stalled } from '../../../src/source/liveness.ts';
import { standbyStatus } from '../../../src/source/standby-status.ts';
import type { Acknowledgement } from '../../../src/store/control.ts';
import { lsn } from './stream.ts';

const ack = (n: number): Acknowledgement => ({
  lsn: lsn(n),
  rules: `v${n}`,
  lists: 0,
  times: { commitAt: n, events: {} },
});

describe('what may be acknowledged', () => {
  test('is the greatest commit that every partition is done with', () => {
    const points = new AckPoints(lsn(0));
    for (const n of [10, 20, 30]) points.add(ack(n));
    expect(points.take([closing(lsn(20)), closing(lsn(30))])).toEqual(ack(20));
    expect(points.take([closing(lsn(20)), closing(lsn(30))])).toBeNull();
    expect(points.take([closing(lsn(30)), closing(lsn(30))])).toEqual(ack(30));
  });

  test('is not a transaction that a partition stands inside', () => {
    const points = new AckPoints(lsn(0));
    for (const n of [10, 20]) points.add(ack(n));
    expect(points.take([formatPosition(lsn(20), 5), closing(lsn(20))])).toEqual(ack(10));
  });

  test('is never what is recorded already, nor twice the same', () => {
    const points = new AckPoints(lsn(10));
    points.add(ack(10));
    expect(points.take([closing(lsn(10))])).toBeNull();
    points.add(ack(20));
    points.add({ ...ack(20), rules: 'other' });
    expect(points.take([closing(lsn(20))])).toEqual(ack(20));
  });

  test('is known ever more coarsely while a partition stands still, but always to the last commit', () => {
    const points = new AckPoints(lsn(0));
    for (let n = 1; n <= 100_000; n++) points.add(ack(n));
    const taken = points.take([closing(lsn(50_000))]);
    expect(Number(taken?.lsn)).toBeGreaterThan(49_900);
    expect(Number(taken?.lsn)).toBeLessThanOrEqual(50_000);
    expect(points.take([closing(lsn(100_000))])).toEqual(ack(100_000));
  });
});

describe('liveness', () => {
  const seen = { nowMs: STALL_MS, movedMs: 0, batches: [2, 1], queued: [2, 1] };

  test('asks for an epoch when the queue holds less than what is outstanding', () => {
    expect(stalled({ ...seen, queued: [2, 0] })).toMatch(/partition 1 holds 0 of 1 batches/);
    expect(stalled({ ...seen, queued: [] })).toMatch(/partition 0 holds 0 of 2/);
  });

  test.each([
    ['the queue holds everything', seen],
    ['a position has just moved', { ...seen, movedMs: 1, queued: [0, 0] }],
    ['nothing is outstanding', { ...seen, batches: [0, 0], queued: [0, 0] }],
    ['the queue still holds what is committed already', { ...seen, queued: [5, 1] }],
  ])('asks for none when %s', (_, given) => {
    expect(stalled(given)).toBeNull();
  });
});

describe('a standby status', () => {
  const status = { received: lsn(0), flushed: lsn(0x16_b374_d849), nowMs: 946_684_800_001, ping: false };

  test('counts its time from 2000-01-01', () => {
    expect(standbyStatus(status).readBigInt64BE(25)).toBe(1_000n);
  });

  test('has the layout of the protocol', () => {
    const bytes = standbyStatus({ ...status, received: lsn(0x16_b374_d900), ping: true });
    expect(bytes.toString('hex')).toBe(
      '720000001' + '6b374d900' + '00000016b374d849' + '00000016b374d849' + '00000000000003e8' + '01',
    );
  });

  test('has received at least what it has flushed', () => {
    expect(standbyStatus(status).readBigUInt64BE(1)).toBe(status.flushed);
  });
});
