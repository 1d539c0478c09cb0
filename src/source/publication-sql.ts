import { WeirError } from '../errors.ts';
import type { Plan } from '../rules/plan.ts';
import type { ExistingPublication } from './existing-publications.ts';
import {
  type DesiredPublication,
  type DesiredTable,
  desiredPublications,
  type PublicationOptions,
  quoteIdentifier,
  quoteTable,
} from './publications.ts';

const GENERATED_COLUMNS = 180_000;

/**
 * What brings the publications to what the plan needs: CREATE or ALTER, never a drop (a recreated publication has no
 * history, and decoding what was written before it fails). To be run in one transaction, so that no place of the
 * WAL sees a table in two of them. Empty: nothing to do.
 */
export function publicationSql(
  plan: Pick<Plan, 'tables'>,
  options: PublicationOptions & { readonly existing: readonly ExistingPublication[] },
): readonly string[] {
  const desired = desiredPublications(plan, options);
  const existing = new Map(options.existing.map((publication) => [publication.name, publication]));
  for (const publication of options.existing) refuseWide(publication);
  const emptied = options.existing.filter(
    ({ name, tables }) => tables.length > 0 && !desired.some((publication) => publication.name === name),
  );
  return [
    ...emptied.map(emptyStatement),
    ...desired.flatMap((publication) => {
      const found = existing.get(publication.name);
      return found === undefined
        ? [createStatement(publication, options.serverVersion)]
        : alterStatements(publication, found);
    }),
  ];
}

function createStatement(publication: DesiredPublication, serverVersion: number): string {
  const generated = serverVersion >= GENERATED_COLUMNS ? ', publish_generated_columns = stored' : '';
  return `CREATE PUBLICATION ${quoteIdentifier(publication.name)} FOR TABLE ${publication.tables.map(tableClause).join(', ')} WITH (publish = '${publication.ops.join(', ')}', publish_via_partition_root = true${generated})`;
}

function alterStatements(publication: DesiredPublication, found: ExistingPublication): readonly string[] {
  const name = quoteIdentifier(publication.name);
  const statements: string[] = [];
  if (!found.viaRoot || found.ops.join() !== publication.ops.join()) {
    const publish = `publish = '${publication.ops.join(', ')}'`;
    statements.push(`ALTER PUBLICATION ${name} SET (${publish}, publish_via_partition_root = true)`);
  }
  if (!sameTables(publication, found)) {
    statements.push(`ALTER PUBLICATION ${name} SET TABLE ${publication.tables.map(tableClause).join(', ')}`);
  }
  return statements;
}

function emptyStatement({ name, tables }: ExistingPublication): string {
  return `ALTER PUBLICATION ${quoteIdentifier(name)} DROP TABLE ${tables.map((table) => `ONLY ${quoteTable(table)}`).join(', ')}`;
}

/** ONLY: a table that inherits from this one has an identity of its own, perhaps none. */
function tableClause(table: DesiredTable): string {
  const columns = table.columns === null ? '' : ` (${table.columns.map(quoteIdentifier).join(', ')})`;
  return `ONLY ${quoteTable(table)}${columns}`;
}

function sameTables(publication: DesiredPublication, found: ExistingPublication): boolean {
  if (publication.tables.length !== found.tables.length) return false;
  return publication.tables.every((table) => {
    const other = found.tables.find(({ schema, name }) => schema === table.schema && name === table.name);
    return other !== undefined && !other.filtered && sameColumns(table.columns, other.columns);
  });
}

function sameColumns(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((name) => b.includes(name));
}

function refuseWide(publication: ExistingPublication): void {
  if (!publication.wide) return;
  throw new WeirError({
    code: 'WEIR_PUBLICATION_WIDE',
    message: `publication "${publication.name}" is FOR ALL TABLES or FOR TABLES IN SCHEMA, which Weir never makes`,
    hint: `rename it (ALTER PUBLICATION ${quoteIdentifier(publication.name)} RENAME TO …), or give Weir another slot name (WEIR_SLOT)`,
    retry: 'after-operator',
  });
}
