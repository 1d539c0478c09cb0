import { runMigrations } from 'bullmq';
import pg from 'pg';
import { EXIT, WeirError } from '../errors.ts';
import { SILENCE_MS } from './bullmq-backend.ts';

/** BullMQ's default schema, in a database of its own: all instances share the tables, by queue name. */
export const QUEUE_SCHEMA = 'bullmq';

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_S = 15;
const MISSING_DATABASE = '3D000';
const NO_RIGHT = '42501';
/** Another process made the same database at the same moment. */
const MADE_MEANWHILE = new Set(['42P04', '23505']);

/**
 * What every session of the queue is opened with. The queue is never the truth (a crash of PostgreSQL that
 * loses its last jobs is a new epoch), so its commits do not wait for the disk.
 */
export function sessionConfig(url: string): pg.ClientConfig {
  const parsed = new URL(url);
  const options = [
    parsed.searchParams.get('options') ?? '',
    `-c search_path=${QUEUE_SCHEMA}`,
    '-c synchronous_commit=off',
    '-c idle_in_transaction_session_timeout=30s',
    `-c statement_timeout=${STATEMENT_TIMEOUT_S}s`,
    // The server's side of a line that is dead: its session and locks go.
    '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3',
    '-c client_min_messages=warning',
  ];
  parsed.searchParams.delete('options');
  return {
    connectionString: parsed.toString(),
    options: options.join(' ').trim(),
    application_name: 'weir-queue',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // The server itself would have ended the statement by then: it is gone without a word.
    query_timeout: SILENCE_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  };
}

/**
 * The database and BullMQ's schema in it, made or migrated where needed. Several processes may do this at
 * once: BullMQ's migrations take an advisory lock and are one transaction.
 * A crash here can leave an empty database, never half a schema.
 */
export async function prepareDatabase(url: string): Promise<void> {
  const client = (await connect(url)) ?? (await createAndConnect(url));
  try {
    await runMigrations(client, QUEUE_SCHEMA);
    await withoutWal(client);
  } catch (error) {
    throw codeOf(error) === NO_RIGHT ? noRightToMigrate(url, error) : error;
  } finally {
    await client.end();
  }
}

/** Those that refer to `job` before it: a logged table may not refer to an unlogged one. */
const JOB_TABLES = ['job_log', 'job_dependency', 'event', 'job'];

/**
 * Jobs write no WAL. The queue lives beside the host's data by default, where its WAL would be several times
 * the rows that it carries, and the slot's sender would read all of it. After a crash of the server the
 * tables are empty, which is what a new epoch makes of them anyway.
 */
async function withoutWal(client: pg.Client): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query("SELECT pg_advisory_xact_lock(hashtext('weir queue'))");
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class
        WHERE relnamespace = $1::regnamespace AND relname = ANY($2) AND relpersistence = 'p'
        ORDER BY array_position($2, relname::text)`,
      [QUEUE_SCHEMA, JOB_TABLES],
    );
    for (const { name } of rows) await client.query(`ALTER TABLE ${QUEUE_SCHEMA}.${name} SET UNLOGGED`);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/** null: the database does not exist. */
async function connect(url: string): Promise<pg.Client | null> {
  const client = new pg.Client(sessionConfig(url));
  client.on('error', () => undefined); // queries on it fail, and tell
  try {
    await client.connect();
    return client;
  } catch (error) {
    if (codeOf(error) === MISSING_DATABASE) return null;
    throw unreachable(url, error);
  }
}

async function createAndConnect(url: string): Promise<pg.Client> {
  const name = databaseName(url);
  await createDatabase(url, name);
  const client = await connect(url);
  if (client === null) throw new Error(`database ${name} was created, and then was not there`);
  return client;
}

async function createDatabase(url: string, name: string): Promise<void> {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  const client = await connect(maintenance.toString());
  if (client === null) throw noRightToCreate(url, new Error('the server has no database postgres'));
  try {
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } catch (error) {
    if (MADE_MEANWHILE.has(codeOf(error) ?? '')) return;
    throw codeOf(error) === NO_RIGHT ? noRightToCreate(url, error) : error;
  } finally {
    await client.end();
  }
}

export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function databaseName(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1)) || 'postgres';
}

function quoted(name: string): string {
  return pg.escapeIdentifier(name);
}

function role(url: string): string {
  return decodeURIComponent(new URL(url).username) || 'weir';
}

function noRightToCreate(url: string, cause: unknown): WeirError {
  return new WeirError({
    code: 'WEIR_QUEUE_DATABASE_MISSING',
    message: `the queue's database "${databaseName(url)}" does not exist, and role "${role(url)}" may not create it`,
    hint: `as a superuser: CREATE DATABASE ${quoted(databaseName(url))} OWNER ${quoted(role(url))};`,
    retry: 'after-operator',
    cause,
  });
}

function noRightToMigrate(url: string, cause: unknown): WeirError {
  const what = `GRANT CREATE ON DATABASE ${quoted(databaseName(url))} TO ${quoted(role(url))};`;
  return new WeirError({
    code: 'WEIR_QUEUE_SCHEMA_REFUSED',
    message: `role "${role(url)}" may not make or migrate schema "${QUEUE_SCHEMA}" in database "${databaseName(url)}"`,
    hint: `as the database's owner: ${what} where the schema exists already, its owner must be that role`,
    retry: 'after-operator',
    cause,
  });
}

function unreachable(url: string, cause: unknown): WeirError {
  const { host } = new URL(url);
  const text = cause instanceof Error ? cause.message : String(cause);
  return new WeirError({
    code: 'WEIR_QUEUE_UNREACHABLE',
    message: `the queue's PostgreSQL at ${host}/${databaseName(url)} does not answer: ${text}`,
    hint: 'check WEIR_QUEUE_URL (default: the database weir_queue beside the store)',
    retry: 'backoff',
    exit: EXIT.unreachable,
    cause,
  });
}
