import type pg from 'pg';
import type { Config } from '../config.ts';
import { connect, databaseOf } from './connect.ts';
import { actingAs } from './init-role.ts';
import type { ValidRules } from './read-rules.ts';
import { shownUrl } from './redact.ts';

/** What the steps of `weir init` work with. */
export interface InitContext {
  readonly config: Config;
  readonly rules: ValidRules;
  readonly source: pg.Client;
  readonly serverVersion: number;
  /** Who is to own what Weir writes to; null: whoever runs this. */
  readonly role: string | null;
  readonly adoptSlot: boolean;
  /** Something that the person should know while it takes its time. */
  readonly tell: (line: string) => void;
}

export function nameOfSource({ config }: Pick<InitContext, 'config'>): string {
  return `the source: ${shownUrl(config.databaseUrl)}`;
}

export function nameOfStore({ config }: Pick<InitContext, 'config'>): string {
  return config.storeUrl === config.databaseUrl
    ? nameOfSource({ config })
    : `the store: ${shownUrl(config.storeUrl)}`;
}

/** A session of the store, as the role that is to own it. */
export function connectStore({ config, role }: InitContext): Promise<pg.Client> {
  const url = role === null ? config.storeUrl : actingAs(config.storeUrl, role);
  return connect({ url, variable: 'WEIR_STORE_URL', slot: config.slot });
}

export function storeDatabase({ config }: InitContext): string {
  return databaseOf(config.storeUrl);
}

export async function serverVersion(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    "select current_setting('server_version_num')::int as version",
  );
  const [row] = rows;
  if (row === undefined) throw new Error('PostgreSQL did not tell its version');
  return row.version;
}
