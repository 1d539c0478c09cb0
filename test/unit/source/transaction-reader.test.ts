import { describe, expect, test } from 'vitest';
import { closing, formatPosition, ORIGIN } from '../../../src/events/position.ts';
import { NOT_SENT, UNCHANGED } from '../../../src/events/row.ts';
import type { Change } from '../../../src/source/change.ts';
import { plan, SECOND, table } from './plans.ts';
import { insert, lsn, message, PAYMENTS, Stream, T0, transaction, UNUSED } from './stream.ts';

const P1 = [ORIGIN];
const V1 = plan('v1', [table({ ops: ['insert', 'update', 'delete', 'truncate'] })]);
const INSERTS = plan('inserts', [table()]);
const BEAT = { kind: 'heartbeat', sentAt: 5 };
const update = (row: string[], old: (string | 1)[] | null): Change => ({
  kind: 'update',
  relation: PAYMENTS,
  row,
  old,
});

async function positionsOf(changes: readonly Change[], rules = V1) {
  const stream = new Stream({ plan: rules, positions: P1 });
  await stream.read(transaction(100, changes));
  stream.batcher.flush();
  return stream.rows().map(({ position }) => position);
}

describe('ordinals', () => {
  test('count row changes and transactional messages, whoever uses them', async () => {
    const before: Change[] = [
      { kind: 'origin', originLsn: lsn(1), name: 'o' },
      { kind: 'relation', relation: PAYMENTS },
      { kind: 'type', oid: 1, schema: 's', name: 't' },
      insert(1, '1', UNUSED),
      message('another', {}),
      message('another', {}, false),
      message('weir/weir', BEAT),
      { kind: 'truncate', relations: [UNUSED, UNUSED], cascade: false, restartIdentity: false },
      update(['1', '1', ''], null),
      { kind: 'delete', relation: PAYMENTS, old: ['1', NOT_SENT, NOT_SENT] },
      insert(2, '2'),
    ];
    expect((await positionsOf(before)).at(-1)).toBe(formatPosition(lsn(100), 7));
    // Another rule set, which takes less of it, numbers it the same.
    expect(await positionsOf(before, INSERTS)).toEqual([formatPosition(lsn(100), 7)]);
  });

  test('one truncate of two tables is one of them', async () => {
    const both: Change = {
      kind: 'truncate',
      relations: [PAYMENTS, UNUSED],
      cascade: false,
      restartIdentity: false,
    };
    expect(await positionsOf([both, insert(1, '1')])).toEqual([
      formatPosition(lsn(100), 1),
      formatPosition(lsn(100), 2),
    ]);
  });
});

describe('a transaction', () => {
  test('that is acknowledged is not read again', async () => {
    const stream = new Stream({ plan: V1, positions: [closing(lsn(100))], acknowledged: lsn(100) });
    await stream.read([...transaction(90, [insert(1, '1')]), ...transaction(100, [insert(2, '1')])]);
    await stream.read(transaction(108, [insert(3, '1')]));
    stream.batcher.flush();
    expect(stream.rows().map(({ cells }) => cells[0])).toEqual(['3']);
  });

  test('that is empty moves nothing, however many there are', async () => {
    const stream = new Stream({ plan: V1, positions: P1 });
    for (let i = 1; i <= 1_000; i++) await stream.read(transaction(i * 100, [], T0 + i * SECOND));
    await stream.read(transaction(200_000, [message('another', {})], T0 + 2_000 * SECOND));
    stream.batcher.flush();
    expect(stream.batches).toEqual([]);
  });

  test('with a heartbeat punctuates a partition that is behind in time, at a calm rate', async () => {
    const stream = new Stream({ plan: V1, positions: [ORIGIN, ORIGIN], times: { commitAt: T0, events: {} } });
    for (let i = 1; i <= 20; i++) {
      await stream.read(transaction(i * 100, [message('weir/weir', BEAT)], T0 + i * SECOND));
    }
    expect(stream.heartbeats).toHaveLength(20);
    expect(stream.batches).toHaveLength(8);
    expect(stream.batches.at(-1)).toMatchObject({ to: closing(lsn(2_000)), rows: 0, events: [] });
  });

  test('punctuates a partition that is 16 MB of WAL behind', async () => {
    const stream = new Stream({ plan: V1, positions: P1, times: { commitAt: T0, events: {} } });
    await stream.read(transaction(1, [message('weir/weir', BEAT)], T0));
    expect(stream.batches).toHaveLength(0);
    await stream.read(transaction(17 * 1024 * 1024, [insert(1, '1', UNUSED)], T0));
    expect(stream.batches).toHaveLength(1);
  });

  test('has the time of its commit, made monotone', async () => {
    const stream = new Stream({ plan: V1, positions: P1 });
    await stream.read(transaction(100, [insert(1, '1')], T0));
    await stream.read(transaction(200, [insert(2, '1')], T0 - 1_000));
    stream.batcher.flush();
    expect(stream.rows().map(({ at, commitAt, late }) => [at, commitAt, late])).toEqual([
      [T0, T0, false],
      [T0, T0, false],
    ]);
  });

  test('of another server has the time that is known here, not that of a clock that is ahead', async () => {
    const stream = new Stream({ plan: V1, positions: P1, times: { commitAt: T0, events: {} } });
    const origin: Change = { kind: 'origin', originLsn: lsn(1), name: 'elsewhere' };
    await stream.read(transaction(100, [origin, insert(1, '1')], T0 + 3600 * SECOND));
    await stream.read(transaction(200, [insert(2, '1')], T0 + SECOND));
    stream.batcher.flush();
    expect(stream.rows().map(({ at, commitAt }) => [at, commitAt])).toEqual([
      [T0, T0],
      [T0 + SECOND, T0 + SECOND],
    ]);
  });
});

describe('changes', () => {
  test('carry the old row as far as it was sent', async () => {
    const stream = new Stream({ plan: V1, positions: P1 });
    await stream.read(
      transaction(100, [
        update(['1', '5', 'a'], null),
        update(['2', '5', 'a'], ['1', NOT_SENT, NOT_SENT]),
        { kind: 'delete', relation: PAYMENTS, old: ['2', NOT_SENT, NOT_SENT] },
      ]),
    );
    stream.batcher.flush();
    expect(stream.rows().map(({ op, cells, old }) => ({ op, cells, old }))).toEqual([
      { op: 'update', cells: ['1', '5', 'a'], old: null },
      { op: 'update', cells: ['2', '5', 'a'], old: ['1', NOT_SENT, NOT_SENT] },
      { op: 'delete', cells: ['2', NOT_SENT, NOT_SENT], old: ['2', NOT_SENT, NOT_SENT] },
    ]);
    expect([...stream.counted]).toEqual([['payments', 3]]);
  });

  test('take an unchanged TOAST value from the old row where it was sent', async () => {
    const stream = new Stream({ plan: V1, positions: P1 });
    const toasted: Change = {
      kind: 'update',
      relation: PAYMENTS,
      row: ['1', '5', UNCHANGED],
      old: ['1', '4', 'long'],
    };
    await stream.read(transaction(100, [toasted, { ...toasted, old: null }]));
    stream.batcher.flush();
    expect(stream.rows().map(({ cells }) => cells)).toEqual([
      ['1', '5', 'long'],
      ['1', '5', UNCHANGED],
    ]);
  });

  test('of an operation that the rules do not capture are dropped', async () => {
    expect(await positionsOf([update(['1', '5', 'a'], null)], INSERTS)).toEqual([]);
  });
});

describe('a switch of rules', () => {
  const V2 = plan('v2', [table({ columns: [table().columns[1] as never], keys: [] })]);
  const announce = (version: string) => message('weir/weir', { kind: 'rules', version });

  test('cuts batches exactly there, also inside a transaction', async () => {
    const stream = new Stream({ plan: V1, positions: P1, plans: [V2] });
    await stream.read(transaction(100, [insert(1, '5'), announce('v2'), insert(2, '6')]));
    stream.batcher.flush();
    expect(stream.batches.map(({ rules, to }) => [rules, to])).toEqual([
      ['v1', formatPosition(lsn(100), 2)],
      ['v2', closing(lsn(100))],
    ]);
    expect(stream.rows().map(({ cells }) => cells)).toEqual([['1', '5', null], ['6']]);
  });

  test('inside a transaction leaves the acknowledgement before it with the old rules', async () => {
    const stream = new Stream({ plan: V1, positions: P1, plans: [V2] });
    await stream.read(transaction(100, [insert(1, '5')]));
    const [begin, ...rest] = transaction(200, [announce('v2'), insert(2, '6')]);
    await stream.read([begin as Change, ...rest.slice(0, 2)]);
    expect(stream.reader.lastCommit).toMatchObject({ lsn: 100n, rules: 'v1' });
    await stream.read(rest.slice(2));
    expect(stream.reader.lastCommit).toMatchObject({ lsn: 200n, rules: 'v2' });
  });

  test('to a version that is unknown, or under a foreign prefix, is none', async () => {
    const stream = new Stream({ plan: V1, positions: P1, plans: [V2] });
    await stream.read(
      transaction(100, [
        announce('v9'),
        message('weir/other', { kind: 'rules', version: 'v2' }),
        insert(1, '5'),
      ]),
    );
    stream.batcher.flush();
    expect(stream.rows().map(({ rules }) => rules)).toEqual(['v1']);
  });
});

describe('a change of lists', () => {
  const [T1, T2] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'] as const;
  const lists = (token: string) => message('weir/weir', { kind: 'lists', token });
  const streamOf = (positions = P1) =>
    new Stream({ plan: V1, positions, lists: 3, tokens: { [T1]: 4, [T2]: 7 } });

  test('cuts batches exactly there, in every partition, and only upward', async () => {
    const stream = streamOf([ORIGIN, ORIGIN]);
    await stream.read(
      transaction(100, [insert(1, '5'), lists(T2), insert(2, '5'), lists(T1), insert(3, '5')]),
    );
    stream.batcher.closeAll();
    const cuts = stream.batches.map(({ partition, to, lists: revision }) => [partition, to, revision]);
    for (const partition of [0, 1]) {
      expect(cuts.filter(([of]) => of === partition)).toEqual([
        [partition, formatPosition(lsn(100), 2), 3],
        [partition, closing(lsn(100)), 7],
      ]);
    }
  });

  test('that the store does not know is none', async () => {
    const stream = streamOf();
    const forged = [
      lists('00000000-0000-4000-8000-000000000009'),
      lists('8'),
      message('weir/other', { kind: 'lists', token: T2 }),
    ];
    await stream.read(transaction(100, [...forged, insert(1, '5')]));
    stream.batcher.closeAll();
    expect(stream.batches.map(({ lists: revision }) => revision)).toEqual([3]);
  });

  test('inside a transaction leaves the acknowledgement before it with the old lists', async () => {
    const stream = streamOf();
    await stream.read(transaction(100, [insert(1, '5')]));
    const [begin, ...rest] = transaction(200, [lists(T2), insert(2, '6')]);
    await stream.read([begin as Change, ...rest.slice(0, 2)]);
    expect(stream.reader.lastCommit).toMatchObject({ lsn: 100n, lists: 3 });
    await stream.read(rest.slice(2));
    expect(stream.reader.lastCommit).toMatchObject({ lsn: 200n, rules: 'v1', lists: 7 });
  });
});

describe('a drain', () => {
  test('stops at a commit and leaves the rest unread', async () => {
    const stream = new Stream({ plan: V1, positions: P1 });
    const [begin, ...rest] = transaction(100, [insert(1, '5')]);
    await stream.read([begin as Change]);
    stream.reader.stopAtCommit = true;
    expect(stream.reader.stopped).toBe(false);
    await stream.read([...rest, ...transaction(200, [insert(2, '5')])]);
    expect(stream.reader.stopped).toBe(true);
    stream.batcher.closeAll();
    expect(stream.batches.map(({ to, rows }) => [to, rows])).toEqual([[closing(lsn(100)), 1]]);
  });
});
