import { Client } from 'pg';
import { encodeMessage, messagePrefix } from './message.ts';

interface HeartbeatOptions {
  readonly databaseUrl: string;
  readonly slot: string;
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/**
 * Writes a small transactional message into the WAL every so often: it comes back through the stream, moves time
 * and an idle slot, and measures the way there. Resolves when the signal aborts, throws when its connection is lost:
 * a server that shuts down ends this one first, and waits for the stream to let go.
 */
export async function heartbeat({ databaseUrl, slot, everyMs, signal }: HeartbeatOptions): Promise<void> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: `weir/${slot} heartbeat`,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  const lost = new Promise<never>((_, reject) => {
    client.on('error', reject);
  });
  lost.catch(() => undefined);
  try {
    await client.connect();
    while (!signal.aborted) {
      const content = encodeMessage({ kind: 'heartbeat', sentAt: Date.now() });
      await client.query('SELECT pg_logical_emit_message(true, $1, $2)', [messagePrefix(slot), content]);
      await Promise.race([delay(everyMs, signal), lost]);
    }
  } finally {
    await client.end().catch(() => undefined);
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
