import pg from 'pg';
import replication from 'pg-logical-replication';
import { PgoutputPlugin } from '../../src/source/pgoutput/plugin.ts';
import { type PostgresVersion, startPostgres } from './postgres.ts';
import { until } from './until.ts';

/** What golden/*.json hold: the messages of `GOLDEN_SQL`, in wire order. */
export interface Golden {
  readonly server: string;
  /** Hex. */
  readonly messages: readonly string[];
}

const SCHEMA = `
  CREATE TYPE mood AS ENUM ('sad', 'ok', 'very "happy"');
  CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
  CREATE TABLE every_type (
    id int8 PRIMARY KEY, small int2, plain int4, exact numeric, scaled numeric(40, 20), f4 float4, f8 float8,
    flag bool, word text, code varchar(20), fixed char(5), at timestamptz, local timestamp, day date,
    clock time, clocktz timetz, span interval, doc jsonb, raw json, ids int4[], names text[], grid int4[],
    feeling mood, mail email, uid uuid, bytes bytea, ip inet, net cidr, point point, span8 int8range
  );
  CREATE TABLE by_key (id int4 PRIMARY KEY, word text, long text);
  ALTER TABLE by_key ALTER COLUMN long SET STORAGE EXTERNAL;
  CREATE TABLE "Full; ""Row""" ("Id" int4, word text, long text);
  ALTER TABLE "Full; ""Row""" REPLICA IDENTITY FULL;
  ALTER TABLE "Full; ""Row""" ALTER COLUMN long SET STORAGE EXTERNAL;
  CREATE TABLE by_index (id int4 NOT NULL, tenant text NOT NULL, word text);
  CREATE UNIQUE INDEX by_index_key ON by_index (tenant, id);
  ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_key;
`;
/** Needs quotes in the list and in the literal. */
const PUBLICATIONS = ["Golden's, one", 'golden "two"'];
const identifiers = PUBLICATIONS.map((name) => pg.escapeIdentifier(name));

export const GOLDEN_SQL: readonly string[] = [
  `INSERT INTO every_type VALUES (
    9223372036854775807, -32768, 2147483647, 1234567890123456789012345678901234567890.0123456789,
    -0.00000000000000000001, 1.5, 0.1, true, 'grüße 🎉', 'x', 'ab', '2026-03-01 12:00:00.123456+05:30',
    '1969-12-31 23:59:59.999999', '2026-03-01', '23:59:59.5', '23:59:59.5+02', '1 year 2 mons -3 days 04:05:06.789',
    '{"b": 1.10, "a": [null, "é"]}', '{"b": 1.10,  "a": 1}', '{1,NULL,3}', ARRAY['a,b', 'say "hi"', 'NULL', NULL, ''],
    '[0:1][5:6]={{1,2},{3,4}}', 'very "happy"', 'a@b', '6f1e0e2c-5f6f-4c58-9b8f-0123456789ab', '\\x00ff10',
    '10.0.0.1', '10.0.0.0/8', '(1.5,-2)', '[1,5)')`,
  `INSERT INTO every_type (id, exact, f4, f8, at, local, day, ids, word) VALUES
    (1, 'NaN', 'NaN', 'Infinity', 'infinity', '-infinity', 'infinity', '{}', ''),
    (2, 1e-30, '-Infinity', 5e-324, '-infinity', 'infinity', '-infinity', NULL, repeat('x', 200)),
    (-9223372036854775808, 0, '1e20', '1e300', '0044-03-15 12:00:00+00 BC', '294276-12-31 23:59:59.999999', '4713-01-01 BC', '{-1}', E'tab\\tline\\n')`,
  `INSERT INTO by_key SELECT n, 'word ' || n, CASE WHEN n = 1 THEN repeat('long ', 1000) END FROM generate_series(1, 4) n`,
  `UPDATE by_key SET word = 'same key' WHERE id = 1`,
  `UPDATE by_key SET id = 10, word = NULL WHERE id = 2`,
  `DELETE FROM by_key WHERE id = 3`,
  `INSERT INTO "Full; ""Row""" VALUES (1, NULL, repeat('long ', 1000))`,
  `UPDATE "Full; ""Row""" SET word = 'new'`,
  `DELETE FROM "Full; ""Row"""`,
  `INSERT INTO by_index VALUES (1, 'a', 'w')`,
  `UPDATE by_index SET tenant = 'b'`,
  `DELETE FROM by_index`,
  `ALTER TABLE by_key ADD COLUMN more int8 DEFAULT 7`,
  `INSERT INTO by_key VALUES (5, 'after DDL', NULL)`,
  `TRUNCATE by_key`,
  `TRUNCATE by_key, by_index RESTART IDENTITY CASCADE`,
  `SELECT pg_logical_emit_message(true, 'weir/golden', 'hällo')`,
  `SELECT pg_logical_emit_message(false, 'weir/golden', '')`,
  `SELECT pg_replication_origin_create('elsewhere')`,
  `SELECT pg_replication_origin_session_setup('elsewhere')`,
  `BEGIN; SELECT pg_replication_origin_xact_setup('1/2A', '2026-01-01 00:00:00+00'); INSERT INTO by_index VALUES (2, 'o', NULL); COMMIT`,
  `SELECT pg_logical_emit_message(true, 'weir/golden', 'end')`,
];

/** Runs `GOLDEN_SQL` on a real PostgreSQL and keeps what our plugin is sent, byte for byte. */
export async function captureGolden(version: PostgresVersion): Promise<Golden> {
  // Settings that would change the text of values, had the plugin not set its session.
  const settings = {
    datestyle: 'German',
    intervalstyle: 'sql_standard',
    timezone: 'Asia/Kolkata',
    bytea_output: 'escape',
    extra_float_digits: '-5',
  };
  const postgres = await startPostgres({ version, settings });
  const client = new pg.Client(postgres.url);
  try {
    await client.connect();
    await client.query("SET datestyle = 'ISO'; SET timezone = 'UTC'");
    await client.query(SCHEMA);
    for (const [i, tables] of ['every_type, by_key', '"Full; ""Row""", by_index'].entries())
      await client.query(`CREATE PUBLICATION ${identifiers[i]} FOR TABLE ${tables}`);
    await client.query("SELECT pg_create_logical_replication_slot('golden', 'pgoutput')");
    for (const statement of GOLDEN_SQL) await client.query(statement);
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return { server: rows[0]?.server_version ?? '', messages: await readSlot(postgres.url) };
  } finally {
    await client.end();
    await postgres.close();
  }
}

async function readSlot(url: string): Promise<string[]> {
  const stream = new replication.LogicalReplicationService(
    { connectionString: url },
    { acknowledge: { auto: false, timeoutSeconds: 0 } },
  );
  const messages: string[] = [];
  const end = Buffer.from('end').toString('hex');
  let failure: unknown = null;
  stream.on('error', (error: unknown) => {
    failure = error;
  });
  // Reads the bytes and, as the stream does, decodes them: the first malformed one ends the capture.
  const plugin = new PgoutputPlugin({ publications: PUBLICATIONS, messages: true });
  const parse = plugin.parse.bind(plugin);
  plugin.parse = (buffer: Buffer) => {
    messages.push(buffer.toString('hex'));
    return parse(buffer);
  };
  const streaming = stream.subscribe(plugin, 'golden', '0/0').catch((error: unknown) => {
    failure ??= error;
  });
  await until('the last message arrives', () => {
    if (failure !== null) throw failure;
    return messages.some((message) => message.startsWith('4d') && message.endsWith(end));
  });
  await stream.destroy();
  await streaming;
  return messages;
}
