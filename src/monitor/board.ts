import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Queue } from 'bullmq';
import type { Hono, MiddlewareHandler } from 'hono';
import { decodeJobData } from '../queue/batch-job.ts';
import type { BatchQueue } from '../queue/bullmq-backend.ts';
import type { Queues } from '../queue/connect.ts';

const PATH = '/queues';

type ServerAdapter = Parameters<typeof createBullBoard>[0]['serverAdapter'];

interface BoardOptions {
  /** Retry, pause, clean, obliterate …: what the queue loses is a gap, which costs an epoch, never data. */
  readonly allowActions: boolean;
}

/**
 * BullMQ's board at `/queues`, one queue a partition and one a webhook, with its assets from node_modules. A batch shows its
 * positions, rows, hits and errors; the rows themselves are the host's data and stay off the page.
 */
export function mountBoard(
  app: Hono,
  { queues, deliveries }: Pick<Queues, 'queues' | 'deliveries'>,
  { allowActions }: BoardOptions,
): void {
  const server = new HonoAdapter(serveStatic);
  server.setBasePath(PATH);
  createBullBoard({
    queues: [
      ...queues.map((queue, partition) => batches(queue, partition, allowActions)),
      ...deliveries.map(({ queue, webhook }) => adapt(queue, `webhook ${webhook}`, allowActions)),
    ],
    // @bull-board/hono brings an older patch release of the API's types.
    serverAdapter: server as unknown as ServerAdapter,
    options: {
      uiConfig: { boardTitle: 'Weir' },
    },
  });
  app.use(`${PATH}/*`, fromHereOnly());
  if (!allowActions) app.use(`${PATH}/*`, readOnly());
  app.route(PATH, server.registerPlugin());
}

function batches(queue: BatchQueue, partition: number, allowActions: boolean): BullMQAdapter {
  const adapter = adapt(queue, `partition ${partition}`, allowActions);
  adapter.setFormatter('data', withoutRows);
  return adapter;
}

function adapt(queue: BatchQueue, displayName: string, allowActions: boolean): BullMQAdapter {
  // The board's types know BullMQ's Redis store only; it asks the queue which one it has.
  return new BullMQAdapter(queue as unknown as Queue, {
    readOnlyMode: !allowActions,
    displayName,
    description: queue.name,
  });
}

function withoutRows(data: unknown): unknown {
  const decoded = decodeJobData(data);
  switch (decoded.kind) {
    case 'batch': {
      const { events, transactions, watermarks, ...rest } = decoded.batch;
      return { ...rest, transactions: transactions.length };
    }
    case 'handled':
      return decoded.summary;
    case 'malformed':
      return { malformed: decoded.reason };
  }
}

/** The board itself refuses most actions; this refuses all of them, also those of its later versions. */
function readOnly(): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    return c.json({ error: 'the board is read-only', hint: 'start Weir with --allow-actions' }, 403);
  };
}

const POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
].join('; ');

/** The board's page asks Google for a font: a page about someone's transactions tells nobody that it is read. */
function fromHereOnly(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    c.header('content-security-policy', POLICY);
    if (!(c.res.headers.get('content-type') ?? '').startsWith('text/html')) return;
    const page = await c.res.text();
    const own = page.replaceAll(/<link[^>]+href="https?:[^>]+>/g, '');
    c.res = new Response(own, { status: c.res.status, headers: c.res.headers });
  };
}
