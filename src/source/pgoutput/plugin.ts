import type { Client } from 'pg';
// The package does not export its base class: its type is all that a plugin needs.
import type { AbstractPlugin } from 'pg-logical-replication/dist/output-plugins/abstract.plugin.js';
import { formatLsn, parseLsn } from '../../events/position.ts';
import type { Change } from '../change.ts';
import { PgoutputDecoder } from './decoder.ts';

export interface PgoutputOptions {
  readonly publications: readonly string[];
  /** Weir's heartbeats and rule changes are logical messages, so they must be asked for. */
  readonly messages: true;
}

/**
 * A walsender writes values as its session is set, which the host's configuration, database or role may have
 * changed. Cells are keys and are replayed: their text must be the same in each connection.
 */
const SESSION = [
  "SET datestyle = 'ISO'",
  "SET intervalstyle = 'postgres'",
  "SET timezone = 'UTC'",
  "SET bytea_output = 'hex'",
  'SET extra_float_digits = 1',
];

/** The output plugin of one connection: a second needs a new one, since PostgreSQL describes its tables again. */
export class PgoutputPlugin implements AbstractPlugin<PgoutputOptions> {
  readonly name = 'pgoutput';
  readonly options: PgoutputOptions;
  private readonly decoder = new PgoutputDecoder();

  constructor(options: PgoutputOptions) {
    this.options = options;
  }

  /** Settles when the stream ends. */
  async start(client: Client, slotName: string, lastLsn: string): Promise<unknown> {
    for (const statement of SESSION) await client.query(statement);
    return client.query(startReplication(slotName, lastLsn, this.options.publications));
  }

  parse(buffer: Buffer): Change {
    return this.decoder.decode(buffer);
  }
}

/** https://www.postgresql.org/docs/current/protocol-logical-replication.html */
export function startReplication(slot: string, lsn: string, publications: readonly string[]): string {
  const options = [
    "proto_version '1'",
    // A list of identifiers inside a literal: each is quoted for itself, then the whole.
    `publication_names ${quoteLiteral(publications.map(quoteIdentifier).join(','))}`,
    "messages 'true'",
  ];
  const from = formatLsn(parseLsn(lsn));
  return `START_REPLICATION SLOT ${quoteIdentifier(slot)} LOGICAL ${from} (${options.join(', ')})`;
}

function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The replication grammar knows no escapes but the doubled quote. */
function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
