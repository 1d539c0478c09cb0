import type { Client } from 'pg';
import { z } from 'zod';
import { OPS, type Op } from '../events/row.ts';
import { publicationNames } from './publications.ts';

const tableSchema = z.object({
  oid: z.number(),
  schema: z.string(),
  name: z.string(),
  /** null: whole rows. */
  columns: z.array(z.string()).nullable(),
  filtered: z.boolean(),
});
const rowSchema = z.object({
  oid: z.number(),
  name: z.string(),
  all_tables: z.boolean(),
  via_root: z.boolean(),
  schemas: z.number(),
  ops: z.array(z.string()),
  tables: z.array(tableSchema),
});

export interface ExistingTable extends z.infer<typeof tableSchema> {}

export interface ExistingPublication {
  readonly oid: number;
  readonly name: string;
  readonly ops: readonly Op[];
  readonly tables: readonly ExistingTable[];
  /** FOR ALL TABLES, or FOR TABLES IN SCHEMA: more than Weir ever asks for. */
  readonly wide: boolean;
  readonly viaRoot: boolean;
}

/** The publications of this slot, by name: as they are. */
export async function readPublications(
  client: Pick<Client, 'query'>,
  slot: string,
): Promise<readonly ExistingPublication[]> {
  const version = await client.query("SELECT current_setting('server_version_num')::int AS version");
  const lists = ((version.rows as { version: number }[])[0]?.version ?? 0) >= 150_000;
  const result = await client.query(publicationsQuery(lists), [publicationNames(slot)]);
  return z.array(rowSchema).parse(result.rows).map(existing);
}

function existing(row: z.infer<typeof rowSchema>): ExistingPublication {
  const { oid, name, tables, via_root: viaRoot } = row;
  const wide = row.all_tables || row.schemas > 0;
  return { oid, name, ops: OPS.filter((op) => row.ops.includes(op)), tables, wide, viaRoot };
}

/** Column lists, filters and schemas in publications are of PostgreSQL 15. */
function publicationsQuery(lists: boolean): string {
  const columns = `CASE WHEN r.prattrs IS NULL THEN NULL ELSE
    (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
     WHERE a.attrelid = c.oid AND a.attnum = ANY (r.prattrs::int2[])) END`;
  return `
SELECT p.oid::int8::float8 AS oid, p.pubname::text AS name, p.puballtables AS all_tables, p.pubviaroot AS via_root,
  ${lists ? '(SELECT count(*)::int FROM pg_publication_namespace s WHERE s.pnpubid = p.oid)' : '0'} AS schemas,
  array_remove(ARRAY[CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
    CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END], NULL) AS ops,
  (SELECT coalesce(json_agg(json_build_object('oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname,
     'columns', ${lists ? columns : 'NULL'}, 'filtered', ${lists ? 'r.prqual IS NOT NULL' : 'false'})
     ORDER BY n.nspname, c.relname), '[]')
   FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE r.prpubid = p.oid) AS tables
FROM pg_publication p WHERE p.pubname = ANY ($1::text[]) ORDER BY p.pubname`;
}
