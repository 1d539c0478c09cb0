import type { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { advanceIdle } from '../../../src/store/advance-idle.ts';
import { commitBatch } from '../../../src/store/commit.ts';
import { openControl } from '../../../src/store/control-store.ts';
import { PartitionLog } from '../../../src/store/partition-log.ts';
import { Committer } from '../../../src/worker/committer.ts';
import { until } from '../../support/until.ts';
import {
  alertOf,
  closingOf,
  commitOf,
  contributionOf,
  outputs,
  rowAt,
  SLOT,
  START,
  StoreFixture,
  writer,
} from './fixture.ts';

describe.each([14, 18] as const)('the commit, on PostgreSQL %i', (version) => {
  let store: StoreFixture;
  let client: Client;
  beforeAll(async () => {
    store = await StoreFixture.start(version);
    client = await store.client();
  });
  afterAll(() => store.close());
  beforeEach(() => store.reset());

  const positions = async () =>
    (await store.rows<{ position: string }>('select position from weir.checkpoints order by partition')).map(
      (row) => row.position,
    );
  const count = async (table: string) =>
    (await store.rows<{ n: number }>(`select count(*)::int as n from ${table}`))[0]?.n;

  it('takes two commits of one partition that come at once one after the other', async () => {
    const committer = new Committer({
      connect: () => store.client(),
      writer: writer('me'),
      logger: pino({ level: 'silent' }),
      onCommit: () => undefined,
    });
    const [first, second, other, stale] = await Promise.all([
      committer.submit(commitOf(0)),
      committer.submit(commitOf(0, { expected: closingOf(1), to: closingOf(2) })),
      committer.submit(commitOf(1)),
      committer.submit(commitOf(1, { to: closingOf(2) })),
    ]);
    await committer.close();
    expect([first, second, other]).toMatchObject(Array(3).fill({ kind: 'committed' }));
    expect(stale).toMatchObject({ kind: 'fenced', reason: 'position' });
    expect(await positions()).toEqual([closingOf(2), closingOf(1), START, START]);
  });

  it('moves several partitions with their segments and outputs at once', async () => {
    const outcome = await commitBatch(
      client,
      [
        commitOf(2, { outputs: outputs({ alerts: [alertOf('b'), alertOf('a')] }) }),
        commitOf(0, {
          outputs: outputs({
            blocks: [
              { key: 'user_id', value: '1', reason: 'r', until: 1_700_000_000_000_000 },
              { key: 'user_id', value: '1', reason: 'longer', until: Infinity },
            ],
            late: [
              { event: 'transaction', position: rowAt(1), at: 1, watermark: -Infinity, eventJson: '{}' },
            ],
            deadLetters: [
              {
                rule: 'r',
                event: 'transaction',
                position: rowAt(1),
                error: 'e',
                eventJson: '{"a":1}',
                changeJson: '{}',
              },
            ],
          }),
        }),
      ],
      writer('me'),
    );
    expect(outcome.get(0)).toEqual({ kind: 'committed', alerts: 0, deadLetters: 1 });
    expect(outcome.get(2)).toEqual({ kind: 'committed', alerts: 2, deadLetters: 0 });
    expect(await positions()).toEqual([closingOf(1), START, closingOf(1), START]);
    expect(await store.rows('select position, payload from weir.segments_weir_p2_0')).toEqual([
      { position: closingOf(1), payload: '{"2":"delta of 2"}' },
    ]);
    expect(
      await store.rows(
        'select alert_id, event_time::text, commit_lsn::text from weir.alerts order by 1 limit 1',
      ),
    ).toEqual([
      { alert_id: 'a', event_time: expect.stringContaining('22:13:20.123456'), commit_lsn: '0/110' },
    ]);
    expect(await store.rows('select reason, until::text from weir.blocks')).toEqual([
      { reason: 'longer', until: 'infinity' },
    ]);
    expect(await store.rows('select watermark::text from weir.late_events')).toEqual([
      { watermark: '-infinity' },
    ]);
  });

  it('lets exactly one of two racing sessions commit', async () => {
    const other = await store.client();
    for (let round = 0; round < 30; round++) {
      const move = { expected: round === 0 ? START : closingOf(round), to: closingOf(round + 1) };
      const outcomes = await Promise.all(
        [client, other].map((one, i) =>
          commitBatch(
            one,
            [commitOf(1, { ...move, outputs: outputs({ alerts: [alertOf(`${round} by ${i}`)] }) })],
            writer(`worker ${i}`),
          ),
        ),
      );
      const kinds = outcomes.map((outcome) => outcome.get(1)?.kind).sort();
      expect(kinds).toEqual(['committed', 'fenced']);
    }
    expect(await count('weir.alerts')).toBe(30);
    expect(await count('weir.segments_weir_p1_0')).toBe(30);
  });

  it('commits the others when one partition is fenced, and says why', async () => {
    await commitBatch(client, [commitOf(1)], writer('another'));
    const outcome = await commitBatch(
      client,
      [commitOf(0), commitOf(1, { segment: null }), commitOf(2, { epoch: 9 })],
      writer('me'),
    );
    expect(outcome.get(0)?.kind).toBe('committed');
    expect(outcome.get(1)).toEqual({ kind: 'fenced', reason: 'position', epoch: 1, position: closingOf(1) });
    expect(outcome.get(2)).toEqual({ kind: 'fenced', reason: 'epoch', epoch: 1, position: START });
    expect(await positions()).toEqual([closingOf(1), closingOf(1), START, START]);
  });

  it('knows a partition that a re-shard has taken away, and commits the others', async () => {
    await client.query('delete from weir.checkpoints where partition = 3');
    const outcome = await commitBatch(client, [commitOf(0), commitOf(3)], writer('me'));
    expect(outcome.get(0)?.kind).toBe('committed');
    expect(outcome.get(3)).toEqual({ kind: 'fenced', reason: 'gone' });
    const opened = PartitionLog.open(client, { processorId: SLOT, partition: 3 });
    await expect(opened).rejects.toMatchObject({ code: 'WEIR_PARTITION_GONE', retry: 'backoff' });
  });

  it('writes nothing of an epoch that is over', async () => {
    const { epoch } = await openControl(store.pool, SLOT).raiseEpoch();
    const outcome = await commitBatch(
      client,
      [commitOf(0, { outputs: outputs({ alerts: [alertOf('a')] }) })],
      writer('me'),
    );
    expect(outcome.get(0)).toEqual({ kind: 'fenced', reason: 'epoch', epoch, position: START });
    expect(await count('weir.alerts')).toBe(0);
  });

  it('knows its own commit when the answer was lost, and nobody else does', async () => {
    const commit = commitOf(0, { outputs: outputs({ alerts: [alertOf('a')] }) });
    await commitBatch(client, [commit], writer('me'));
    expect((await commitBatch(client, [commit], writer('me'))).get(0)?.kind).toBe('committed');
    expect((await commitBatch(client, [commit], writer('you'))).get(0)?.kind).toBe('fenced');
    expect(await count('weir.alerts')).toBe(1);
  });

  it('leaves nothing when its session is killed before COMMIT', async () => {
    const victim = await store.client();
    const blocker = await store.client();
    await blocker.query('begin');
    await blocker.query('lock table weir.dead_letters in exclusive mode');
    const letter = {
      rule: 'r',
      event: 'e',
      position: rowAt(1),
      error: 'e',
      eventJson: '{}',
      changeJson: null,
    };
    const commit = commitOf(0, {
      outputs: outputs({
        alerts: [alertOf('a')],
        decisions: [contributionOf('r', 60)],
        deadLetters: [letter],
      }),
    });
    const failed = expect(commitBatch(victim, [commit], writer('me'))).rejects.toThrow();
    const pid = `select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%dead_letters%'`;
    await until('the commit waits for dead_letters', async () => (await store.rows(pid)).length === 1);
    await store.rows(`select pg_terminate_backend(pid) from (${pid}) as waiting`);
    await failed;
    await blocker.query('rollback');
    expect(await positions()).toEqual([START, START, START, START]);
    for (const table of ['alerts', 'decisions', 'dead_letters', 'segments_weir_p0_0']) {
      expect(await count(`weir.${table}`)).toBe(0);
    }
    expect((await commitBatch(client, [commit], writer('me'))).get(0)?.kind).toBe('committed');
  });

  it('notifies of each live alert that is new, in that transaction', async () => {
    const listener = await store.client();
    const heard: unknown[] = [];
    listener.on('notification', ({ payload }) => heard.push(JSON.parse(payload ?? '')));
    await listener.query('listen weir_alerts');
    const alerts = [
      alertOf('live'),
      alertOf('quiet', { mode: 'shadow' }),
      alertOf('wide', { subjectJson: JSON.stringify({ user_id: 'x'.repeat(9_000) }) }),
    ];
    await commitBatch(client, [commitOf(0, { outputs: outputs({ alerts }) })], writer('me'));
    await commitBatch(
      client,
      [commitOf(1, { outputs: outputs({ alerts: [alertOf('live')] }) })],
      writer('me'),
    );
    await client.query(`select pg_notify('weir_alerts', '"end"')`);
    await until('the last notification', () => heard.includes('end'));
    expect(heard).toEqual([
      { alert_id: 'live', rule_id: 'large_amount', severity: 'high', subject: { user_id: '1' } },
      { alert_id: 'wide' },
      'end',
    ]);
  });

  it('moves idle partitions in one statement, but none that has moved or is of an older epoch', async () => {
    await commitBatch(client, [commitOf(1)], writer('another'));
    const moves = [0, 1, 2].map((partition) => ({
      partition,
      epoch: partition === 2 ? 0 : 1,
      expected: START,
      to: closingOf(3),
    }));
    expect(await advanceIdle(client, moves, writer('me'))).toEqual(new Set([0]));
    expect(await advanceIdle(client, moves, writer('me'))).toEqual(new Set([0]));
    expect(await positions()).toEqual([closingOf(3), closingOf(1), START, START]);
  });
});
