import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seeded } from '../../src/demo/random.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { EVERY_KIND, judge, prepareOracle } from './oracle.ts';
import { CHAOS_SCHEMA } from './schema.ts';
import { Writer } from './writer.ts';

/** What Weir writes, as far as the oracle reads it. */
const WEIR = `
create schema weir;
create table weir.alerts (rule_id text, events jsonb, mode text);
create table weir.list_entries (list_name text, value text, primary key (list_name, value));
insert into weir.list_entries values ('watched', '1'), ('watched', '2'), ('watched', '3');
create table weir.decisions (event text, entity_id text, score numeric, band text, reasons jsonb, mode text);
create table weir.blocks (subject_key text, subject_value text, until timestamptz);
create table weir.aggregates (aggregate_id text, bucket_start timestamptz, key jsonb, measures jsonb);`;

/** Of a correct run, from what the oracle expects; and rows that are none of its business. */
const CORRECT = `
truncate weir.alerts, weir.decisions, weir.blocks, weir.aggregates;
insert into weir.alerts
  select rule_id, (
    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'step', case when e like '% %' then split_part(e, ' ', 1) end,
      'columns', jsonb_build_object('id', split_part(e, ' ', -1)))) order by n)
    from unnest(evidence) with ordinality as x (e, n)), 'live'
  from expected_alerts;
insert into weir.decisions
  select 'transaction', entity_id, score, band,
    (select jsonb_agg(jsonb_build_object('rule', rule) order by rule desc) from unnest(rules) as rule), 'live'
  from expected_decisions;
insert into weir.blocks select 'user_id', subject_value, until from expected_blocks;
insert into weir.aggregates select * from expected_aggregates;
insert into weir.alerts values ('large_amount', '[{"columns": {"id": "1"}}]', 'shadow');
insert into weir.decisions values ('transaction', '1', 80, 'flag', '[]', 'shadow'), ('login', '1', 80, 'flag', '[]', 'live');
insert into weir.blocks values ('device_id', 'device-1', now());`;

/** What users 901 to 910 do, a transaction each statement; what must come of it is said below by hand. */
const STORY = [
  `insert into transactions (user_id, amount, type, country, device_id)
     select 901, 1, 'payment', 'DE', 'story' from generate_series(1, 12)`,
  `insert into transactions (user_id, amount, type, country, device_id)
     values (902, 10000, 'payment', 'DE', 'story'), (902, 10000.01, 'payment', 'FR', 'story')`,
  `insert into transactions (user_id, amount, type, country, device_id) values (902, 1, 'payment', 'DE', 'story')`,
  `insert into transactions (user_id, amount, type, country, device_id)
     select user_id, 1, 'transfer', 'DE', 'story' from generate_series(902, 905) as user_id`,
  // 906: found. The second login is part of nothing, what comes after the logout neither.
  session(906, 'login'),
  transfer(906, 1_500),
  session(906, 'login'),
  transfer(906, 999),
  transfer(906, 1_501),
  session(906, 'logout'),
  transfer(906, 2_000),
  session(906, 'logout'),
  // 907: all in one transaction; too little at the first logout, enough at the second.
  [
    session(907, 'login'),
    transfer(907, 1_100),
    transfer(907, 1_200),
    session(907, 'logout'),
    transfer(907, 1_300),
    session(907, 'logout'),
    session(907, 'logout'),
  ].join(';'),
  // 908: one transfer only; 909: 3000 is not above 3000, and nobody has logged in after that.
  ...[session(908, 'login'), transfer(908, 9_000), session(908, 'logout')],
  ...[session(909, 'login'), transfer(909, 1_500), transfer(909, 1_500), session(909, 'logout')],
  // 910: the second hold stands, the first is answered; 911: only payments follow.
  ...[session(910, 'hold'), transfer(910, 1), session(910, 'hold')],
  session(911, 'hold'),
  `insert into transactions (user_id, amount, type, country, device_id) values (911, 1, 'payment', 'DE', 'own-911')`,
  // 912: found; its second hold was alive at the end of the first, and is neither found nor out of time.
  [session(912, 'hold'), transfer(912, 1_500), session(912, 'hold'), session(912, 'logout')].join(';'),
  // 913: the logout came before the transfer, and time runs out after two steps.
  [session(913, 'hold'), session(913, 'logout'), transfer(913, 1_001)].join(';'),
  // 914 to 917: of two users and one country; who has a part in one is not the first of the next.
  [huge(914, 'IT'), huge(914, 'IT'), huge(915, 'ES'), huge(916, 'IT'), huge(917, 'IT'), huge(915, 'IT')].join(
    ';',
  ),
  // 918: watched from the first edit to the second; the rows beside an edit are judged as before it.
  payment(918),
  [payment(918), edit(918, true), payment(918)].join(';'),
  payment(918),
  [edit(918, false), edit(918, true), payment(918), edit(918, false)].join(';'),
  payment(918),
  // 1 is watched from the beginning, 300 is not above 300.
  "insert into transactions (user_id, amount, type, country, device_id) values (1, 300, 'payment', 'DE', 'own-1')",
  // 919: of one instant, so of one tumbling window and of one session.
  Array.from({ length: 6 }, () => transfer(919, 1)).join(';'),
];
const STORY_ALERTS = [
  '901/11 frequent',
  '901/12 frequent',
  '902/2 large_amount',
  '902/2 location_change',
  '902/2 scoring.transaction.block',
  '902/2 spending',
  // Its change of country is within the cooldown: a hit, no alert; 70 + 30.25 is above 100.
  '902/3 scoring.transaction.block',
  '902/3 spending',
  '902/4 spending',
  '905/1 session',
  '905/1 shared_device',
  '906/1 906/2 906/5 906/6 fraud_sequence',
  '906/2 first_seen',
  '906/7 percentile',
  '906/7 session',
  '907/1 907/2 907/3 907/5 907/6 fraud_sequence',
  '907/2 first_seen',
  '908/2 first_seen',
  '908/2 last_rows',
  '909/2 first_seen',
  '910/1 purchase',
  '910/3 purchase',
  '910/3 unanswered',
  '911/1 purchase',
  '911/1 unanswered',
  '912/1 912/2 912/4 purchase',
  '912/2 first_seen',
  '912/3 unanswered',
  '913/1 913/3 purchase',
  '913/3 first_seen',
  '914/1 916/1 convoy',
  '914/1 large_amount',
  '914/2 large_amount',
  '914/2 scoring.transaction.block',
  '914/2 spending',
  '915/1 large_amount',
  '915/2 large_amount',
  '915/2 location_change',
  '915/2 scoring.transaction.block',
  '915/2 spending',
  '916/1 large_amount',
  '917/1 915/2 convoy',
  '917/1 large_amount',
  '918/4 watched',
  '918/5 watched',
  '919/4 session',
  '919/5 tumbling',
];

let postgres: TestPostgres;
let client: pg.Client;

beforeAll(async () => {
  postgres = await startPostgres({ version: 18 });
  client = new pg.Client(postgres.url);
  await client.connect();
  await client.query(CHAOS_SCHEMA);
  await client.query(WEIR);
  await prepareOracle(client);
  await write();
});

beforeEach(async () => {
  await judge(client);
  await client.query(CORRECT);
});

afterAll(async () => {
  await client?.end();
  await postgres?.close();
});

async function write(): Promise<void> {
  const stopping = new AbortController();
  const writer = new Writer(postgres.url, seeded(7), 2);
  const writing = writer.run(stopping.signal);
  await until('enough rows are written for every rule to fire', () => writer.rows > 3_000);
  stopping.abort();
  await writing;
  for (const statement of STORY) await client.query(statement);
}

describe('the oracle', () => {
  it('finds nothing to say of a correct run', async () => {
    const verdict = await judge(client);
    expect(verdict).toEqual({
      expected: expect.any(Number),
      alerts: expect.any(Object),
      missing: [],
      extra: [],
    });
    expect(verdict.expected).toBeGreaterThan(100);
    for (const id of EVERY_KIND) expect(verdict.alerts[id], id).toBeGreaterThan(0);
  });

  it('expects of a story what a person would', async () => {
    await judge(client);
    const told = await client.query(
      `select string_agg(s.user_id || '/' || s.nth, ' ' order by n) || ' ' || e.rule_id as alert
       from expected_alerts e
       cross join unnest(e.evidence) with ordinality as x (row, n)
       join (select id, user_id, row_number() over (partition by user_id order by id) as nth
             from (select id, user_id from transactions union all select id, user_id from sessions) both_tables) s
         on s.id::text = split_part(x.row, ' ', -1)
       where s.user_id > 900 group by e.rule_id, e.evidence order by 1`,
    );
    expect(told.rows.map((row: { alert: string }) => row.alert)).toEqual(STORY_ALERTS);
    const blocked = await client.query(
      `select b.subject_value, b.until - c.committed_at as length
       from expected_blocks b
       join (select max(txid) as txid from transactions where amount = 10000.01 and user_id = 902) t on true
       join chaos_commits c on c.xid = (t.txid & 4294967295) where b.subject_value = '902'`,
    );
    expect(blocked.rows).toMatchObject([{ subject_value: '902', length: { days: 1 } }]);
    const scored = await client.query(
      `select t.user_id, e.score, e.rules from expected_decisions e join transactions t on t.id::text = e.entity_id
       where t.user_id in (906, 907, 916) order by t.id`,
    );
    expect(scored.rows).toEqual([
      { user_id: '906', score: '9.25', rules: ['first_seen'] },
      { user_id: '906', score: '55.5', rules: ['fraud_sequence'] },
      { user_id: '906', score: '8', rules: ['percentile', 'session'] },
      { user_id: '907', score: '9.25', rules: ['first_seen'] },
      { user_id: '907', score: '55.5', rules: ['fraud_sequence'] },
      { user_id: '916', score: '92.5', rules: ['convoy', 'large_amount'] },
    ]);
  });

  it.each([
    ['an alert that is not there', `delete from weir.alerts where ctid = (${first('alerts')})`, 1, 0],
    [
      'an alert that nothing caused',
      `insert into weir.alerts values ('large_amount', '[{"columns": {"id": "1"}}]', 'live')`,
      0,
      1,
    ],
    [
      'an alert that is there twice',
      `insert into weir.alerts select * from weir.alerts where ctid = (${first('alerts')})`,
      0,
      1,
    ],
    [
      'an alert of another rule',
      `update weir.alerts set rule_id = 'other' where ctid = (${first('alerts')})`,
      1,
      1,
    ],
    [
      'an alert of a pattern that lacks an event',
      `update weir.alerts set events = events - 1 where ctid = (${first('alerts', `rule_id = 'fraud_sequence'`)})`,
      1,
      1,
    ],
    [
      'an event of another step',
      `update weir.alerts set events = jsonb_set(events, '{0,step}', '"moved"')
       where ctid = (${first('alerts', `rule_id = 'fraud_sequence'`)})`,
      1,
      1,
    ],
    [
      'an absence that was not told',
      `delete from weir.alerts where ctid = (${first('alerts', `rule_id = 'unanswered'`)})`,
      1,
      0,
    ],
    [
      'a time that ran out and was not told',
      `delete from weir.alerts where ctid = (${first('alerts', `rule_id = 'purchase' and jsonb_array_length(events) = 2`)})`,
      1,
      0,
    ],
    [
      'a time that ran out although all of it came',
      `insert into weir.alerts select rule_id, events - 2, mode from weir.alerts
       where ctid = (${first('alerts', `rule_id = 'purchase' and jsonb_array_length(events) = 3`)})`,
      0,
      1,
    ],
    [
      'a pattern of all users that found other rows',
      `update weir.alerts set events = jsonb_build_array(events -> 1, events -> 0)
       where ctid = (${first('alerts', `rule_id = 'convoy'`)})`,
      1,
      1,
    ],
    ['an alert in shadow', `update weir.alerts set mode = 'shadow' where ctid = (${first('alerts')})`, 1, 0],
    ['a decision that is not there', `delete from weir.decisions where ctid = (${first('decisions')})`, 1, 0],
    [
      'a decision with another score',
      `update weir.decisions set score = score + 0.01 where ctid = (${first('decisions')})`,
      1,
      1,
    ],
    [
      'a decision with another band',
      `update weir.decisions set band = 'other' where ctid = (${first('decisions')})`,
      1,
      1,
    ],
    [
      'a decision whose band is lost',
      `update weir.decisions set band = null where ctid = (${first('decisions', 'band is not null')})`,
      1,
      1,
    ],
    [
      'a decision with a reason too many',
      `update weir.decisions set reasons = reasons || '[{"rule": "other"}]' where ctid = (${first('decisions')})`,
      1,
      1,
    ],
    [
      'a block that ends a microsecond later',
      `update weir.blocks set until = until + interval '1 microsecond' where ctid = (${first('blocks')})`,
      1,
      1,
    ],
    ['a block that is not there', `delete from weir.blocks where ctid = (${first('blocks')})`, 1, 0],
    ['a block that nothing caused', `insert into weir.blocks values ('user_id', '-1', now())`, 0, 1],
    [
      'an aggregate that counts a row too many',
      `update weir.aggregates set measures = jsonb_set(measures, '{n}', to_jsonb((measures ->> 'n')::int + 1))
       where ctid = (select ctid from weir.aggregates limit 1)`,
      1,
      1,
    ],
    [
      'an aggregate that lacks a group',
      `delete from weir.aggregates where ctid = (select ctid from weir.aggregates limit 1)`,
      1,
      0,
    ],
    ['nothing written at all', 'truncate weir.alerts', 'all', 0],
  ] as const)('sees %s', async (_what, damage, missing, extra) => {
    await client.query(damage);
    const verdict = await judge(client);
    const alerts = verdict.missing.filter((line) => line.startsWith('alert ')).length;
    expect([verdict.missing.length, verdict.extra.length]).toEqual([
      missing === 'all' ? alerts : missing,
      extra,
    ]);
    if (missing === 'all') expect(alerts).toBeGreaterThan(100);
  });

  it('sees what a row that is written later causes', async () => {
    await client.query(
      `insert into transactions (user_id, amount, type, country, device_id)
       values (999, 20000, 'payment', 'DE', 'story')`,
    );
    const verdict = await judge(client);
    expect(verdict.missing).toEqual([
      expect.stringMatching(/^alert .*large_amount/),
      expect.stringMatching(/^decision .*80/),
      expect.stringMatching(/^aggregate .*volume/),
    ]);
    // The same bucket without it, unless it is the first of its bucket.
    expect(verdict.extra.length).toBeLessThanOrEqual(1);
  });
});

function session(user: number, kind: string): string {
  return `insert into sessions (user_id, kind) values (${user}, '${kind}')`;
}

function transfer(user: number, amount: number): string {
  return `insert into transactions (user_id, amount, type, country, device_id)
    values (${user}, ${amount}, 'transfer', 'DE', 'own-${user}')`;
}

function huge(user: number, country: string): string {
  return `insert into transactions (user_id, amount, type, country, device_id)
    values (${user}, 10001, 'payment', '${country}', 'own-${user}')`;
}

function payment(user: number): string {
  return `insert into transactions (user_id, amount, type, country, device_id)
    values (${user}, 301, 'payment', 'DE', 'own-${user}')`;
}

function edit(user: number, added: boolean): string {
  return `insert into list_edits (value, added) values ('${user}', ${added})`;
}

/** Where a live row of the oracle's business stands. */
function first(table: 'alerts' | 'decisions' | 'blocks', which = 'true'): string {
  const live = {
    alerts: `mode = 'live'`,
    decisions: `mode = 'live' and event = 'transaction'`,
    blocks: `subject_key = 'user_id'`,
  }[table];
  return `select ctid from weir.${table} where ${live} and ${which} limit 1`;
}
