import { afterEach, describe, expect, it } from 'vitest';
import { Site } from '../../support/site.ts';
import { until } from '../../support/until.ts';
import { EXAMPLE_RULES, SHOP_SCHEMA } from './shop.ts';

/** Drained sources have 30 s for what workers were given; here nobody can commit or take it. */
const ENDS_IN_MS = 15_000;

describe('SIGTERM', () => {
  let site: Site;

  afterEach(() => site?.close());

  async function busy() {
    site = await Site.open({ version: 18, queue: 'redis', schema: SHOP_SCHEMA, rules: EXAMPLE_RULES });
    const weir = await site.weir('weir', ['run']);
    weir.start();
    await weir.ready();
    const rows = `insert into public.transactions (user_id, amount) select g % 50, g from generate_series(1, 20000) g`;
    await site.rows(rows);
    return weir;
  }

  it('ends a process whose PostgreSQL has just gone away with a batch at hand', async () => {
    const weir = await busy();
    await site.postgres.stop('immediate');
    await until('it says so', async () => /waits for the store/.test(await weir.log()));
    const started = Date.now();
    await weir.end('SIGTERM');
    expect(Date.now() - started).toBeLessThan(ENDS_IN_MS);
  }, 90_000);

  it('ends a process whose Redis is away, and which says that it is not ready', async () => {
    const weir = await busy();
    await site.redis?.stop('SIGKILL');
    await site.rows('insert into public.transactions (user_id, amount) values (1, 1)');
    await until('it is not ready', async () => (await weir.metric('weir_ready')) === 0, 30_000);
    const started = Date.now();
    await weir.end('SIGTERM');
    expect(Date.now() - started).toBeLessThan(ENDS_IN_MS);
  }, 90_000);
});
