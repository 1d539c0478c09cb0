import { Client } from 'pg';
import { endSession } from '../store/session.ts';
import type { ConnectionOptions, ReplicationConnection } from './connection.ts';
import { delay } from './heartbeat.ts';
import { slotStatus } from './slot.ts';

const SLOT_IN_USE = '55006';
const POLL_MS = 500;
/** Our own last connection may take this long to be gone: nothing to speak of. */
const QUIET_MS = 1_000;
const SAY_AGAIN_MS = 60_000;

interface WaitOptions extends ConnectionOptions {
  readonly open: (options: ConnectionOptions) => Promise<ReplicationConnection>;
  readonly signal: AbortSignal;
  readonly onWaiting: (pid: number | null, waitedMs: number) => void;
}

/**
 * Holds the slot, or waits until whoever holds it lets go: a second instance is a hot standby. It looks with a query,
 * since each refused START_REPLICATION is an error in the server's log. null: the signal aborted.
 */
export async function waitForSlot(options: WaitOptions): Promise<ReplicationConnection | null> {
  const since = Date.now();
  let saidMs = since + QUIET_MS - SAY_AGAIN_MS;
  while (!options.signal.aborted) {
    try {
      return await options.open(options);
    } catch (error) {
      if ((error as { code?: string }).code !== SLOT_IN_USE) throw error;
    }
    await untilFree(options, (pid) => {
      if (Date.now() - saidMs < SAY_AGAIN_MS) return;
      saidMs = Date.now();
      options.onWaiting(pid, saidMs - since);
    });
  }
  return null;
}

async function untilFree(options: WaitOptions, held: (pid: number | null) => void): Promise<void> {
  const { databaseUrl, slot, signal } = options;
  const client = new Client({
    connectionString: databaseUrl,
    application_name: `weir/${slot} standby`,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  client.on('error', () => undefined); // the query at hand fails with it
  try {
    await client.connect();
    let everyMs = 50;
    while (!signal.aborted) {
      const status = await slotStatus(client, slot);
      if (status === null || status.activePid === null) return;
      held(status.activePid);
      await delay(everyMs, signal);
      everyMs = Math.min(POLL_MS, everyMs * 2);
    }
  } finally {
    await endSession(client);
  }
}
