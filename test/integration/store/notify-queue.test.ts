import { expect, it, onTestFinished } from 'vitest';
import { commitBatch } from '../../../src/store/commit.ts';
import { startPostgres } from '../../support/postgres.ts';
import { alertOf, commitOf, outputs, StoreFixture, writer } from './fixture.ts';

it('a full NOTIFY queue, of a session that listens and never reads, costs notifications but no alert', async () => {
  // The least that PostgreSQL takes; without the setting the queue has 8 GB.
  const settings = { max_notify_queue_pages: '64' };
  const store = new StoreFixture(await startPostgres({ version: 18, settings }));
  onTestFinished(() => store.close());
  await store.reset();
  const [listener, filler, client] = await Promise.all([store.client(), store.client(), store.client()]);
  for (const sql of [
    'set idle_in_transaction_session_timeout = 0',
    'listen weir_alerts',
    'begin',
    'select 1',
  ]) {
    await listener.query(sql);
  }
  const fill = async (): Promise<unknown> => {
    for (let n = 0; n < 1_000; n++) {
      const error: unknown = await filler
        .query(`select pg_notify('weir_alerts', repeat('x', 7000) || $1)`, [n])
        .catch((refused: unknown) => refused);
      if (error instanceof Error) return error;
    }
    return null;
  };
  expect(await fill()).toMatchObject({ code: '54000' });

  const alerts = [alertOf('a'), alertOf('b')];
  const outcome = await commitBatch(client, [commitOf(0, { outputs: outputs({ alerts }) })], writer('me'));
  expect(outcome.get(0)).toEqual({ kind: 'committed', alerts: 2, deadLetters: 0 });
  expect(await store.rows('select from weir.dead_letters')).toEqual([]);
});
