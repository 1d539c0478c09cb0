import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Receiver } from '../../support/receiver.ts';
import { Site } from '../../support/site.ts';
import { until } from '../../support/until.ts';
import type { WeirProcess } from '../../support/weir-process.ts';

const SCHEMA =
  'create table payments (id int8 generated always as identity primary key, user_id int8, amount numeric)';

const RULES = `version: 1
events: { payment: { table: public.payments } }
rules:
  - { id: large, event: payment, when: amount > 100, score: 60, cooldown: { by: user_id, for: 1h }, actions: ['webhook:bank'] }
  - { id: huge, event: payment, when: amount > 1000, score: 60, actions: ['webhook:bank', 'webhook:slow', alert] }
  - { id: tried, event: payment, when: amount > 100, score: 1, mode: shadow, actions: ['webhook:slow'] }
scoring:
  payment: { bands: { block: 100 }, actions: { block: ['webhook:bank'] } }
`;

describe.each(['redis', 'postgres'] as const)('webhooks, with the queue on %s', (queue) => {
  let site: Site;
  let weir: WeirProcess;
  let bank: Receiver;
  let slow: Receiver;

  beforeAll(async () => {
    [bank, slow] = [await Receiver.start('s3cret'), await Receiver.start('another')];
    const rules = await mkdtemp(join(tmpdir(), 'weir-rules-'));
    await writeFile(join(rules, 'rules.yaml'), RULES);
    const yaml = `webhooks:
  bank: { url: "${bank.url}", secret: s3cret, timeout: 500ms }
  slow: { url: "${slow.url}", secret: another, timeout: 300ms, give_up_after: 1s }
`;
    site = await Site.open({ version: 18, queue, schema: SCHEMA, rules, yaml });
    weir = await site.weir('weir', ['run']);
    weir.start();
    await weir.ready();
  });
  afterAll(async () => {
    await site?.close();
    await Promise.all([bank?.close(), slow?.close()]);
  });

  const pay = (...amounts: readonly number[]) =>
    site.rows(`insert into payments (user_id, amount)
      select 1 + coalesce((select max(id) from payments), 0), a from unnest(array[${amounts}]::numeric[]) a`);
  const outbox = () =>
    site.rows<{ webhook: string; status: string; n: number }>(
      'select webhook, status, count(*)::int as n from weir.outbox group by 1, 2 order by 1, 2',
    );
  const alertsOf = (receiver: Receiver) =>
    [...receiver.taken.values()].map(({ body }) => (body as { data: { rule_id: string } }).data.rule_id);

  it('are told of each alert that names them, signed, once; not of shadow rules, nor while a cooldown is silent', async () => {
    await pay(150.25, 200, 5);
    await until('the receiver has it', () => bank.taken.size === 1);
    const [[id, told] = ['', { body: null }]] = [...bank.taken];
    expect(id).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(told.body).toMatchObject({
      type: 'alert',
      data: {
        rule_id: 'large',
        kind: 'rule',
        subject: { user_id: 1 },
        events: [{ columns: { amount: 150.25 } }],
      },
    });
    await until('the store knows', async () => (await outbox())[0]?.status === 'delivered');
    expect(await outbox()).toEqual([{ webhook: 'bank', status: 'delivered', n: 1 }]);
    expect([bank.forged, slow.attempts]).toEqual([0, 0]);
  });

  it('get a band of a decision as well, and a receiver that hangs delays no other', async () => {
    slow.behave = () => 'hang';
    await pay(2000);
    await until('the bank has three more', () => bank.taken.size === 4);
    expect(alertsOf(bank).slice(1).sort()).toEqual(['huge', 'large', 'scoring.payment.block']);
    expect(slow.taken.size).toBe(0);
  });

  it('give up in the end what is never taken, and send it when somebody asks', async () => {
    await until('it is dead', async () => (await outbox()).some(({ status }) => status === 'dead'));
    const dead = await site.rows(`select webhook, last_error from weir.outbox where status = 'dead'`);
    expect(await site.command('status')).toMatch(/^webhook +slow: 0 deliveries pending, 1 given up$/m);
    expect(dead).toEqual([{ webhook: 'slow', last_error: 'no answer within 300 ms' }]);
    slow.behave = () => 200;
    expect(JSON.parse(await site.command('webhooks', 'retry', 'slow', '--json'))).toEqual({ retried: 1 });
    await until('the receiver has it', () => slow.taken.size === 1);
    expect(alertsOf(slow)).toEqual(['huge']);
    await until('nothing is left', async () =>
      (await outbox()).every(({ status }) => status === 'delivered'),
    );
    expect(JSON.parse(await site.command('webhooks', 'list', '--json'))).toMatchObject({
      webhooks: [
        { webhook: 'bank', pending: 0, delivered: 4, dead: 0 },
        { webhook: 'slow', pending: 0, delivered: 1, dead: 0 },
      ],
    });
  });

  it('lose nothing to a receiver that fails at random, and send a thing twice under one id only', async () => {
    const before = bank.taken.size;
    const moods = [500, 'drop', 200, { status: 503, after: '1' }, 200, 200] as const;
    bank.behave = (attempt) => moods[attempt % moods.length] ?? 200;
    for (let i = 0; i < 15; i++) await pay(120 + i);
    await until(
      'all are delivered',
      async () => (await outbox()).every(({ status }) => status === 'delivered'),
      60_000,
    );
    expect(bank.taken.size - before).toBe(15);
    expect(bank.forged).toBe(0);
    const ids = await site.rows<{ id: string }>(
      `select delivery_id as id from weir.outbox where webhook = 'bank' order by 1`,
    );
    expect([...bank.taken.keys()].sort()).toEqual(ids.map(({ id }) => id));
  });
});
