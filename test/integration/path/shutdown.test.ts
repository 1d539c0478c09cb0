import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { Site } from '../../support/site.ts';
import { until } from '../../support/until.ts';
import { EXAMPLE_RULES, SHOP_SCHEMA } from './shop.ts';

/** Drained sources have 30 s for what workers were given; here nobody can commit or take it. */
const ENDS_IN_MS = 15_000;

describe('SIGTERM', () => {
  let site: Site;

  afterEach(() => site?.close());

  async function started() {
    site = await Site.open({ version: 18, queue: 'redis', schema: SHOP_SCHEMA, rules: EXAMPLE_RULES });
    const weir = await site.weir('weir', ['run']);
    weir.start();
    await weir.ready();
    return weir;
  }

  const ROWS =
    'insert into public.transactions (user_id, amount) select g % 50, g from generate_series(1, 20000) g';

  /** A commit of Weir stands at a lock that the caller holds: its batch is at hand, whatever the machine does. */
  async function commitWaits(): Promise<boolean> {
    const waiting = await site.rows(
      `select from pg_stat_activity
       where application_name like 'weir/%' and wait_event_type = 'Lock'`,
    );
    return waiting.length > 0;
  }

  it('ends a process whose PostgreSQL has just gone away with a batch at hand', async () => {
    const weir = await started();
    const holder = new pg.Client(site.postgres.url);
    holder.on('error', () => undefined); // it goes with the server
    await holder.connect();
    await holder.query('begin');
    await holder.query('select from weir.checkpoints for update');
    await site.rows(ROWS);
    await until('a commit is under way', commitWaits);
    await site.postgres.stop('immediate');
    await until('it says so', async () => /waits for the store/.test(await weir.log()));
    const toldMs = Date.now();
    await weir.end('SIGTERM');
    expect(Date.now() - toldMs).toBeLessThan(ENDS_IN_MS);
  }, 90_000);

  it('ends a process whose Redis is away, and which says that it is not ready', async () => {
    const weir = await started();
    await site.rows(ROWS);
    await site.redis?.stop('SIGKILL');
    await site.rows('insert into public.transactions (user_id, amount) values (1, 1)');
    await until('it is not ready', async () => (await weir.metric('weir_ready')) === 0, 30_000);
    const toldMs = Date.now();
    await weir.end('SIGTERM');
    expect(Date.now() - toldMs).toBeLessThan(ENDS_IN_MS);
  }, 90_000);
});
