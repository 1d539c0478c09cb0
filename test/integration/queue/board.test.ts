import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { mountBoard } from '../../../src/monitor/board.ts';
import { until } from '../../support/until.ts';
import { batch, COMMITTED } from './batches.ts';
import { openOn, type QueueServer, SERVERS } from './servers.ts';

interface BoardQueue {
  readonly name: string;
  readonly displayName: string;
  readonly readOnlyMode: boolean;
  readonly isPaused: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly jobs: readonly { readonly id: string; readonly data: unknown; readonly returnValue: unknown }[];
}

describe.each(['redis', 'postgres'] as const)('the board at /queues, on %s', (kind) => {
  let server: QueueServer;
  beforeAll(async () => {
    server = await SERVERS[kind]();
  }, 60_000);
  afterAll(async () => {
    await server.close();
  });

  async function board(allowActions: boolean) {
    const opened = await openOn(server, { partitions: 3 });
    onTestFinished(() => opened.close());
    const app = new Hono();
    mountBoard(app, opened, { allowActions });
    const list = async (active = ''): Promise<readonly BoardQueue[]> => {
      const query = new URLSearchParams({
        activeQueue: active,
        status: 'latest',
        page: '1',
        jobsPerPage: '10',
      });
      const response = await app.request(`/queues/api/queues?${query}`);
      expect(response.status).toBe(200);
      return ((await response.json()) as { queues: readonly BoardQueue[] }).queues;
    };
    const act = (method: string, path: string) => app.request(`/queues/api${path}`, { method });
    return { ...opened, app, list, act };
  }

  test('serves its page and every asset that the page names itself, and sends nobody elsewhere', async () => {
    const { app } = await board(false);
    const page = await app.request('/queues');
    expect(page.status).toBe(200);
    const html = await page.text();
    expect(html).toContain('<base href="/queues/" />');
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const assets = [...html.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map((match) => match[1]);
    expect(assets.length).toBeGreaterThanOrEqual(5);
    for (const asset of assets) {
      const response = await app.request(`/queues/${asset}`);
      expect([asset, response.status]).toEqual([asset, 200]);
    }
  });

  test('lists one queue a partition; a finished batch shows its positions, rows and hits, and no rows', async () => {
    const { producer, consumer, queues, list } = await board(false);
    const done = batch(4, { partition: 1, rows: 25 });
    await consumer.start(1, async () => COMMITTED);
    await producer.add([done, batch(0, { partition: 2 })]);
    await until('completed', async () => (await queues[1]?.getCompletedCount()) === 1);
    const listed = await list(queues[1]?.name);
    expect(listed.map((queue) => queue.displayName)).toEqual(['partition 0', 'partition 1', 'partition 2']);
    expect(listed.map((queue) => queue.name)).toEqual(queues.map((queue) => queue.name));
    expect(listed.map((queue) => queue.counts['waiting'])).toEqual([0, 0, 1]);
    const [job] = listed[1]?.jobs ?? [];
    expect(job?.returnValue).toMatchObject({ ...COMMITTED, from: done.from, to: done.to, rows: 25 });
    const waiting = (await list(queues[2]?.name))[2]?.jobs[0];
    expect(waiting?.data).toMatchObject({ from: batch(0).from, rows: 3, transactions: 1 });
    expect(JSON.stringify([job, waiting])).not.toContain('12.50');
  });

  test('refuses every action while it is read-only', async () => {
    const { producer, queues, list, act } = await board(false);
    await producer.add([batch(0)]);
    const name = encodeURIComponent(queues[0]?.name ?? '');
    const actions = [
      ['PUT', `/queues/${name}/pause`],
      ['PUT', `/queues/${name}/obliterate`],
      ['PUT', `/queues/${name}/empty`],
      ['PUT', `/queues/${name}/retry/failed`],
      ['PUT', `/queues/${name}/clean/completed`],
      ['PUT', '/queues/pause'],
      ['POST', `/queues/${name}/add`],
    ] as const;
    for (const [method, path] of actions) {
      const response = await act(method, path);
      expect([path, response.status]).toEqual([path, 403]);
      expect(await response.json()).toMatchObject({ error: 'the board is read-only' });
    }
    const [queue] = await list();
    expect([queue?.readOnlyMode, queue?.isPaused, queue?.counts['waiting']]).toEqual([true, false, 1]);
  });

  test('acts when actions are allowed', async () => {
    const { producer, queues, list, act } = await board(true);
    await producer.add([batch(0)]);
    const name = encodeURIComponent(queues[0]?.name ?? '');
    expect((await act('PUT', `/queues/${name}/pause`)).status).toBe(200);
    const [queue] = await list();
    expect([queue?.readOnlyMode, queue?.isPaused]).toEqual([false, true]);
    // A new epoch works in a queue that someone has paused, and ends the pause.
    await producer.empty();
    expect((await list())[0]?.isPaused).toBe(false);
  });
});
