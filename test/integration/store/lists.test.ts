import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seeded } from '../../../src/demo/random.ts';
import type { ControlStore } from '../../../src/store/control.ts';
import { openControl } from '../../../src/store/control-store.ts';
import { openLists } from '../../../src/store/list-log.ts';
import { ListSets } from '../../../src/store/list-sets.ts';
import { until } from '../../support/until.ts';
import { SLOT, StoreFixture } from './fixture.ts';

const HISTORY = `select revision::int, change, value, changed_by, on_behalf_of, note from weir.list_history
  order by revision, change desc, value`;
const MAKE = "insert into weir.lists (name) values ('l')";
const PLAN = { lists: new Map([['l', new Set<string>()]]) };

describe.each([14, 18] as const)('lists in the store, on PostgreSQL %i', (version) => {
  let store: StoreFixture;
  let control: ControlStore;
  beforeAll(async () => {
    store = await StoreFixture.start(version);
    control = openControl(store.pool, SLOT);
    await store.rows('create role editor login');
  });
  afterAll(() => store.close());
  beforeEach(() => store.reset());

  /** A session of a role with no more rights than the README grants. */
  async function editor(): Promise<Client> {
    await store.rows('grant usage on schema weir to editor');
    await store.rows('grant select, insert, update, delete on weir.list_entries to editor');
    const client = new Client({ connectionString: store.postgres.url.replace('postgres@', 'editor@') });
    await client.connect();
    return client;
  }

  it('are edited by plain SQL of a plain role: each statement is a revision, with who, why and when', async () => {
    await store.rows(MAKE);
    const client = await editor();
    try {
      await client.query(
        "insert into weir.list_entries (list_name, value, note) values ('l', '1', 'why'), ('l', '2', null)",
      );
      await client.query("delete from weir.list_entries where value = 'nobody'");
      await client.query("set weir.note = 'a reason'; set weir.on_behalf_of = 'alice'");
      await client.query("update weir.list_entries set value = '3' where value = '2'");
      await client.query("update weir.list_entries set note = 'another'");
      await client.query('delete from weir.list_entries');
    } finally {
      await client.end();
    }
    const plain = { changed_by: 'editor', on_behalf_of: null };
    const alice = { changed_by: 'editor', on_behalf_of: 'alice', note: 'a reason' };
    expect(await store.rows(HISTORY)).toEqual([
      { revision: 2, change: 'added', value: '1', ...plain, note: 'why' },
      { revision: 2, change: 'added', value: '2', ...plain, note: null },
      { revision: 3, change: 'removed', value: '2', ...alice },
      { revision: 3, change: 'added', value: '3', ...alice },
      { revision: 4, change: 'removed', value: '1', ...alice },
      { revision: 4, change: 'removed', value: '3', ...alice },
    ]);
    expect(await store.rows('select from weir.list_revisions where changed_at > now()')).toEqual([]);
  });

  it('run nothing of the editor with the rights of the owner', async () => {
    await store.rows(MAKE);
    const client = await editor();
    try {
      await client.query(
        'create function pg_temp.stolen() returns bool language sql as $$ select 1 / 0 = 1 $$',
      );
      for (const type of ['text', 'bigint', 'uuid'])
        await client.query(`create domain pg_temp."${type}" as pg_catalog.text check (pg_temp.stolen())`);
      await client.query("set weir.note = 'why'");
      await client.query("insert into weir.list_entries (list_name, value) values ('l', '1')");
    } finally {
      await client.end();
    }
    expect(await store.rows('select note from weir.list_changes')).toEqual([{ note: 'why' }]);
  });

  it('refuse what is no list, and what would change the past', async () => {
    await store.rows(MAKE);
    const refused = async (sql: string) => {
      const error: { code?: string; hint?: string } = await store.rows(sql).then(
        () => ({}),
        (reason) => reason,
      );
      return `${error.code}: ${error.hint}`;
    };
    expect(await refused("insert into weir.list_entries (list_name, value) values ('no', '1')")).toBe(
      "23503: insert into weir.lists (name) values ('no') makes it",
    );
    await store.rows("insert into weir.list_entries (list_name, value) values ('l', '1')");
    const statements = [
      ...['truncate weir.list_entries', 'delete from weir.lists', "update weir.lists set name = 'm'"],
      ...[
        'delete from weir.list_changes',
        'update weir.list_changes set added = false',
        'truncate weir.list_revisions',
      ],
    ];
    for (const sql of statements) expect(await refused(sql), sql).toMatch(/^55000: /);
    const client = await editor();
    const rejected = client.query('insert into weir.list_changes values (9, $1, $1, true)', ['l']);
    await expect(rejected).rejects.toMatchObject({ code: '42501' });
    await expect(client.query('select weir.next_list_revision()')).rejects.toMatchObject({ code: '42501' });
    await client.end();
  });

  it('are numbered in the order of commits: who edits second waits for the first', async () => {
    await store.rows(MAKE);
    const [first, second] = [await store.client(), await store.client()];
    const add = (value: string) =>
      `insert into weir.list_entries (list_name, value) values ('l', '${value}')`;
    await first.query('begin');
    await first.query(add('a'));
    const waiting = second.query(add('b'));
    await until('the second waits for a lock', async () => {
      const waits = await store.rows("select from pg_stat_activity where wait_event_type = 'Lock'");
      return waits.length === 1;
    });
    await first.query('rollback');
    await waiting;
    await first.query(add('a'));
    expect(await store.rows('select revision::int, value from weir.list_changes order by 1')).toEqual([
      { revision: 2, value: 'b' },
      { revision: 3, value: 'a' },
    ]);
  });

  it('are seeded by the rules once, and what people edit stays', async () => {
    await control.seedLists(
      new Map([
        ['l', new Set(['1', '2'])],
        ['empty', new Set<string>()],
      ]),
    );
    await store.rows("delete from weir.list_entries where value = '2'");
    await control.seedLists(new Map([['l', new Set(['1', '2', '3'])]]));
    expect(await store.rows('select value from weir.list_entries')).toEqual([{ value: '1' }]);
    expect(await store.rows('select name from weir.lists order by 1')).toEqual([
      { name: 'empty' },
      { name: 'l' },
    ]);
    expect(await store.rows(HISTORY)).toMatchObject([
      { revision: 2, change: 'added', value: '1', on_behalf_of: 'rules' },
      { revision: 2, change: 'added', value: '2', on_behalf_of: 'rules' },
      { change: 'removed', value: '2', on_behalf_of: null },
    ]);
  });

  it('are to a process, at every revision, what they were then', async () => {
    const random = seeded(version);
    const below = (n: number) => random.int(n);
    const states = new Map<number, string>();
    const note = async () => {
      const [last] = await store.rows<{ revision: number; entries: string }>(
        `select revision::int, coalesce((select string_agg(value, ' ' order by value) from weir.list_entries), '') as entries
         from weir.list_clock`,
      );
      states.set(last?.revision ?? 0, last?.entries ?? '');
      return last?.revision ?? 0;
    };
    await store.rows(MAKE);
    let acknowledged = await note();
    let sets = new ListSets(openLists(store.pool, SLOT));
    for (let round = 0; round < 40; round++) {
      const value = below(6);
      await store.rows(
        below(2) === 0
          ? `insert into weir.list_entries (list_name, value) select 'l', g from generate_series(${value}, ${value + below(3)}) g on conflict do nothing`
          : `delete from weir.list_entries where value::int between ${value} and ${value + below(3)}`,
      );
      const last = await note();
      if (below(4) === 0) {
        acknowledged = [...states.keys()].filter((revision) => revision >= acknowledged)[0] ?? last;
        acknowledged = Math.max(acknowledged, last - below(5));
        await store.rows(`update weir.acks set lists = ${acknowledged}`);
      }
      if (below(6) === 0) sets = new ListSets(openLists(store.pool, SLOT));
      for (const [revision, entries] of states) {
        if (revision < acknowledged || below(3) === 0) continue;
        const [list] = await sets.at(PLAN, revision);
        expect([...(list?.values() ?? [])].sort().join(' '), `at ${revision}`).toBe(entries);
      }
    }
  });
});
