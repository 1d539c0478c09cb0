import { describe, expect, test } from 'vitest';
import type { SourceFacts } from '../../../src/source/facts.ts';
import { refusal } from '../../../src/source/finding.ts';
import { judge } from '../../../src/source/preflight.ts';
import { judgeServer, judgeTables, type ServerFacts } from '../../../src/source/requirements.ts';
import type { SlotStatus } from '../../../src/source/slot.ts';
import { judgeTimes } from '../../../src/source/time-zone.ts';
import type { Instance } from '../../../src/store/control.ts';
import { plan, table } from './plans.ts';
import { lsn } from './stream.ts';

const V1 = plan('v1', [table()]);
const published = {
  oid: 9,
  schema: 'public',
  name: 'payments',
  columns: ['id', 'user_id', 'at'],
  filtered: false,
};
const PUBLICATION = {
  oid: 7,
  name: 'weir_insert',
  ops: ['insert'],
  tables: [published],
  wide: false,
  viaRoot: true,
} as const;
const SLOT: SlotStatus = {
  ...{ plugin: 'pgoutput', database: 'shop', activePid: null, walStatus: 'reserved' as const },
  ...{ confirmedFlushLsn: lsn(101), restartLsn: lsn(50), safeWalBytes: null, retainedBytes: 1 },
};
const FOUND: SourceFacts = {
  serverVersion: 180_000,
  database: 'shop',
  inRecovery: false,
  system: { identifier: '42', timeline: 1 },
  slot: SLOT,
  publications: [PUBLICATION],
};
const INSTANCE: Instance = {
  ...{ processorId: 'weir', slot: 'weir', epoch: 3, partitions: 8, database: 'shop' },
  ...{ systemIdentifier: '42', timeline: 1, publications: { weir_insert: 7 } },
  ack: { lsn: lsn(100), rules: 'v1', lists: 0, times: { commitAt: 0, events: {} } },
};

function refused(found: Partial<SourceFacts>, instance: Instance | null = INSTANCE, plans = [V1]) {
  return refusal(judge('weir', { ...FOUND, ...found }, { instance, plans }))?.code ?? null;
}

describe('a start', () => {
  test('is allowed where everything is as recorded', () => {
    expect(refused({})).toBeNull();
    expect(refused({ slot: { ...SLOT, confirmedFlushLsn: lsn(90) } })).toBeNull();
  });

  test.each([
    ['a slot beyond the record', { slot: { ...SLOT, confirmedFlushLsn: lsn(102) } }, 'WEIR_SLOT_MOVED'],
    ['a slot without a position', { slot: { ...SLOT, confirmedFlushLsn: null } }, 'WEIR_SLOT_MOVED'],
    ['a lost slot', { slot: { ...SLOT, walStatus: 'lost' } }, 'WEIR_SLOT_LOST'],
    ['no slot', { slot: null }, 'WEIR_SLOT_MISSING'],
    ['another plugin', { slot: { ...SLOT, plugin: 'wal2json' } }, 'WEIR_SLOT_PLUGIN'],
    ['another system', { system: { identifier: '43', timeline: 1 } }, 'WEIR_SYSTEM'],
    ['another timeline', { system: { identifier: '42', timeline: 2 } }, 'WEIR_SYSTEM'],
    ['no right to replicate', { system: null }, 'WEIR_REPLICATION_RIGHT'],
    ['another database', { database: 'other' }, 'WEIR_DATABASE'],
    ['a standby', { inRecovery: true }, 'WEIR_PRIMARY'],
    ['PostgreSQL 13', { serverVersion: 130_010 }, 'WEIR_SERVER_VERSION'],
    ['a publication that is gone', { publications: [] }, 'WEIR_PUBLICATIONS'],
    ['a recreated publication', { publications: [{ ...PUBLICATION, oid: 8 }] }, 'WEIR_PUBLICATIONS'],
    ['a publication for all tables', { publications: [{ ...PUBLICATION, wide: true }] }, 'WEIR_PUBLICATIONS'],
    [
      'a table that is not published',
      { publications: [{ ...PUBLICATION, tables: [] }] },
      'WEIR_PUBLICATIONS',
    ],
    [
      'a column that is not published',
      { publications: [{ ...PUBLICATION, tables: [{ ...published, columns: ['id'] }] }] },
      'WEIR_PUBLICATIONS',
    ],
    [
      'rows that are filtered',
      { publications: [{ ...PUBLICATION, tables: [{ ...published, filtered: true }] }] },
      'WEIR_PUBLICATIONS',
    ],
    [
      'an operation that is not published',
      { publications: [{ ...PUBLICATION, ops: ['update'] }] },
      'WEIR_PUBLICATIONS',
    ],
  ] satisfies [string, Partial<SourceFacts>, string][])('is refused with %s', (_, found, code) => {
    expect(refused(found)).toBe(code);
  });

  test('is refused for an instance that the store does not know', () => {
    expect(refused({}, null)).toBe('WEIR_SLOT_UNKNOWN');
    expect(refused({ slot: null }, null)).toBe('WEIR_INSTANCE_MISSING');
  });

  test('is allowed when the publications fit rules that are announced already', () => {
    const v2 = plan('v2', [table({ columns: table().columns.slice(0, 1), keys: [] })]);
    const narrow = { publications: [{ ...PUBLICATION, tables: [{ ...published, columns: ['id'] }] }] };
    expect(refused(narrow)).toBe('WEIR_PUBLICATIONS');
    expect(refused(narrow, INSTANCE, [V1, v2])).toBeNull();
  });

  test('tells all that is wrong at once, each with its fix', () => {
    const error = refusal(
      judge('weir', { ...FOUND, slot: null, inRecovery: true }, { instance: INSTANCE, plans: [] }),
    );
    expect(error?.message).toMatch(/pg_is_in_recovery[\s\S]*slot "weir" does not exist/);
    expect(error?.hint).toMatch(/primary[\s\S]*--adopt-slot/);
  });
});

const SERVER: ServerFacts = {
  serverVersion: 180_000,
  ...{ role: 'weir', canReplicate: true, canEmitMessages: true, walLevel: 'logical', ownSlot: false },
  ...{ replicationSlots: { max: 10, used: 2 }, walSenders: { max: 10, used: 1 } },
  ...{ walSenderTimeoutMs: 60_000, maxSlotWalKeepMb: 50_000, logicalDecodingWorkMemKb: 65_536 },
};

describe('what Weir needs of the server', () => {
  const bad = (facts: Partial<ServerFacts>) =>
    judgeServer({ ...SERVER, ...facts })
      .filter(({ ok }) => !ok)
      .map(({ id, severity, takes }) => [id, severity, takes]);

  test.each([
    [{}, []],
    [{ walLevel: 'replica' }, [['wal-level', 'error', 'restart']]],
    [{ canReplicate: false }, [['replication-right', 'error', 'none']]],
    [{ canEmitMessages: false }, [['message-right', 'error', 'none']]],
    [{ replicationSlots: { max: 2, used: 2 } }, [['replication-slots', 'error', 'restart']]],
    [{ replicationSlots: { max: 2, used: 2 }, ownSlot: true }, []],
    [{ walSenders: { max: 2, used: 2 } }, [['wal-senders', 'error', 'restart']]],
    [{ walSenderTimeoutMs: 0 }, [['wal-sender-timeout', 'warning', 'reload']]],
    [{ maxSlotWalKeepMb: -1 }, [['slot-wal-limit', 'warning', 'reload']]],
    [{ logicalDecodingWorkMemKb: 64 }, [['decoding-memory', 'warning', 'reload']]],
  ] satisfies [Partial<ServerFacts>, unknown[]][])('%j', (facts, findings) => {
    expect(bad(facts)).toEqual(findings);
  });

  test.each([
    ['default', ['id'], ['id'], ['insert', 'update'], null],
    ['nothing', [], [], ['insert', 'update'], 'error'],
    ['full', [], [], ['delete'], null],
    ['default', [], [], ['insert'], null],
  ] as const)(
    'identity %s %j, primary key %j, capturing %j',
    (replicaIdentity, identityColumns, primaryKey, ops, severity) => {
      const found = {
        ...{ schema: 'public', name: 'payments', columns: [] },
        primaryKey,
        replicaIdentity,
        identityColumns,
      };
      const [finding] = judgeTables(
        { tables: [table({ ops })], rules: [] },
        new Map([['public.payments', found]]),
      );
      expect(finding?.ok ? null : finding?.severity).toBe(severity);
    },
  );

  test.each([
    ['alerts without a key', { by: null, actions: [{ kind: 'alert' }] }, [], 'r'],
    ['a row that `id:` names', { by: null, actions: [{ kind: 'alert' }] }, [0], null],
    ['alerts of a key', { by: { names: ['user_id'], columns: [0] }, actions: [{ kind: 'alert' }] }, [], null],
    ['no alerts', { by: null, actions: [{ kind: 'flag' }] }, [], null],
  ] as const)('without a primary key it warns of an empty subject: %s', (_, rule, id, named) => {
    const found = {
      ...{ schema: 'public', name: 'payments', columns: [], primaryKey: [] },
      ...{ replicaIdentity: 'default' as const, identityColumns: [] },
    };
    const plan = { tables: [table({ id })], rules: [{ id: 'r', table: 0, ...rule }] };
    const [finding] = judgeTables(plan, new Map([['public.payments', found]]));
    expect(finding?.ok ? null : /alerts of (\w+) are/.exec(finding?.why ?? '')?.[1]).toBe(named);
  });

  test.each([
    ['timestamp', 0, false, 'warning'],
    ['timestamp', 0, true, null],
    ['timestamptz', 0, false, undefined],
    ['timestamp', null, false, undefined],
  ] as const)('a time that is a %s (column %j), where TimeZone is UTC: %j', (pgType, time, utc, severity) => {
    const columns = [{ name: 'timestamp', pgType, type: 'timestamp' as const }];
    const [finding] = judgeTimes([{ event: 'paid', time, columns }], { name: 'Europe/Berlin', utc });
    expect(finding?.ok ? null : finding?.severity).toBe(severity);
    if (finding?.ok === false) expect(finding.measured).toContain('TimeZone is Europe/Berlin');
  });
});
