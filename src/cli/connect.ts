import pg from 'pg';
import { EXIT, WeirError } from '../errors.ts';
import { explainError } from './explain-error.ts';
import { shownUrl } from './redact.ts';

export interface Target {
  readonly url: string;
  /** Where the URL was said: `DATABASE_URL`. */
  readonly variable: string;
  readonly slot: string;
  /** Nothing that a command asks takes longer; 0: as long as it takes. */
  readonly statementTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;

/** One session for a command. Throws a WeirError that names the server and the variable it came from. */
export async function connect(target: Target): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: target.url,
    application_name: `weir/${target.slot} (command)`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: target.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
  });
  client.on('error', () => undefined); // the query at hand is rejected with it
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw refusal(error, target);
  }
}

/** Connects, does, and closes, whatever happens. */
export async function withClient<Result>(
  target: Target,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = await connect(target);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function refusal(error: unknown, { url, variable }: Target): unknown {
  const { exit, code, message, hint } = explainError(error);
  if (exit === EXIT.bug) return error;
  return new WeirError({
    code,
    message: `PostgreSQL at ${shownUrl(url)} (${variable}): ${message}`,
    ...(hint === null ? {} : { hint }),
    retry: exit === EXIT.unreachable ? 'backoff' : 'after-operator',
    exit,
    cause: error,
  });
}

/** The same server and role, another database. */
export function otherDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other.href;
}

export function databaseOf(url: string): string {
  const { pathname, username } = new URL(url);
  return decodeURIComponent(pathname.slice(1)) || decodeURIComponent(username) || 'postgres';
}
