import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Site } from '../../support/site.ts';
import { until } from '../../support/until.ts';
import type { WeirProcess } from '../../support/weir-process.ts';
import { ALERTS, EXAMPLE_RULES, SHOP_SCHEMA } from './shop.ts';

describe('a worker that hangs between joining and taking its share', () => {
  let site: Site;
  let weir: WeirProcess;
  let other: WeirProcess;

  beforeAll(async () => {
    site = await Site.open({ version: 18, queue: 'redis', schema: SHOP_SCHEMA, rules: EXAMPLE_RULES });
    weir = await site.weir('weir', ['run']);
    other = await site.weir('other', ['run', '--role', 'worker']);
    weir.start();
    await weir.ready();
  });
  afterAll(() => site?.close());

  const owned = (): Promise<(number | null)[]> =>
    Promise.all([weir, other].map((one) => one.metric('weir_partitions_owned')));
  const alerts = async (): Promise<number> => (await site.rows(ALERTS)).length;

  it('leaves partitions without an owner, of which readiness, metrics and status tell', async () => {
    other.start({ WEIR_FAILPOINT: 'ownership.joined:SIGSTOP' });
    await until('its share is free', async () => (await weir.metric('weir_partitions_owned')) === 4, 20_000);
    await site.rows(
      'insert into transactions (user_id, amount) select g, 10001 from generate_series(1, 40) g',
    );
    // It is told after 5 seconds and mended after 10: what takes a while is looked at first.
    expect(await site.command('status')).toMatch(/ none /);
    const reasons = async (): Promise<unknown> => (await fetch(`${weir.url}/readyz`)).json();
    await until(
      'it is told',
      async () => JSON.stringify(await reasons()).includes('partitions-unowned'),
      15_000,
    );
    expect(await weir.metric('weir_partitions_unowned')).toBe(4);
  });

  it('loses its session to another, which takes them, and all is completed', async () => {
    await until('the other has all', async () => (await weir.metric('weir_partitions_owned')) === 8, 20_000);
    await until('every row has its alert', async () => (await alerts()) === 40, 20_000);
    await until('they are owned', async () => (await weir.metric('weir_partitions_unowned')) === 0);
    await weir.ready();
    expect(await site.command('status')).not.toMatch(/ none /);
  });

  it('has its share again when it wakes', async () => {
    other.signal('SIGCONT');
    await until('each has four', async () => (await owned()).join() === '4,4', 20_000);
    await site.rows(
      'insert into transactions (user_id, amount) select g, 10001 from generate_series(1, 40) g',
    );
    await until('every row has its alert', async () => (await alerts()) === 80, 20_000);
  });
});
