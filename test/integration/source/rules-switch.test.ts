import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/rules/plan.ts';
import { announceRules } from '../../../src/source/announce-rules.ts';
import { until } from '../../support/until.ts';
import { contentOf, makePlan, SLOT, SourceFixture } from './fixture.ts';

const V1 = makePlan('v1', [{}]);
const COLUMNS = [
  { name: 'id', pgType: 'int8', type: 'double' },
  { name: 'user_id', pgType: 'int4', type: 'double' },
] as const;
const NOTE = { name: 'note', pgType: 'text', type: 'string' } as const;

describe('a change of rules', () => {
  let fixture: SourceFixture;

  beforeAll(async () => {
    fixture = await SourceFixture.start(18);
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.reset(V1));
  afterEach(() => fixture.stopAll());

  async function announce(plan: Plan, waitMs = 5_000): Promise<void> {
    const client = await fixture.client();
    try {
      const { control } = fixture;
      await announceRules({
        ...{ client, control, slot: SLOT, plan, content: contentOf(plan), inForce: V1, waitMs },
      });
    } finally {
      await client.end();
    }
  }

  const insert = (rows: number) =>
    fixture.sql(`insert into payments (user_id, note) select g, 'n' || g from generate_series(1, ${rows}) g`);
  const effectsOf = (version: string) => fixture.count(`effects where rules = '${version}'`);

  test('rows before it are judged by the old rules, rows after it by the new', async () => {
    const v2 = makePlan('v2', [{ columns: [...COLUMNS, NOTE] }]);
    await fixture.publish(v2, V1);
    fixture.workers.start();
    await fixture.streaming(fixture.source());
    await insert(20);
    await fixture.settled(20);
    // The workers of this test decode by one plan: it is switched between.
    fixture.plan = v2;
    await announce(v2);
    await insert(30);
    await fixture.settled(50);
    expect([await effectsOf('v1'), await effectsOf('v2')]).toEqual([20, 30]);
    const [row] = await fixture.sql("select cells from effects where rules = 'v2' order by position limit 1");
    expect(row).toEqual({ cells: [expect.any(String), '1', 'n1'] });
  });

  test('a replay from before it switches at the same place', async () => {
    const v2 = makePlan('v2', [{}]);
    const first = fixture.source();
    await fixture.streaming(first);
    await insert(20);
    await announce(v2);
    await insert(30);
    await until('batches of the new rules', () =>
      fixture.workers.batches.some(({ rules }) => rules === 'v2'),
    );
    await fixture.control.requestEpoch(await fixture.control.currentEpoch(), 'test');
    await until('the next epoch', () => first.measured.epochs.includes('requested'));
    fixture.workers.start();
    await fixture.settled(50);
    expect([await effectsOf('v1'), await effectsOf('v2')]).toEqual([20, 30]);
  });

  test('a start after it takes the new rules from the store', async () => {
    const v2 = makePlan('v2', [{}]);
    fixture.workers.start();
    const first = fixture.source();
    await fixture.streaming(first);
    await announce(v2);
    await insert(1);
    await fixture.settled(1);
    first.source.drain();
    await first.done;
    await fixture.streaming(fixture.source());
    await insert(5);
    await fixture.settled(6);
    expect(await effectsOf('v2')).toBe(6);
  });

  test('rules that need another publication lose no row of a writer that never stops', async () => {
    const v2 = makePlan('v2', [{ ops: ['insert', 'update'] }]);
    fixture.workers.start();
    const running = fixture.source();
    await fixture.streaming(running);
    let writing = true;
    let written = 0;
    const writer = (async () => {
      while (writing) {
        await insert(10);
        written += 10;
      }
    })();
    await until('some rows', () => written > 100);
    await fixture.publish(v2, V1);
    await announce(v2);
    await until('the new connection', () => running.measured.epochs.includes('rules'));
    await fixture.streaming(running);
    await fixture.sql('update payments set note = 1 where id = 1');
    writing = false;
    await writer;
    await fixture.settled(written + 1);
    expect(await fixture.count("effects where op = 'insert'")).toBe(written);
    expect(await fixture.count("effects where op = 'update' and rules = 'v2'")).toBe(1);
  });

  test('a message that names rules which the store does not have is ignored', async () => {
    fixture.workers.start();
    const running = fixture.source();
    await fixture.streaming(running);
    const contents = ['{"kind":"rules","version":"no such"}', 'no json', '{"kind":"odd"}'];
    for (const content of contents) {
      await fixture.sql('select pg_logical_emit_message(true, $1, $2)', [`weir/${SLOT}`, content]);
    }
    await fixture.sql("select pg_logical_emit_message(true, 'another', 'x')");
    await insert(5);
    await fixture.settled(5);
    expect(await effectsOf('v1')).toBe(5);
    expect(running.measured.epochs).toEqual(['start']);
  });

  test('rules that the publications do not carry are refused before they are stored', async () => {
    const v2 = makePlan('v2', [{ columns: [...COLUMNS, NOTE] }]);
    await expect(announce(v2)).rejects.toMatchObject({
      code: 'WEIR_PUBLICATIONS',
      message: expect.stringContaining('"note"'),
      hint: expect.stringContaining('weir init --apply'),
    });
    expect(await fixture.control.getRules('v2')).toBeNull();
  });

  test('rules that capture more wait for transactions that began before, and say for which', async () => {
    const v2 = makePlan('v2', [{ columns: [...COLUMNS, NOTE] }]);
    await fixture.publish(v2, V1);
    const open = await fixture.client();
    try {
      await open.query('begin');
      await open.query('insert into payments (user_id) values (1)');
      await expect(announce(v2, 500)).rejects.toMatchObject({
        code: 'WEIR_RULES_BLOCKED',
        message: expect.stringMatching(/pid \d+/),
      });
      const waiting = announce(v2);
      await open.query('commit');
      await waiting;
    } finally {
      await open.end();
    }
  });
});
