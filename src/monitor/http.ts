import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Config } from '../config.ts';
import { WeirError } from '../errors.ts';
import type { Health } from './health.ts';
import { hasToken, isLoopback, onlyLoopbackNames, onlyOwnOrigin, onlyWithToken } from './http-access.ts';
import type { Metrics } from './metrics.ts';

export interface HttpOptions {
  readonly http: Config['http'];
  readonly metrics: Metrics;
  readonly health: Health;
}

export interface HttpServer {
  /** Where it listens; with port 0 the one it got. */
  readonly url: string;
  readonly port: number;
  /** From now on `/queues` is this app. The server starts before the queue is reachable, so it comes later. */
  mountBoard(board: Hono): void;
  close(): Promise<void>;
}

/** Listens before anything else of Weir has started, so that /readyz explains a start that waits. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const board: Mount = { app: null };
  const app = buildApp(options, board);
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await listen(server, options.http);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.http.port;
  return {
    port,
    url: `http://${shownHost(options.http.host)}:${port}`,
    mountBoard: (mounted) => {
      board.app = mounted;
    },
    close: () => close(server),
  };
}

interface Mount {
  app: Hono | null;
}

function buildApp(options: HttpOptions, board: Mount): Hono {
  const { token, host } = options.http;
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.header('x-content-type-options', 'nosniff');
    c.header('x-frame-options', 'DENY');
    c.header('referrer-policy', 'no-referrer');
  });
  if (isLoopback(host)) app.use(onlyLoopbackNames());
  app.use(onlyOwnOrigin());
  app.get('/livez', (c) => c.json({ status: 'alive' }));
  app.get('/readyz', (c) => readiness(c, options));
  if (token !== null) app.use(onlyWithToken(token));
  app.get('/metrics', async (c) => {
    options.metrics.readiness(options.health.ready);
    return c.body(await options.metrics.text(), 200, {
      'content-type': options.metrics.registry.contentType,
    });
  });
  app.get('/', (c) => c.html(INDEX));
  const forward = (c: Context): Response | Promise<Response> =>
    board.app === null
      ? c.json({ error: 'the queue is not connected yet', hint: '/readyz says what Weir waits for' }, 503)
      : board.app.fetch(c.req.raw, c.env);
  app.all('/queues', forward);
  app.all('/queues/*', forward);
  app.notFound((c) => c.json({ error: `nothing at ${c.req.path}` }, 404));
  app.onError((error, c) => c.json({ error: error.message }, 500));
  return app;
}

/** Probes have no token: they learn whether, and only who has the token learns why. */
function readiness(c: Context, { http, health }: HttpOptions): Response {
  const status = health.ready ? 200 : 503;
  const known = http.token === null || hasToken(c, http.token);
  c.header('cache-control', 'no-store');
  return c.json({ ready: health.ready, ...(known ? { reasons: health.reasons } : {}) }, status);
}

function listen(server: Server, http: Config['http']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, http)));
    server.listen(http.port, http.host, () => resolve());
  });
}

function listenError(cause: NodeJS.ErrnoException, http: Config['http']): unknown {
  const address = `${shownHost(http.host)}:${http.port}`;
  const because: Readonly<Record<string, readonly [code: string, what: string]>> = {
    EADDRINUSE: ['WEIR_HTTP_PORT_IN_USE', 'another process listens there'],
    EACCES: ['WEIR_HTTP_FORBIDDEN', 'this user may not listen there'],
    EADDRNOTAVAIL: ['WEIR_HTTP_ADDRESS', 'this machine has no such address'],
    ENOTFOUND: ['WEIR_HTTP_ADDRESS', 'this name has no address'],
  };
  const known = because[cause.code ?? ''];
  if (known === undefined) return cause;
  return new WeirError({
    code: known[0],
    message: `cannot listen on ${address}: ${known[1]} (${cause.code})`,
    hint: `set WEIR_HTTP (or --http) to another address, for example 127.0.0.1:${http.port === 65_535 ? 8090 : http.port + 1}`,
    retry: 'after-operator',
    cause,
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function shownHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

const INDEX = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Weir</title>
<h1>Weir</h1>
<ul>
<li><a href="/queues">/queues</a>: batches, one queue a partition
<li><a href="/metrics">/metrics</a>: Prometheus
<li><a href="/readyz">/readyz</a>: ready, or why not
<li><a href="/livez">/livez</a>: alive
</ul>
</html>
`;
