import type { Client } from 'pg';
import { z } from 'zod';
import type { Catalog, CatalogColumn, CatalogTable } from '../rules/catalog.ts';

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

const identity = z.enum(['d', 'n', 'f', 'i']);
const tableSchema = z.object({
  oid: z.number(),
  schema: z.string(),
  name: z.string(),
  primary_key: z.array(z.string()),
  columns: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      not_null: z.boolean(),
      generated: z.enum(['', 's', 'v']),
    }),
  ),
  /** Its own when it holds rows, else those of its partitions. */
  identities: z.array(z.object({ kind: identity, columns: z.array(z.string()) })),
});
type TableRow = z.infer<typeof tableSchema>;

/**
 * Tables as PostgreSQL has them. Absent: what does not exist or is no permanent table. All identities that
 * matter are folded into one: an UPDATE of a partitioned table is checked against the identity of the partition.
 */
export async function readCatalog(
  client: Pick<Client, 'query'>,
  tables: readonly TableName[],
): Promise<Catalog> {
  const names = [tables.map(({ schema }) => schema), tables.map(({ name }) => name)];
  const result = await client.query(TABLES, names);
  const rows = z.array(tableSchema).parse(result.rows);
  return { tables: new Map(rows.map((row) => [`${row.schema}.${row.name}`, tableOf(row)])) };
}

const IDENTITY_COLUMNS = `ARRAY(
  SELECT a.attname::text FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey)
  WHERE x.indrelid = part.oid AND x.indimmediate AND x.indisvalid
    AND CASE part.relreplident WHEN 'd' THEN x.indisprimary WHEN 'i' THEN x.indisreplident ELSE false END
  ORDER BY array_position(x.indkey::int2[], a.attnum))`;

const TABLES = `
WITH RECURSIVE base (oid, base) AS (
  SELECT oid, oid FROM pg_type WHERE typtype <> 'd'
  UNION ALL SELECT t.oid, b.base FROM pg_type t JOIN base b ON t.typtype = 'd' AND t.typbasetype = b.oid
)
SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name,
  ARRAY(SELECT a.attname::text FROM pg_index x
        JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey)
        WHERE x.indrelid = c.oid AND x.indisprimary
        ORDER BY array_position(x.indkey::int2[], a.attnum)) AS primary_key,
  (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'not_null', a.attnotnull,
      'generated', a.attgenerated,
      'type', CASE WHEN bt.typtype = 'e' THEN 'enum'
                   WHEN bt.typelem <> 0 AND bt.typcategory = 'A' THEN
                     (CASE WHEN et.typtype = 'e' THEN 'enum' ELSE et.typname END) || '[]'
                   ELSE bt.typname END) ORDER BY a.attnum), '[]')
   FROM pg_attribute a
   JOIN base ON base.oid = a.atttypid
   JOIN pg_type bt ON bt.oid = base.base
   LEFT JOIN base eb ON eb.oid = bt.typelem
   LEFT JOIN pg_type et ON et.oid = eb.base
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
  (SELECT coalesce(json_agg(json_build_object('kind', part.relreplident, 'columns', ${IDENTITY_COLUMNS})), '[]')
   FROM pg_class part
   WHERE (c.relkind = 'r' AND part.oid = c.oid)
      OR (c.relkind = 'p' AND part.relkind = 'r' AND part.oid IN (SELECT relid FROM pg_partition_tree(c.oid)))
      OR (c.relkind = 'p' AND part.oid = c.oid
          AND NOT EXISTS (SELECT FROM pg_partition_tree(c.oid) WHERE isleaf AND relid <> c.oid))) AS identities
FROM unnest($1::text[], $2::text[]) AS wanted (schema, name)
JOIN pg_namespace n ON n.nspname = wanted.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'`;

function tableOf(row: TableRow): CatalogTable {
  const columns: CatalogColumn[] = row.columns.map((column) => ({
    name: column.name,
    pgType: column.type,
    notNull: column.not_null,
    generated: column.generated !== '',
    ...(column.generated === 'v' ? { virtual: true } : {}),
  }));
  const base = { schema: row.schema, name: row.name, columns, primaryKey: row.primary_key };
  return { ...base, ...identityOf(row.identities) };
}

/** Of several partitions: without identity when one is; FULL when one is; else all the columns of all. */
function identityOf(
  identities: TableRow['identities'],
): Pick<CatalogTable, 'replicaIdentity' | 'identityColumns'> {
  if (identities.length === 0) return { replicaIdentity: 'nothing', identityColumns: [] };
  const missing = identities.some(({ kind, columns }) => kind !== 'f' && columns.length === 0);
  if (missing) return { replicaIdentity: 'nothing', identityColumns: [] };
  if (identities.some(({ kind }) => kind === 'f')) return { replicaIdentity: 'full', identityColumns: [] };
  const identityColumns = [...new Set(identities.flatMap(({ columns }) => columns))];
  const replicaIdentity = identities.some(({ kind }) => kind === 'i') ? 'index' : 'default';
  return { replicaIdentity, identityColumns };
}
