import { WeirError } from '../errors.ts';
import { OPS, type Op } from '../events/row.ts';
import type { Catalog, CatalogTable } from '../rules/catalog.ts';
import type { Plan } from '../rules/plan.ts';

/** PostgreSQL 15 knows column lists. */
export const COLUMN_LISTS = 150_000;

export interface DesiredTable {
  readonly schema: string;
  readonly name: string;
  /** In the table's order; null: whole rows. */
  readonly columns: readonly string[] | null;
}

/** What a publication should be. `publish` belongs to the whole of it: hence one for each set of operations. */
export interface DesiredPublication {
  readonly name: string;
  readonly ops: readonly Op[];
  readonly tables: readonly DesiredTable[];
}

export interface PublicationOptions {
  readonly slot: string;
  /** `all`: whole rows, so that new rules need no DBA. */
  readonly columns: 'used' | 'all';
  readonly serverVersion: number;
  readonly catalog: Catalog;
}

export function publicationName(slot: string, ops: readonly Op[]): string {
  return [slot, ...OPS.filter((op) => ops.includes(op))].join('_');
}

/** What a stream under this plan must name: they exist wherever the plan is in force, and perhaps no earlier. */
export function streamPublications(slot: string, plan: Pick<Plan, 'tables'>): readonly string[] {
  return [...new Set(plan.tables.map((table) => publicationName(slot, table.ops)))].sort();
}

/** Every name that a publication of this slot can have. */
export function publicationNames(slot: string): readonly string[] {
  return Array.from({ length: 2 ** OPS.length - 1 }, (_, mask) =>
    publicationName(
      slot,
      OPS.filter((_op, i) => ((mask + 1) & (1 << i)) !== 0),
    ),
  );
}

/**
 * The publications that a plan needs, each table in exactly one. While rules change, `tables` are those of the new
 * plan and those of the one in force: a table that is captured in two ways then is in two, with one column list,
 * until the stream has come to the new rules.
 * @throws WeirError for a table or column that is not there, and for one whose publication would break the host's own
 * UPDATE or DELETE.
 */
export function desiredPublications(
  plan: Pick<Plan, 'tables'>,
  options: PublicationOptions,
): readonly DesiredPublication[] {
  const uses = new Map<string, TableUse>();
  for (const table of plan.tables) addUse(uses, table);
  const byName = new Map<string, { ops: readonly Op[]; tables: DesiredTable[] }>();
  for (const use of uses.values()) {
    const desired = desiredTable(use, options);
    for (const ops of use.captures.values()) {
      const name = publicationName(options.slot, ops);
      const publication = byName.get(name) ?? { ops, tables: [] };
      publication.tables.push(desired);
      byName.set(name, publication);
    }
  }
  return [...byName].map(([name, { ops, tables }]) => ({ name, ops, tables }));
}

/** All that is asked of one table. */
interface TableUse {
  readonly schema: string;
  readonly name: string;
  readonly columns: Set<string>;
  /** Sets of operations, by their text. */
  readonly captures: Map<string, readonly Op[]>;
}

function addUse(uses: Map<string, TableUse>, table: Plan['tables'][number]): void {
  const full = `${table.schema}.${table.name}`;
  const { schema, name } = table;
  const use = uses.get(full) ?? { schema, name, columns: new Set(), captures: new Map() };
  for (const column of table.columns) use.columns.add(column.name);
  const ops = OPS.filter((op) => table.ops.includes(op));
  use.captures.set(ops.join(), ops);
  uses.set(full, use);
}

function desiredTable(use: TableUse, options: PublicationOptions): DesiredTable {
  const full = `${use.schema}.${use.name}`;
  if (use.schema === 'weir') throw refuse(full, "is Weir's own: it would feed itself", 'name another table');
  const found = options.catalog.tables.get(full);
  if (found === undefined) {
    throw refuse(full, 'does not exist, or is no permanent table', 'correct `table:` in the rules');
  }
  const ops = [...use.captures.values()].flat();
  const changes = ops.includes('update') || ops.includes('delete');
  if (changes) requireIdentity(found, full);
  const needed = neededColumns(use.columns, found, full);
  checkGenerated(found, { needed, options, full });
  return {
    schema: use.schema,
    name: use.name,
    columns: columnList(found, { needed, changes, options }),
  };
}

/** After this, PostgreSQL still accepts every UPDATE and DELETE of the table. */
function requireIdentity(table: CatalogTable, full: string): void {
  const virtual = table.columns.find((column) => column.virtual === true);
  if (table.replicaIdentity === 'full' && virtual !== undefined) {
    throw refuse(
      full,
      `has REPLICA IDENTITY FULL and the virtual generated column "${virtual.name}": once its updates are published, its own UPDATE and DELETE would fail`,
      'make the column STORED, or give the table a primary key and `REPLICA IDENTITY DEFAULT`, or capture inserts only',
    );
  }
  if (table.replicaIdentity === 'full' || table.identityColumns.length > 0) return;
  throw refuse(
    full,
    `has no replica identity (${table.replicaIdentity}, primary key ${table.primaryKey.length === 0 ? 'none' : table.primaryKey.join(', ')}): once its updates are published, its own UPDATE and DELETE would fail`,
    `give it a primary key, or run \`ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY FULL\` (of a partitioned table: each partition), or capture inserts only`,
  );
}

function neededColumns(used: ReadonlySet<string>, found: CatalogTable, full: string): readonly string[] {
  for (const name of used) {
    if (found.columns.some((column) => column.name === name)) continue;
    throw refuse(full, `has no column "${name}"`, 'correct the rules, or the `columns:` of the event');
  }
  return found.columns.filter(({ name }) => used.has(name)).map(({ name }) => name);
}

interface ListContext {
  readonly needed: readonly string[];
  readonly changes: boolean;
  readonly options: PublicationOptions;
}

/** null where PostgreSQL allows no list: before 15, and for updates with REPLICA IDENTITY FULL. */
function columnList(
  found: CatalogTable,
  { needed, changes, options }: ListContext,
): readonly string[] | null {
  if (options.columns === 'all' || options.serverVersion < COLUMN_LISTS) return null;
  if (changes && found.replicaIdentity === 'full') return null;
  const identity = changes ? found.identityColumns : [];
  const wanted = new Set([...needed, ...identity, ...found.primaryKey]);
  const columns = found.columns.filter(({ name }) => wanted.has(name));
  // Before 18 a list may not name a generated column, which an identity may have.
  if (
    options.serverVersion < 180_000 &&
    columns.some(({ name, generated }) => generated && identity.includes(name))
  )
    return null;
  return columns
    .filter(({ generated }) => !generated || options.serverVersion >= 180_000)
    .map(({ name }) => name);
}

interface GeneratedContext {
  readonly needed: readonly string[];
  readonly options: PublicationOptions;
  readonly full: string;
}

/** Before 18 a generated column is not replicated at all, and a virtual one is in no WAL. */
function checkGenerated(found: CatalogTable, { needed, options, full }: GeneratedContext): void {
  const replicated = options.serverVersion >= 180_000;
  const absent = found.columns.find(
    ({ name, generated, virtual }) => needed.includes(name) && generated && (virtual === true || !replicated),
  );
  if (absent === undefined) return;
  const version = Math.floor(options.serverVersion / 10_000);
  throw refuse(
    full,
    `column "${absent.name}" is generated${absent.virtual === true ? ' and virtual' : ''}, which PostgreSQL ${version} does not replicate`,
    absent.virtual === true
      ? 'write its expression in the rules instead, or make it STORED'
      : 'write its expression in the rules instead, or use PostgreSQL 18',
  );
}

function refuse(full: string, what: string, hint: string): WeirError {
  return new WeirError({
    code: 'WEIR_CANNOT_PUBLISH',
    message: `table ${full} ${what}`,
    hint,
    retry: 'after-operator',
  });
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteTable(table: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
}
