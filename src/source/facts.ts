import { Client } from 'pg';
import { z } from 'zod';
import { endSession } from '../store/session.ts';
import { type ExistingPublication, readPublications } from './existing-publications.ts';
import { type SlotStatus, slotStatus } from './slot.ts';

/** What a source is found to be: all that the checks at start look at. */
export interface SourceFacts {
  /** `server_version_num`: 140005. */
  readonly serverVersion: number;
  readonly database: string;
  readonly inRecovery: boolean;
  /** From IDENTIFY_SYSTEM; null: no replication connection could be had. */
  readonly system: { readonly identifier: string; readonly timeline: number } | null;
  readonly slot: SlotStatus | null;
  readonly publications: readonly ExistingPublication[];
}

const identifySchema = z.object({ systemid: z.string(), timeline: z.coerce.number() });
const serverSchema = z.object({ version: z.number(), database: z.string(), in_recovery: z.boolean() });

export function checkClient(databaseUrl: string, slot: string): Client {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: `weir/${slot} check`,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  client.on('error', () => undefined); // the query at hand fails with it
  return client;
}

export async function readFacts(databaseUrl: string, slot: string): Promise<SourceFacts> {
  const client = checkClient(databaseUrl, slot);
  try {
    await client.connect();
    const server = await client.query(
      `SELECT current_setting('server_version_num')::int AS version, current_database()::text AS database,
         pg_is_in_recovery() AS in_recovery`,
    );
    const { version, database, in_recovery: inRecovery } = serverSchema.parse(server.rows[0]);
    return {
      serverVersion: version,
      database,
      inRecovery,
      system: await identifySystem(databaseUrl, slot),
      slot: await slotStatus(client, slot),
      publications: await readPublications(client, slot),
    };
  } finally {
    await endSession(client);
  }
}

/** https://www.postgresql.org/docs/current/protocol-replication.html; null: this role may not replicate. */
export async function identifySystem(databaseUrl: string, slot: string): Promise<SourceFacts['system']> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: `weir/${slot} identify`,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
    replication: 'database',
  } as ConstructorParameters<typeof Client>[0]);
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { systemid, timeline } = identifySchema.parse((await client.query('IDENTIFY_SYSTEM')).rows[0]);
    return { identifier: systemid, timeline };
  } catch (error) {
    if (/^(42501|28000|53300|XX000|55000)$/.test((error as { code?: string }).code ?? '')) return null;
    throw error;
  } finally {
    await endSession(client);
  }
}
