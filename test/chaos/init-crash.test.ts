import { afterAll, beforeAll, expect, it } from 'vitest';
import { Site } from '../support/site.ts';
import { until } from '../support/until.ts';
import { Bank } from './bank.ts';
import { CHAOS_SCHEMA } from './schema.ts';
import { CHAOS_RULES } from './world.ts';

const LARGE = "select from weir.alerts where rule_id = 'large_amount'";

let site: Site;
let bank: Bank;

beforeAll(async () => {
  bank = await Bank.open();
  site = await Site.open({
    version: 18,
    queue: 'postgres',
    schema: CHAOS_SCHEMA,
    rules: CHAOS_RULES,
    yaml: bank.yaml,
  });
  await site.command('teardown', '--apply');
});

afterAll(async () => {
  await site?.close();
  await bank?.close();
});

/** Dies after the first step, then after the second, …; how many it takes until it comes to its end. */
async function crashAfterEachStep(command: string): Promise<number> {
  for (let step = 1; ; step += 1) {
    const dying = await site.weir(`${command}-${step}`, [command, '--apply']);
    dying.start({ WEIR_FAILPOINT: `step.done@${step}` });
    await dying.ended();
    if (dying.signalCode === 'SIGKILL') continue;
    expect(dying.exitCode, await dying.log()).toBe(0);
    return step - 1;
  }
}

it('weir init that was killed after any of its steps goes on where it was', async () => {
  expect(await crashAfterEachStep('init')).toBeGreaterThanOrEqual(4);
  const weir = await site.weir('weir', ['run']);
  weir.start();
  await weir.ready();
  await site.rows(
    `insert into transactions (user_id, amount, type, country, device_id) values (1, 10001, 'payment', 'DE', 'd')`,
  );
  await until('the alert is there', async () => (await site.rows(LARGE)).length === 1);
  await weir.end('SIGTERM');
  expect(weir.exitCode).toBe(0);
});

it('weir teardown that was killed after any of its steps leaves nothing either', async () => {
  expect(await crashAfterEachStep('teardown')).toBeGreaterThanOrEqual(3);
  expect(
    await site.rows(
      `select (select count(*) from pg_replication_slots)::int as slots, (select count(*) from pg_publication)::int as publications,
         (select count(*) from pg_namespace where nspname = 'weir')::int as schemas,
         (select count(*) from pg_database where datname = 'weir_queue')::int as queues`,
    ),
  ).toEqual([{ slots: 0, publications: 0, schemas: 0, queues: 0 }]);
});
