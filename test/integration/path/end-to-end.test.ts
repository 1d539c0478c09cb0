import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PostgresVersion } from '../../support/postgres.ts';
import { Site } from '../../support/site.ts';
import { until } from '../../support/until.ts';
import type { WeirProcess } from '../../support/weir-process.ts';
import { ALERTS, EXAMPLE_RULES, SHOP_SCHEMA } from './shop.ts';

const PLACES: { version: PostgresVersion; queue: 'redis' | 'postgres' }[] = [
  { version: 14, queue: 'redis' },
  { version: 14, queue: 'postgres' },
  { version: 18, queue: 'redis' },
  { version: 18, queue: 'postgres' },
];

describe.each(PLACES)('weir run on PostgreSQL $version, queue on $queue', ({ version, queue }) => {
  let site: Site;
  let weir: WeirProcess;
  let host: pg.Client;
  const told: string[] = [];

  beforeAll(async () => {
    site = await Site.open({ version, queue, schema: SHOP_SCHEMA, rules: EXAMPLE_RULES });
    weir = await site.weir('weir', ['run']);
    host = new pg.Client(site.postgres.url);
    host.on('notification', ({ payload }) => told.push(payload ?? ''));
    await host.connect();
    await host.query('listen weir_alerts');
    weir.start();
    await weir.ready();
  });

  afterAll(async () => {
    await host?.end();
    await site?.close();
  });

  it('writes an alert and a decision for a large amount', async () => {
    await host.query('insert into transactions (user_id, amount) values (7, 10000.01), (7, 10000)');
    await until('the alert is there', async () => (await site.rows(ALERTS)).length > 0);
    expect(await site.rows(ALERTS)).toEqual([
      {
        rule: 'large_amount',
        row: 1,
        severity: 'high',
        subject: { id: 1 },
        message: '10000.01 moved at once by user 7',
      },
    ]);
    expect(await decisions(site)).toEqual(['1: 80 flag, large_amount 80']);
  });

  it('flags the eleventh transaction of a minute, and those after it', async () => {
    await host.query('insert into transactions (user_id, amount) select 8, 1 from generate_series(1, 12)');
    await until('two decisions more are there', async () => (await decisions(site)).length === 3);
    expect((await decisions(site)).slice(1)).toEqual([
      '13: 60 flag, frequent_transactions 60',
      '14: 60 flag, frequent_transactions 60',
    ]);
  });

  it('adds the scores of a row, and blocks above 100', async () => {
    const written = await host.query(
      `insert into transactions (user_id, amount, country) values (7, 12000, 'BR') returning id`,
    );
    expect(written.rows).toEqual([{ id: '15' }]);
    await until('the block is there', async () => (await site.rows('select from weir.blocks')).length > 0);
    expect((await decisions(site)).slice(3)).toEqual(['15: 150 block, large_amount 80, location_change 70']);
    expect((await site.rows<{ rule: string }>(ALERTS)).slice(1)).toMatchObject([
      { rule: 'large_amount', row: 15 },
      { rule: 'scoring.transaction.block', row: 15 },
    ]);
    expect(
      await site.rows(
        `select subject_key, subject_value, until - event_time as length from weir.blocks
         join weir.decisions on entity_id = '15'`,
      ),
    ).toEqual([{ subject_key: 'user_id', subject_value: '7', length: expect.objectContaining({ days: 1 }) }]);
  });

  it('sends each alert as a notification', async () => {
    const written = await site.rows<{ alert_id: string }>(
      'select alert_id, rule_id, severity, subject from weir.alerts order by alert_id',
    );
    await until('as many have come', async () => {
      await host.query('select');
      return told.length === written.length;
    });
    const received = told.map((payload) => JSON.parse(payload) as { alert_id: string });
    expect(received.sort((a, b) => (a.alert_id < b.alert_id ? -1 : 1))).toEqual(written);
  });

  it("leaves the host's writes as they were", async () => {
    await host.query(`update transactions set amount = 20000, type = 'refund' where id = 3`);
    await host.query('update transactions set user_id = 9 where id = 4');
    await host.query('delete from transactions where id = 5');
    await host.query(
      `insert into customers values (1, 'A'); update customers set name = 'B'; delete from customers`,
    );
    const { rows } = await host.query('select count(*)::int as n from transactions');
    expect(rows).toEqual([{ n: 14 }]);
  });

  it('is not harmed by NaN and infinities', async () => {
    await host.query(
      `insert into transactions (user_id, amount) values (20, 'NaN'), (20, 'Infinity'), (20, '-Infinity'), (21, 10001)`,
    );
    await until('the row after them has its alert', async () =>
      (await site.rows<{ row: number }>(ALERTS)).some(({ row }) => row === 19),
    );
    expect((await site.rows<{ rule: string; row: number }>(ALERTS)).slice(3)).toMatchObject([
      { rule: 'large_amount', row: 17, message: 'Infinity moved at once by user 20' },
      { rule: 'large_amount', row: 19 },
    ]);
    expect(await site.rows('select from weir.dead_letters')).toEqual([]);
  });

  it('answers on every address', async () => {
    const get = async (path: string): Promise<string> => {
      const response = await fetch(`${weir.url}${path}`);
      expect(`${path} ${response.status}`).toBe(`${path} 200`);
      return response.text();
    };
    expect(JSON.parse(await get('/livez'))).toEqual({ status: 'alive' });
    expect(JSON.parse(await get('/readyz'))).toEqual({ ready: true, reasons: [] });
    expect(await get('/queues')).toContain('<!DOCTYPE html>');
    expect(await get('/metrics')).toMatch(/^weir_source_rows_total\{table="transaction"\} 19$/m);
    expect(await weir.metric('weir_rule_hits_total')).toBe(7);
    const status = JSON.parse(await site.command('status', '--json')) as Status;
    expect(status).toMatchObject({ instance: 'weir', counts: { alertsLastHour: 5, deadLetters: 0 } });
    expect(status.slot.activePid).toBeGreaterThan(0);
    expect(status.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(status.queue.depths).toHaveLength(8);
  });

  it('ends by SIGTERM with nothing left to replay', async () => {
    const before = JSON.parse(await site.command('status', '--json')) as Status;
    await weir.end('SIGTERM');
    expect(weir.exitCode).toBe(0);
    const effects = await site.rows(ALERTS);
    weir.start();
    await weir.ready();
    const after = JSON.parse(await site.command('status', '--json')) as Status;
    expect(after.epoch).toBeGreaterThan(before.epoch);
    await host.query('insert into transactions (user_id, amount) values (30, 10001)');
    await until('the next alert is there', async () => (await site.rows(ALERTS)).length > effects.length);
    expect((await site.rows(ALERTS)).slice(0, -1)).toEqual(effects);
    expect(await weir.metric('weir_source_rows_total')).toBe(1);
    expect(await weir.metric('weir_rule_hits_total')).toBe(1);
  });
});

interface Status {
  readonly epoch: number;
  readonly slot: { readonly activePid: number };
  readonly partitions: readonly { readonly partition: number }[];
  readonly queue: { readonly depths: readonly number[] };
}

/** `row: score band, rule score, …` in the order of the rows. */
async function decisions(site: Site): Promise<string[]> {
  const found = await site.rows<{ line: string }>(
    `select entity_id || ': ' || score || ' ' || coalesce(band, 'none') ||
       (select string_agg(', ' || (r ->> 'rule') || ' ' || (r ->> 'score'), '' order by n)
        from jsonb_array_elements(reasons) with ordinality as x (r, n)) as line
     from weir.decisions where mode = 'live' order by position`,
  );
  return found.map(({ line }) => line);
}
