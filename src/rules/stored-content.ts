import { z } from 'zod';
import type { Catalog, CatalogTable } from './catalog.ts';
import type { World } from './check-events.ts';
import type { TableInfo } from './check-tables.ts';
import type { RuleFiles } from './source-files.ts';

const tableSchema = z.object({
  schema: z.string(),
  name: z.string(),
  columns: z.array(z.object({ name: z.string(), pgType: z.string(), generated: z.boolean() })),
  primaryKey: z.array(z.string()),
  replicaIdentity: z.enum(['default', 'nothing', 'full', 'index']),
  identityColumns: z.array(z.string()),
});

const contentSchema = z.object({
  format: z.literal(1),
  files: z.array(z.object({ name: z.string(), text: z.string() })),
  tables: z.array(tableSchema).nullable(),
});

/**
 * A rule set as the store keeps it: the files as written, and of the catalog no more than they use, so that a new
 * column elsewhere in the table does not make another version.
 */
export function storedContent(
  files: RuleFiles,
  world: World,
  used: (table: TableInfo) => ReadonlySet<string>,
): string {
  const known = world.tables.filter(({ catalog }) => catalog !== null);
  const tables = known.map((table) => subset(table, used(table)));
  return JSON.stringify({
    format: 1,
    files: files.map(({ name, text }) => ({ name, text })),
    tables: known.length === 0 ? null : tables.sort((a, b) => (key(a) < key(b) ? -1 : 1)),
  });
}

function key(table: { readonly schema: string; readonly name: string }): string {
  return `${table.schema}.${table.name}`;
}

function subset({ catalog, ...table }: TableInfo, used: ReadonlySet<string>): z.infer<typeof tableSchema> {
  const columns = (catalog?.columns ?? []).filter(({ name }) => used.has(name));
  return {
    schema: table.schema,
    name: table.name,
    // In the table's order: it is the order of a row's cells.
    columns: columns.map(({ name, pgType, generated }) => ({ name, pgType, generated })),
    primaryKey: [...(catalog?.primaryKey ?? [])],
    replicaIdentity: catalog?.replicaIdentity ?? 'default',
    identityColumns: [...(catalog?.identityColumns ?? [])],
  };
}

export function readContent(content: string): {
  readonly files: RuleFiles;
  readonly catalog: Catalog | null;
} {
  const { files, tables } = contentSchema.parse(JSON.parse(content));
  if (tables === null) return { files, catalog: null };
  // Whether a column may be NULL is nothing to the rules: not kept, so that it makes no other version.
  const known = tables.map((table): [string, CatalogTable] => {
    const columns = table.columns.map((column) => ({ ...column, notNull: false }));
    return [key(table), { ...table, columns }];
  });
  return { files, catalog: { tables: new Map(known) } };
}
