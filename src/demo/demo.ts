import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { Logger } from 'pino';
import { runApp } from '../app.ts';
import { type Config, DEFAULTS } from '../config.ts';
import { PostgresServer } from './postgres-server.ts';
import { DEMO_SCHEMA } from './schema.ts';
import { Terminal } from './terminal.ts';
import { Traffic } from './traffic.ts';

export interface DemoOptions {
  readonly logger: Logger;
  readonly http: Config['http'];
  /** Visits of customers a second. */
  readonly rate: number;
  /** `weir init --apply`: what makes schema, publication and slot. */
  readonly initialise: (config: Config) => Promise<void>;
  /** `weir guard install public.transactions --apply`. */
  readonly guard: (config: Config) => Promise<void>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

const RULES = join(fileURLToPath(import.meta.url), '../../../rules');

/**
 * `weir demo`: a PostgreSQL 18 that npm brought, a payment service's tables and traffic in it, and Weir beside it
 * as `weir init --apply` and `weir run` would set it up. All of it is gone when the signal aborts.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { say, signal } = options;
  const directory = await mkdtemp(join(tmpdir(), 'weir-demo-'));
  await chmod(directory, 0o711); // PostgreSQL runs as another user when Weir runs as root
  say('starting a PostgreSQL 18 of its own …');
  const server = await PostgresServer.open({ directory: join(directory, 'data') });
  try {
    const pool = new pg.Pool({ connectionString: server.url, max: 4 });
    pool.on('error', () => undefined);
    try {
      await pool.query(DEMO_SCHEMA);
      const config = demoConfig(server.url, options);
      await options.initialise(config);
      await options.guard(config);
      if (!signal.aborted) await play(config, pool, options);
    } finally {
      await pool.end();
    }
  } finally {
    await server.remove();
    await rm(directory, { recursive: true, force: true });
    say('stopped; nothing was kept');
  }
}

/** Weir, the traffic and the terminal, until the signal; the traffic ends first, so that Weir drains all of it. */
async function play(config: Config, pool: pg.Pool, options: DemoOptions): Promise<void> {
  const { logger, say, signal } = options;
  const weirStop = new AbortController();
  const terminal = new Terminal(config.databaseUrl);
  const app = runApp({
    config,
    logger,
    signal: weirStop.signal,
    onListening: (url) => {
      say(`PostgreSQL  psql ${config.databaseUrl}`);
      say(`BullMQ      ${url}/queues   metrics ${url}/metrics`);
      say('Ctrl-C ends it and leaves nothing behind. What fires:\n');
    },
  });
  const failed = app.then(
    () => undefined,
    (error: unknown) => Promise.reject(error),
  );
  try {
    await terminal.start();
    const traffic = new Traffic(pool, (why) => terminal.refused(why)).run(
      options.rate,
      AbortSignal.any([signal, weirStop.signal]),
    );
    await Promise.race([traffic, failed]);
  } finally {
    weirStop.abort();
    await app.finally(() => terminal.stop());
  }
}

function demoConfig(url: string, { http }: DemoOptions): Config {
  const queueUrl = new URL(url);
  queueUrl.pathname = `/${DEFAULTS.queueDatabase}`;
  return {
    databaseUrl: url,
    storeUrl: url,
    queue: { kind: 'postgres', url: queueUrl.href },
    rulesPath: RULES,
    http,
    slot: DEFAULTS.slot,
    partitions: DEFAULTS.partitions,
    role: 'all',
    columns: 'used',
    adoptSlot: false,
    logLevel: 'warn',
    batch: DEFAULTS.batch,
    memory: DEFAULTS.memory,
    state: DEFAULTS.state,
    heartbeatMs: DEFAULTS.heartbeatMs,
    webhooks: {},
  };
}
