import pg from 'pg';

/**
 * Sessions of the store. Settings are made by one statement after connecting: startup options would be refused by
 * poolers, and synchronous_commit must be seen before it is set, so that a host's stronger level stays.
 */
export interface SessionOptions {
  readonly url: string;
  readonly slot: string;
  /** Of a pool. */
  readonly max?: number;
}

const SETTINGS: readonly (readonly [name: string, value: string])[] = [
  ['default_transaction_isolation', 'read committed'],
  ['idle_in_transaction_session_timeout', '10s'],
  ['lock_timeout', '10s'],
  ['statement_timeout', '60s'],
  // A peer that is gone is noticed within seconds, and its locks are free.
  ['tcp_keepalives_idle', '5'],
  ['tcp_keepalives_interval', '2'],
  ['tcp_keepalives_count', '3'],
  ['tcp_user_timeout', '11s'],
  // Statements are short, and every name in them is qualified.
  ['jit', 'off'],
  ['search_path', 'pg_catalog'],
  ['TimeZone', 'UTC'],
  ['DateStyle', 'ISO'],
];

/** The client's own guard against a server that is gone without a word; above statement_timeout. */
const QUERY_TIMEOUT_MS = 75_000;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_MS = 5_000;
const GOODBYE_MS = 1_000;

function clientConfig(options: SessionOptions): pg.ClientConfig {
  return {
    connectionString: options.url,
    application_name: `weir/${options.slot}`,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    // A commit sends its statements together and then waits once.
    pipeline: true,
  };
}

/** A pool of store sessions. A lost idle connection is dropped; the next query gets a new one. */
export function openPool(options: SessionOptions): pg.Pool {
  const pool = new pg.Pool({
    ...clientConfig(options),
    max: options.max ?? 4,
    onConnect: async (client: pg.ClientBase) => {
      client.on('error', () => undefined); // while it is checked out, the pool does not listen
      await applySettings(client);
    },
  });
  pool.on('error', () => undefined); // without a listener it would end the process
  return pool;
}

/** One store session outside any pool, for advisory locks: they live and die with it. */
export async function openClient(options: SessionOptions): Promise<pg.Client> {
  const client = new pg.Client(clientConfig(options));
  client.on('error', () => undefined); // the query at hand is rejected with it
  try {
    await client.connect();
    await applySettings(client);
  } catch (error) {
    await endSession(client);
    throw error;
  }
  return client;
}

/**
 * Ends a session. One whose server is gone without a word is cut: its goodbye, or what is still to be answered, would
 * wait until TCP gives up, a quarter of an hour later.
 */
export async function endSession(client: pg.Client): Promise<void> {
  const cut = setTimeout(() => client.connection.stream.destroy(), GOODBYE_MS);
  await client.end().catch(() => undefined);
  clearTimeout(cut);
}

/** `on` unless the host has what is stronger; every setting of `SETTINGS`. */
export async function applySettings(client: pg.ClientBase): Promise<void> {
  await client.query(
    `select set_config('synchronous_commit',
       case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, false),
       set_config(name, value, false) from unnest($1::text[], $2::text[]) as s (name, value)`,
    [SETTINGS.map(([name]) => name), SETTINGS.map(([, value]) => value)],
  );
}

/**
 * Sends the statements together and waits once. In a transaction the first error makes the others fail with 25P02
 * and turns COMMIT into ROLLBACK, so it is safe to send COMMIT along. `beforeLast` is called when all but the last
 * are on their way.
 * @throws the first error, once the connection is quiet again.
 */
export async function sendTogether(
  client: pg.ClientBase,
  queries: readonly pg.QueryConfig[],
  beforeLast: () => void = () => undefined,
): Promise<readonly pg.QueryResult[]> {
  const sent = queries.map((query, index) => {
    if (index === queries.length - 1) beforeLast();
    return client.query(query);
  });
  const settled = await Promise.allSettled(sent);
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}
