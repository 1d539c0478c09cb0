import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ListControl } from '../../../src/store/list-control.ts';
import { until } from '../../support/until.ts';
import { SLOT, SourceFixture } from './fixture.ts';

const ADD = "insert into weir.list_entries (list_name, value) values ('l', $1)";

describe('a change of lists', () => {
  let fixture: SourceFixture;

  beforeAll(async () => {
    fixture = await SourceFixture.start(18);
  });
  afterAll(() => fixture.close());
  beforeEach(async () => {
    await fixture.reset();
    await fixture.sql("insert into weir.lists (name) values ('l')");
    await fixture.sql('update weir.acks set lists = 1');
  });
  afterEach(() => {
    fixture.workers.start(); // a drain waits for them
    return fixture.stopAll();
  });

  const insert = (user: number) => fixture.sql('insert into payments (user_id) values ($1)', [user]);

  /** `user at revision`, for each row and the partitions that it went to, once. */
  function judged(): string[] {
    const rows = fixture.workers.batches.flatMap(({ events, lists }) =>
      events.map((event) => `${event[8]} at ${lists}`),
    );
    return [...new Set(rows)].sort();
  }

  async function sent(users: number): Promise<void> {
    await until(`rows of ${users} users`, () => judged().length >= users);
  }

  test('by plain SQL takes effect at its commit, for rows that are committed after it', async () => {
    await fixture.streaming(fixture.source());
    await insert(1);
    const client = await fixture.client();
    try {
      await client.query('begin');
      await client.query(ADD, ['a']);
      await client.query('insert into payments (user_id) values (2)');
      await client.query(ADD, ['b']);
      await insert(3);
      await client.query('commit');
    } finally {
      await client.end();
    }
    await insert(4);
    await sent(4);
    expect(judged()).toEqual(['1 at 1', '2 at 1', '3 at 1', '4 at 3']);
  });

  test('is at the same place in a replay, and an acknowledgement keeps what was in force', async () => {
    const running = fixture.source();
    await fixture.streaming(running);
    await insert(1);
    await fixture.sql(ADD, ['a']);
    await insert(2);
    await sent(2);
    fixture.workers.batches.length = 0;
    await fixture.control.requestEpoch(await fixture.control.currentEpoch(), 'test');
    await until('the next epoch', () => running.measured.epochs.includes('requested'));
    await sent(2);
    expect(judged()).toEqual(['1 at 1', '2 at 2']);
    fixture.workers.start();
    await until('an acknowledgement', async () => (await fixture.control.instance())?.ack.lists === 2);
  });

  test('where the store is another server is announced by the source', async () => {
    await fixture.sql("update weir.instances set database = 'elsewhere'");
    const { control } = fixture;
    // The source's own checks compare the name.
    const instance = async () => ({ ...(await control.instance()), database: 'postgres' }) as never;
    await fixture.streaming(fixture.source({ control: { ...control, instance } }));
    await insert(1);
    await sent(1);
    for (const value of ['a', 'b', 'c']) await fixture.sql(ADD, [value]);
    await until('a batch of the last revision', () =>
      fixture.workers.batches.some(({ lists }) => lists === 4),
    );
    await insert(2);
    await sent(2);
    expect(judged()).toEqual(['1 at 1', '2 at 4']);
  });

  test('that nobody has made is ignored, whoever announces it', async () => {
    const running = fixture.source();
    await fixture.streaming(running);
    for (const token of ['1', 'a', '00000000-0000-4000-8000-000000000001']) {
      const content = JSON.stringify({ kind: 'lists', token });
      await fixture.sql('select pg_logical_emit_message(true, $1, $2)', [`weir/${SLOT}`, content]);
    }
    await insert(1);
    await sent(1);
    expect(judged()).toEqual(['1 at 1']);
    expect(running.measured.epochs).toEqual(['start']);
  });

  test('that the stream brings before others see it is waited for', async () => {
    const { control } = fixture;
    let asked = 0;
    const listRevision: ListControl['listRevision'] = (token, xid) => {
      asked += 1;
      return control.listRevision(token, xid);
    };
    await fixture.streaming(fixture.source({ control: { ...control, listRevision } }));
    const standby = async (name: string) => {
      await fixture.sql(`alter system set synchronous_standby_names = '${name}'`);
      await fixture.sql('select pg_reload_conf()');
    };
    await standby('nobody');
    let edit: Promise<unknown> | null = null;
    await until('an edit waits for the standby', async () => {
      edit ??= fixture.sql(ADD, [String(Math.random())]).then(() => {
        edit = null; // the server had not heard of the standby yet
      });
      return (await fixture.count("pg_stat_activity where wait_event = 'SyncRep'")) > 0;
    });
    const [unseen] = await fixture.sql('select revision::int + 1 as revision from weir.list_clock');
    asked = 0;
    await until('the source has asked for it several times', () => asked > 3);
    await standby('');
    await edit;
    await insert(2);
    await sent(1);
    expect(judged()).toEqual([`2 at ${unseen?.['revision']}`]);
  });
});
