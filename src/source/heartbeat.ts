import { Client } from 'pg';
import { failpoint } from '../failpoint.ts';
import { endSession } from '../store/session.ts';
import { emitMessage, type WeirMessage } from './message.ts';

interface HeartbeatOptions {
  readonly databaseUrl: string;
  readonly slot: string;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  /** What is to be written before the next beat; null: nothing. */
  readonly announcement: () => Promise<WeirMessage | null>;
  /** PostgreSQL has no connection left for it: time of idle events stands still meanwhile, and nothing is lost. */
  readonly onRefused: (error: Error) => void;
}

const TOO_MANY_CONNECTIONS = '53300';
const TRY_AGAIN_MS = 5_000;

/**
 * Writes a small transactional message into the WAL every so often: it comes back through the stream, moves time
 * and an idle slot, and measures the way there. Resolves when the signal aborts, throws when its connection is lost:
 * a server that shuts down ends this one first, and waits for the stream to let go.
 */
export async function heartbeat(options: HeartbeatOptions): Promise<void> {
  while (!options.signal.aborted) {
    try {
      await beat(options);
    } catch (error) {
      if ((error as { code?: string }).code !== TOO_MANY_CONNECTIONS) throw error;
      options.onRefused(error as Error);
      await delay(TRY_AGAIN_MS, options.signal);
    }
  }
}

async function beat({ databaseUrl, slot, everyMs, signal, announcement }: HeartbeatOptions): Promise<void> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: `weir/${slot} heartbeat`,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  const ended = new AbortController();
  client.on('error', (error) => ended.abort(error));
  const stopped = AbortSignal.any([signal, ended.signal]);
  try {
    await client.connect();
    // A standby that is away must not hold up the heartbeat.
    await client.query("SET synchronous_commit = 'local'");
    while (!signal.aborted) {
      const announced = await announcement();
      if (announced !== null) await emitMessage(client, slot, announced);
      await emitMessage(client, slot, { kind: 'heartbeat', sentAt: Date.now() });
      failpoint('heartbeat.sent');
      await delay(everyMs, stopped);
      if (ended.signal.aborted) throw ended.signal.reason;
    }
  } finally {
    await endSession(client);
  }
}

/** Resolves early, without an error, when the signal aborts. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
