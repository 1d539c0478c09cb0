import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lsn } from '../../../src/events/position.ts';
import type { Change } from '../../../src/source/change.ts';
import { ReplicationConnection } from '../../../src/source/connection.ts';
import { acknowledgedBefore, createSlot, dropSlot, slotStatus } from '../../../src/source/slot.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';

const SLOT = 'wire';
type Commit = Extract<Change, { kind: 'commit' }>;

describe('a replication connection', () => {
  let postgres: TestPostgres;
  let admin: Client;
  const open = new Set<ReplicationConnection>();

  beforeAll(async () => {
    postgres = await startPostgres({ version: 18, settings: { wal_sender_timeout: '2s' } });
    admin = await client();
    await admin.query('create table t (id int primary key, filler text)');
    await admin.query('create publication wire_insert for table t');
  });
  afterAll(async () => {
    await admin.end();
    await postgres.close();
  });
  afterEach(async () => {
    for (const connection of open) await connection.close();
    open.clear();
    await until(
      'the slot is free',
      async () => ((await slotStatus(admin, SLOT))?.activePid ?? null) === null,
    );
    await dropSlot(admin, SLOT);
    await admin.query('truncate t');
  });

  async function client(): Promise<Client> {
    const made = new Client({ connectionString: postgres.url });
    made.on('error', () => undefined);
    await made.connect();
    return made;
  }

  async function connect(acknowledged: Lsn, bufferBytes = 1024 * 1024): Promise<ReplicationConnection> {
    const connection = await ReplicationConnection.open({
      databaseUrl: postgres.url,
      slot: SLOT,
      publications: ['wire_insert'],
      acknowledged,
      bufferBytes,
    });
    open.add(connection);
    return connection;
  }

  function makeSlot(): Promise<Lsn> {
    return createSlot({ databaseUrl: postgres.url, slot: SLOT, timeoutMs: 10_000 });
  }

  async function closeOne(connection: ReplicationConnection): Promise<void> {
    open.delete(connection);
    await connection.close();
    await until('the slot is free', async () => (await slotStatus(admin, SLOT))?.activePid === null);
  }

  /** Changes up to the commit of the transaction that inserts `id`. */
  async function readTo(connection: ReplicationConnection, id: string): Promise<Change[]> {
    const changes: Change[] = [];
    let found = false;
    for (;;) {
      const received = await connection.take();
      if (received === null) throw new Error('the stream ended');
      for (const change of received.changes) {
        changes.push(change);
        if (change.kind === 'insert' && change.row[0] === id) found = true;
        if (change.kind === 'commit' && found) return changes;
      }
    }
  }

  const ids = (changes: readonly Change[]) =>
    changes.flatMap((change) => (change.kind === 'insert' ? [change.row[0]] : []));
  const commits = (changes: readonly Change[]) => changes.filter((change) => change.kind === 'commit');

  /** Two transactions whose commit records touch: nothing is written between them. */
  async function adjacentCommits(connection: ReplicationConnection) {
    const [a, b] = [await client(), await client()];
    try {
      for (let i = 10; ; i += 2) {
        await a.query('begin');
        await b.query('begin');
        await a.query('insert into t values ($1)', [i]);
        await b.query('insert into t values ($1)', [i + 1]);
        await a.query('set local synchronous_commit = off');
        await b.query('set local synchronous_commit = off');
        await Promise.all([a.query('commit'), b.query('commit')]);
        await admin.query('insert into t values ($1)', [-i]);
        const read = await readTo(connection, String(-i));
        const [first, second] = commits(read) as [Commit, Commit];
        if (second.commitLsn === first.endLsn) return { first, second, ids: ids(read) };
      }
    } finally {
      await a.end();
      await b.end();
    }
  }

  test('an acknowledged commit is not sent again, and the commit that touches it is', async () => {
    const start = await makeSlot();
    const connection = await connect(start);
    const pair = await adjacentCommits(connection);
    connection.acknowledge(pair.first.commitLsn);
    await until('the slot follows', async () => {
      return (await slotStatus(admin, SLOT))?.confirmedFlushLsn === pair.first.commitLsn + 1n;
    });
    await closeOne(connection);
    const again = await connect(pair.first.commitLsn);
    await admin.query('insert into t values (1)');
    expect(ids(await readTo(again, '1'))).toEqual([...pair.ids.slice(-2), '1']);
  });

  test('acknowledging the end of a commit, as the package would, loses the commit that touches it', async () => {
    const start = await makeSlot();
    const connection = await connect(start);
    const pair = await adjacentCommits(connection);
    // The package adds one to what it is given.
    connection.acknowledge(pair.first.endLsn);
    await until('the slot follows', async () => {
      return (await slotStatus(admin, SLOT))?.confirmedFlushLsn === pair.first.endLsn + 1n;
    });
    await closeOne(connection);
    const again = await connect(pair.first.endLsn);
    await admin.query('insert into t values (1)');
    expect(ids(await readTo(again, '1'))).toEqual([...pair.ids.slice(-1), '1']);
  });

  test('what was received and not acknowledged is sent again to the next connection', async () => {
    const start = await makeSlot();
    const first = await connect(start);
    await admin.query('insert into t values (1)');
    await admin.query('insert into t values (2)');
    expect(ids(await readTo(first, '2'))).toEqual(['1', '2']);
    await closeOne(first);
    const second = await connect(start);
    expect(ids(await readTo(second, '2'))).toEqual(['1', '2']);
  });

  test('nothing received is acknowledged by itself, however long the stream is open', async () => {
    const start = await makeSlot();
    const connection = await connect(start);
    await admin.query('insert into t values (1)');
    await readTo(connection, '1');
    const since = Date.now();
    await until('two timeouts of the server have passed', () => Date.now() - since > 4_000);
    expect(acknowledgedBefore((await slotStatus(admin, SLOT))?.confirmedFlushLsn as Lsn)).toBe(start);
  });

  test('a paused socket answers keepalives longer than wal_sender_timeout', async () => {
    const start = await makeSlot();
    const connection = await connect(start, 1024);
    await admin.query("insert into t select g, repeat('x', 2000) from generate_series(1, 20000) g");
    await until('the socket is paused', () => connection.paused);
    const { activePid } = (await slotStatus(admin, SLOT)) ?? {};
    const since = Date.now();
    await until('three timeouts have passed', () => Date.now() - since > 6_500);
    expect((await slotStatus(admin, SLOT))?.activePid).toBe(activePid);
    const rows = ids(await readTo(connection, '20000'));
    expect(rows).toHaveLength(20_000);
  });

  test('PostgreSQL shows when it heard from us, by its own clock', async () => {
    const start = await makeSlot();
    await connect(start);
    await until('a reply', async () => {
      const shown = await admin.query(
        `select abs(extract(epoch from clock_timestamp() - reply_time)) < 10 as fresh
         from pg_stat_replication where application_name = 'weir/wire' and reply_time is not null`,
      );
      return (shown.rows as { fresh: boolean }[])[0]?.fresh === true;
    });
  });

  test('a second connection is refused with 55006 while the first holds the slot', async () => {
    const start = await makeSlot();
    await connect(start);
    await expect(connect(start)).rejects.toMatchObject({ code: '55006' });
  });

  test('the stream ends with an error when the server ends its backend', async () => {
    const start = await makeSlot();
    const connection = await connect(start);
    await admin.query(
      'select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1',
      [SLOT],
    );
    await expect(readTo(connection, 'never')).rejects.toThrow();
  });

  test('a peer that falls silent is noticed', async () => {
    const start = await makeSlot();
    const connection = await ReplicationConnection.open({
      databaseUrl: postgres.url,
      slot: SLOT,
      publications: ['wire_insert'],
      acknowledged: start,
      silenceMs: 1_500,
    });
    open.add(connection);
    const { activePid } = (await slotStatus(admin, SLOT)) ?? {};
    process.kill(activePid as number, 'SIGSTOP');
    try {
      await expect(readTo(connection, 'never')).rejects.toThrow(/silent/);
    } finally {
      process.kill(activePid as number, 'SIGCONT');
    }
  });
});
