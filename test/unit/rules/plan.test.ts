import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/rules/plan.ts';
import { EVENTS, mistakes, planOf } from './fixtures.ts';

const rule = (lines: string) => `${EVENTS}rules:\n  - id: r\n    event: transaction\n${lines}`;
const SPLIT = 'split the rule in two: their scores add';

/** The columns of the routing key that the first rule runs by. */
function keyOf(plan: Plan): readonly string[] | null {
  const [first] = plan.rules;
  if (first === undefined || first.key === null) return null;
  const { keys, columns } = plan.tables[first.table] ?? { keys: [], columns: [] };
  return keys[first.key]?.columns.map((column) => columns[column]?.name ?? '?') ?? ['?'];
}

describe('the key of a rule', () => {
  const window = (name: string, by: string) => `      ${name}: { count: transaction, by: ${by}, over: 1m }\n`;

  test.each([
    [
      'what its windows have in common',
      window('a', 'user_id') + window('b', '[device_id, user_id]'),
      '',
      ['user_id'],
    ],
    ['all columns of its one window', window('a', '[user_id, country]'), '', ['country', 'user_id']],
    [
      'common to windows and cooldown',
      window('a', '[user_id, country]'),
      '    cooldown: { by: user_id, for: 1m }\n',
      ['user_id'],
    ],
    ['as written', window('a', '[user_id, country]'), '    key: country\n', ['country']],
  ])('is %s', (_, lets, more, key) => {
    expect(keyOf(planOf(rule(`    let:\n${lets}${more}`)))).toEqual(key);
  });

  test('is that of its cooldown where it has no windows, and there is none without both', () => {
    expect(keyOf(planOf(rule('    cooldown: { by: user_id, for: 1m }\n')))).toEqual(['user_id']);
    expect(keyOf(planOf(rule('    when: amount > 1\n')))).toBeNull();
  });

  test('is refused where windows have nothing in common', () => {
    expect(mistakes(rule(`    let:\n${window('a', 'user_id')}${window('b', 'device_id')}`))).toEqual([
      `9:9: error: rule "r" has no one key: window "a" by user_id; window "b" by device_id (${SPLIT})`,
    ]);
  });

  test('is refused as written where a by does not contain it', () => {
    const lines = `    key: device_id\n    let:\n${window('a', 'user_id')}    cooldown: { by: user_id, for: 1m }\n`;
    const every = `and the key of rule "r" is device_id: every "by" contains the key (${SPLIT})`;
    expect(mistakes(rule(lines))).toEqual([
      `13:36: error: window "a" is by user_id, ${every}`,
      `14:21: error: the cooldown is by user_id, ${every}`,
    ]);
  });
});

const TWO_TABLES = `version: 1
events:
  pay: { table: pay, columns: { id: int8, user_id: int8, amount: numeric }, time: at, lateness: 10s }
  seen: { table: seen, columns: { id: int8, uid: int8, page: text, ip: inet } }
  view: { from: seen, when: page == "home" }
  big: { from: pay, when: amount > 10 }
`;

describe('windows', () => {
  test('that are equal share one store, whose values are all that they need and whose extent is the longest', () => {
    const plan = planOf(
      rule(`    let:
      n: { count: transaction, by: user_id, over: 1m, when: amount > 1 }
      s: { sum: amount, by: user_id, over: 1h, when: amount > 1 }
      p: { previous: country, by: [user_id], over: 5m, when: amount > 1 }
      other: { count: transaction, by: user_id, over: 1m }
`),
    );
    expect(plan.stores).toHaveLength(2);
    const [store] = plan.stores;
    const names = store?.values.map(({ column }) => plan.tables[0]?.columns[column]?.name);
    expect(names).toEqual(['amount', 'country']);
    expect(store?.keep).toBe(3_600_000_000);
    const windows = plan.rules[0]?.lets.map(
      (one) => one.kind === 'window' && [one.window.store, ...one.window.values],
    );
    expect(windows).toEqual([[0], [0, 0], [0, 1], [1]]);
  });

  test('keep their store when rules come in another order, and lose it when they hold something else', () => {
    const ids = (text: string) =>
      planOf(text)
        .stores.map(({ id }) => id)
        .sort();
    const one = '  - { id: a, event: transaction, let: { x: { sum: amount, by: user_id, over: 1m } } }\n';
    const two = '  - { id: b, event: transaction, let: { x: { last: country, by: user_id, over: 1h } } }\n';
    const three = '  - { id: c, event: transaction, let: { x: { last: type, by: user_id, over: 1h } } }\n';
    expect(ids(`${EVENTS}rules:\n${one}${two}`)).toEqual(ids(`${EVENTS}rules:\n${two}${one}`));
    expect(ids(`${EVENTS}rules:\n${one}${two}`)).not.toEqual(ids(`${EVENTS}rules:\n${one}${two}${three}`));
  });

  test('over another table are looked up by the column of the own one, and both keys are one dimension', () => {
    const plan = planOf(`${TWO_TABLES}rules:
  - id: r
    event: big
    let:
      views: { count: view, by: { pay: user_id, view: uid }, over: 1h }
      ips: { distinct: view.ip, by: { big: user_id, seen: uid }, over: 5m }
      before: { last: amount, by: user_id, over: 1m }
`);
    const [pay, seen] = plan.tables;
    const column = (of: Plan['tables'][number] | undefined, index = -1) => of?.columns[index]?.name;
    expect(plan.stores.map(({ table: index, by }) => column(plan.tables[index], by[0]))).toEqual([
      'uid',
      'user_id',
    ]);
    const [views] = plan.rules[0]?.lets ?? [];
    expect(views?.kind === 'window' && column(pay, views.window.by[0])).toBe('user_id');
    expect(pay?.keys.map(({ dimension }) => dimension)).toEqual([0]);
    expect(seen?.keys.map(({ dimension }) => dimension)).toEqual([0]);
    expect(pay?.events.map(({ name }) => name)).toEqual(['pay', 'big']);
    expect(plan.stores[1]?.keep).toBe(70_000_000);
  });

  test('say which rows they hold, with bounds for those that have none of their own', () => {
    const overs = [
      '1h',
      '{ tumbling: 1m }',
      '{ hopping: 1m, every: 10s }',
      '{ session: 30s }',
      '{ rows: 5 }',
    ];
    const lets = overs.map((over, i) => `      w${i}: { count: transaction, by: user_id, over: ${over} }\n`);
    const plan = planOf(rule(`    let:\n${lets.join('')}`));
    const [second, day] = [1_000_000, 86_400_000_000];
    expect(plan.rules[0]?.lets.map((one) => one.kind === 'window' && one.window.over)).toEqual([
      { kind: 'sliding', over: 3600 * second },
      { kind: 'hopping', size: 60 * second, every: 60 * second },
      { kind: 'hopping', size: 60 * second, every: 10 * second },
      { kind: 'session', gap: 30 * second, within: day },
      { kind: 'rows', rows: 5, within: 30 * day },
    ]);
    expect(plan.stores).toMatchObject([{ keep: day, rows: { count: 5, keep: 30 * day } }]);
  });

  test('that tumble and hop for an hour or more roll up into panes, which hold what their functions need', () => {
    const plan = planOf(
      rule(`    let:
      a: { avg: amount, by: user_id, over: { tumbling: 1d } }
      b: { count: transaction, by: user_id, over: { hopping: 30d, every: 1d } }
      c: { percentile: [amount, 95], by: user_id, over: { tumbling: 1d } }
      d: { sum: amount, by: user_id, over: { tumbling: 5m } }
      e: { sum: amount, by: user_id, over: { hopping: 30d, every: 1m } }
`),
    );
    const stores = plan.rules[0]?.lets.map((one) => one.kind === 'window' && one.window.store);
    expect(stores).toEqual([0, 0, 1, 1, 1]);
    expect(plan.stores.map(({ panes }) => panes)).toEqual([
      {
        every: 86_400_000_000,
        parts: [
          { part: 'known', value: 0 },
          { part: 'rows', value: -1 },
          { part: 'sum', value: 0 },
        ],
      },
      null,
    ]);
  });

  test('that compare the row itself are refused where it has nothing to compare', () => {
    const by = 'by: { pay: user_id, seen: uid }, over: 1h';
    const lets = `    let:
      a: { first_seen: seen.ip, ${by} }
      b: { speed_kmh: [pay.amount, seen.id], ${by} }
      c: { first_seen: seen.id, ${by} }
`;
    expect(mistakes(`${TWO_TABLES}rules:\n  - id: r\n    event: pay\n${lets}`)).toEqual([
      '11:24: error: first_seen compares the row itself with seen.ip, and event "pay" has no such column',
      '12:36: error: a window is of one event, and these are of pay and seen',
    ]);
  });

  test('are refused by columns that the other event does not say', () => {
    const lines = '    let: { n: { count: view, by: { pay: user_id, veiw: uid }, over: 1h } }\n';
    expect(mistakes(`${TWO_TABLES}rules:\n  - id: r\n    event: pay\n${lines}`)).toEqual([
      '10:34: error: "by" does not say the columns of event "view"',
      '10:50: error: "by" names event "veiw", and this window is of pay and view (did you mean view?)',
    ]);
  });
});

describe('views', () => {
  test('are true only where every condition on the way is', () => {
    const plan = planOf(`version: 1
events:
  c: { from: b, when: n < 10 }
  t: { table: t, columns: { id: int8, n: int8, m: int8 } }
  b: { from: t, when: m > 1 }
rules:
  - { id: r, event: c }
`);
    const [events, columns] = [plan.tables[0]?.events, plan.tables[0]?.columns.map(({ name }) => name)];
    expect(columns).toEqual(['id', 'n', 'm']);
    const row = (n: string | null, m: string | null) => ({
      row: {
        table: 0,
        op: 'insert',
        cells: ['1', n, m],
        old: null,
        position: '',
        at: 0,
        commitAt: 0,
        watermark: 0,
        late: false,
        roles: 1,
      } as const,
      lets: [],
      lists: [],
    });
    const when = events?.[1]?.when;
    expect(events?.map(({ name }) => name)).toEqual(['t', 'c']);
    expect(
      [row('5', '2'), row('11', '2'), row('5', '1'), row(null, '2'), row(null, '1')].map((one) =>
        when?.(one),
      ),
    ).toEqual([true, false, false, null, false]);
  });
});

describe('rules that are off', () => {
  const text = (mode: string) =>
    rule(
      `    let: { n: { count: transaction, by: user_id, over: 1m } }\n    when: country == "DE"\n    mode: ${mode}\n`,
    );

  test('are checked, and left out with their columns and windows', () => {
    const plan = planOf(text('off'));
    expect([plan.rules, plan.stores, plan.tables[0]?.keys]).toEqual([[], [], []]);
    expect(plan.tables[0]?.columns.map(({ name }) => name)).toEqual(['id']);
    expect(mistakes(text('off').replace('country', 'contry'))).toHaveLength(1);
  });
});

test('webhooks are those of weir.yaml, where it is known', () => {
  const text = rule('    actions: [alert, "webhook:pagr"]\n');
  expect(mistakes(text)).toEqual([]);
  expect(mistakes(text, null, { webhooks: ['pager'] })).toEqual([
    '11:22: error: weir.yaml has no webhook "pagr" (did you mean pager?)',
  ]);
});

test('a list keeps its entries as they are written', () => {
  const plan = planOf(`${EVENTS}lists:\n  some: { values: [42, 007, 1e3, "x y", true] }\n`);
  expect([...(plan.lists.get('some') ?? [])]).toEqual(['42', '007', '1e3', 'x y', 'true']);
});

test('a message is its texts and values in turn', () => {
  const plan = planOf(
    rule(
      '    let: { n: { count: transaction, by: user_id, over: 1m } }\n    message: "{n} by {user_id}: {{x}}"\n',
    ),
  );
  expect(plan.rules[0]?.message).toEqual([
    { kind: 'let', index: 0 },
    { kind: 'text', text: ' by ' },
    { kind: 'column', column: plan.tables[0]?.columns.findIndex(({ name }) => name === 'user_id') },
    { kind: 'text', text: ': {x}' },
  ]);
});
