import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lsn } from '../../../src/events/position.ts';
import { commitBatch } from '../../../src/store/commit.ts';
import type { ControlStore } from '../../../src/store/control.ts';
import { createInstance, dropInstance, openControl } from '../../../src/store/control-store.ts';
import { segmentTable } from '../../../src/store/segment-table.ts';
import { until } from '../../support/until.ts';
import {
  ACK,
  alertOf,
  closingOf,
  commitOf,
  IDENTITY,
  outputs,
  SLOT,
  START,
  StoreFixture,
  writer,
} from './fixture.ts';

describe.each([14, 18] as const)('the control rows, on PostgreSQL %i', (version) => {
  let store: StoreFixture;
  let control: ControlStore;
  beforeAll(async () => {
    store = await StoreFixture.start(version);
    control = openControl(store.pool, SLOT);
  });
  afterAll(() => store.close());
  beforeEach(() => store.reset());

  it('give back the instance as it was made', async () => {
    expect(await control.instance()).toEqual({
      processorId: SLOT,
      epoch: 1,
      partitions: 4,
      ...IDENTITY,
      ack: ACK,
    });
    expect(await openControl(store.pool, 'another').instance()).toBeNull();
  });

  it('take one request an epoch, and a new epoch answers it', async () => {
    await control.requestEpoch(1, 'a gap');
    await control.requestEpoch(1, 'another gap');
    await control.requestEpoch(0, 'of an epoch long gone');
    expect(await control.progress()).toMatchObject({ epoch: 1, requested: 'a gap' });
    expect(await control.raiseEpoch()).toEqual({
      epoch: 2,
      ack: ACK,
      positions: [START, START, START, START],
    });
    expect(await control.progress()).toMatchObject({ epoch: 2, requested: null });
    await control.requestEpoch(1, 'too late');
    expect((await control.progress()).requested).toBeNull();
    expect(await control.currentEpoch()).toBe(2);
  });

  it('record acknowledgements upward only, and only of the current epoch', async () => {
    const at = (lsn: bigint) => ({ ...ACK, lsn: lsn as Lsn, rules: `at ${lsn}` });
    const recorded = async () => (await control.instance())?.ack;
    expect(await control.recordAck(1, at(0x200n))).toBe(true);
    expect(await control.recordAck(1, at(0x180n))).toBe(true);
    expect(await recorded()).toEqual(at(0x200n));
    await control.raiseEpoch();
    expect(await control.recordAck(1, at(0x300n))).toBe(false);
    expect(await recorded()).toEqual(at(0x200n));
    expect(await control.recordAck(2, at(0x300n))).toBe(true);
  });

  it('raise the epoch only after the commits under way, whose positions they return', async () => {
    const client = await store.client();
    const blocker = await store.client();
    await blocker.query('begin');
    await blocker.query('lock table weir.alerts in exclusive mode');
    const waits = (query: string) => async () =>
      (
        await store.rows(
          `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%${query}%' and pid <> pg_backend_pid()`,
        )
      ).length === 1;
    const commit = commitBatch(
      client,
      [commitOf(0, { outputs: outputs({ alerts: [alertOf('a')] }) })],
      writer('me'),
    );
    await until('the commit waits', waits('weir.alerts'));
    const raised = control.raiseEpoch();
    await until('the epoch waits for the commit', waits('weir.checkpoints'));
    await blocker.query('rollback');
    expect((await commit).get(0)?.kind).toBe('committed');
    expect((await raised).positions).toEqual([closingOf(1), START, START, START]);
  });

  it('keep rule sets whole, by their version', async () => {
    await control.putRules('v2', '{"rules": []}');
    await control.putRules('v2', 'never');
    expect(await control.getRules('v2')).toBe('{"rules": []}');
    expect(await control.getRules('v3')).toBeNull();
  });

  it('keep instances apart, and name the segment tables of the longest slot as PostgreSQL does', async () => {
    const slot = `${'long_'.repeat(12)}abc`;
    const client = await store.client();
    await createInstance(client, { ...IDENTITY, slot }, { partitions: 2, ack: ACK });
    await openControl(store.pool, slot).raiseEpoch();
    expect(await control.currentEpoch()).toBe(1);
    const [{ name } = { name: '' }] = await store.rows<{ name: string }>(
      `select 'weir.' || weir.segment_table('${slot}', 1, 0) as name`,
    );
    expect(segmentTable(slot, 1, 0)).toBe(name);
    expect(await store.rows(`select from ${name}`)).toEqual([]);
    const outcome = await commitBatch(client, [commitOf(1, { epoch: 2 })], {
      processorId: slot,
      owner: 'me',
    });
    expect(outcome.get(1)?.kind).toBe('committed');
  });

  it('and the segment tables of one instance are dropped without touching another, or any output', async () => {
    const client = await store.client();
    await createInstance(client, { ...IDENTITY, slot: 'other' }, { partitions: 2, ack: ACK });
    await commitBatch(client, [commitOf(0, { outputs: outputs({ alerts: [alertOf('a')] }) })], writer('me'));
    await dropInstance(client, SLOT);
    expect(await control.instance()).toBeNull();
    expect((await openControl(store.pool, 'other').instance())?.partitions).toBe(2);
    const left = await store.rows<{ tablename: string }>(
      `select tablename from pg_tables where schemaname = 'weir' and tablename like 'segments%' order by 1`,
    );
    expect(left.map((row) => row.tablename)).toEqual(
      ['p0_0', 'p0_1', 'p1_0', 'p1_1'].map((name) => `segments_other_${name}`),
    );
    expect(await store.rows('select alert_id from weir.alerts')).toEqual([{ alert_id: 'a' }]);
  });
});
