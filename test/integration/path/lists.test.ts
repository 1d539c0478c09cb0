import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Site } from '../../support/site.ts';
import { until } from '../../support/until.ts';
import type { WeirProcess } from '../../support/weir-process.ts';
import { SHOP_SCHEMA } from './shop.ts';

const rules = (seed: string) => `version: 1
events: { transaction: { table: public.transactions } }
lists: { trusted: { values: [${seed}] } }
rules:
  - id: large
    event: transaction
    when: amount > 100
    unless: user_id in lists.trusted
    score: 10
    actions: [alert]
`;

let site: Site;
let weir: WeirProcess;
let file: string;

beforeAll(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'weir-lists-')), 'rules.yaml');
  await writeFile(file, rules('"1"'));
  site = await Site.open({
    version: 18,
    queue: 'redis',
    schema: SHOP_SCHEMA,
    rules: file,
    env: { WEIR_PARTITIONS: '1' },
  });
  weir = await site.weir('weir', ['run']);
  weir.start();
  await weir.ready();
});

afterAll(() => site?.close());

const pay = (user: number) =>
  site.rows('insert into transactions (user_id, amount) values ($1, 200)', [user]);

const MARK = 9;
let marks = 0;

/** Users in the order of their alerts' rows, once all that was written is judged: there is one partition. */
async function alerted(): Promise<string> {
  await pay(MARK);
  marks += 1;
  let users: string[] = [];
  await until(
    'the last row is judged',
    async () => {
      const found = await site.rows<{ user: string }>(
        `select events -> 0 -> 'columns' ->> 'user_id' as user from weir.alerts order by commit_lsn`,
      );
      users = found.map(({ user }) => user);
      return users.filter((user) => user === `${MARK}`).length === marks;
    },
    30_000,
  );
  return users.filter((user) => user !== `${MARK}`).join(' ');
}

test('init puts what the rules seed into a list, in the name of the rules', async () => {
  const history = 'select revision::int, change, value, on_behalf_of from weir.list_history';
  expect(await site.rows(history)).toEqual([
    { revision: 2, change: 'added', value: '1', on_behalf_of: 'rules' },
  ]);
  expect(await site.rows('select lists::int from weir.acks')).toEqual([{ lists: 2 }]);
});

test('an edit is in force for the next row, whoever commits it', async () => {
  await pay(1);
  await pay(2);
  await site.command('list', 'add', 'trusted', '2');
  await pay(2);
  await site.rows("delete from weir.list_entries where value = '1'");
  await pay(1);
  expect(await alerted()).toBe('2 1');
});

test('edits while Weir is down are in force where they were committed, and so they are in a replay', async () => {
  await weir.end('SIGKILL');
  await pay(3);
  await site.command('list', 'add', 'trusted', '3');
  await pay(3);
  await site.command('list', 'remove', 'trusted', '3');
  await pay(3);
  weir.start({ WEIR_FAILPOINT: 'commit.before@2' });
  await until('it dies in the middle of them', () => !weir.running, 30_000);
  weir.start();
  await weir.ready();
  expect(await alerted()).toBe('2 1 3 3');
});

test('rules that seed the list otherwise leave it as it is, and say so', async () => {
  await weir.end('SIGTERM');
  await writeFile(file, rules('"1", "4"'));
  weir.start();
  await weir.ready();
  await pay(4);
  expect(await alerted()).toBe('2 1 3 3 4');
  expect(await weir.log()).toContain('were never put into it');
});
