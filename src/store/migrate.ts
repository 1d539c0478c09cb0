import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClientBase } from 'pg';
import { WeirError } from '../errors.ts';

/*
 * A crash here can leave the schema as it was, never half a migration: everything is one transaction.
 */

export interface Migration {
  readonly version: number;
  /** Name of the file without its extension, e.g. `001_control`. */
  readonly name: string;
  readonly sql: string;
}

/** Any number that nobody else takes advisory locks on: "weir". */
const LOCK = 0x77656972;

/** The numbered files of sql/, which is beside src/ in a checkout and beside dist/ in the package. */
export function migrations(): readonly Migration[] {
  const directory = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'sql');
  return readdirSync(directory)
    .filter((file) => /^\d+_.*\.sql$/.test(file))
    .sort()
    .map((file) => ({
      version: Number.parseInt(file, 10),
      name: file.replace(/\.sql$/, ''),
      sql: readFileSync(join(directory, file), 'utf8'),
    }));
}

/** What `migrate` runs on a database without the schema, as one script for a DBA. */
export function schemaSql(): string {
  return ['begin;', ...migrations().map(script), 'commit;', ''].join('\n');
}

function script(migration: Migration): string {
  return `-- ${migration.name}\n${migration.sql}\ninsert into weir.migrations (version, name) values (${migration.version}, '${migration.name}');\n`;
}

/**
 * Brings the schema `weir` up to what this Weir knows, and returns what it applied; safe to run at any time and
 * by several at once.
 * @throws WeirError WEIR_SCHEMA_NEWER when the schema was made by a newer Weir.
 */
export async function migrate(client: ClientBase): Promise<readonly Migration[]> {
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
    const pending = pendingOf(migrations(), await appliedVersion(client));
    for (const migration of pending) await client.query(script(migration));
    await client.query('commit');
    return pending;
  } catch (error) {
    await client.query('rollback').catch(() => undefined); // the first error is the one to tell
    throw error;
  }
}

/**
 * What `migrate` would apply; reads only.
 * @throws WeirError WEIR_SCHEMA_NEWER
 */
export async function pendingMigrations(client: ClientBase): Promise<readonly Migration[]> {
  return pendingOf(migrations(), await appliedVersion(client));
}

function pendingOf(known: readonly Migration[], applied: number): readonly Migration[] {
  const newest = known.at(-1)?.version ?? 0;
  if (applied > newest) {
    throw new WeirError({
      code: 'WEIR_SCHEMA_NEWER',
      message: `the schema weir is at version ${applied}, and this Weir knows up to ${newest}`,
      hint: 'Run a Weir at least as new as the one that last migrated this database.',
      retry: 'after-operator',
    });
  }
  return known.filter((migration) => migration.version > applied);
}

/** 0: there is no schema yet. */
async function appliedVersion(client: ClientBase): Promise<number> {
  const ledger = await client.query<{ found: boolean }>(
    `select to_regclass('weir.migrations') is not null as found`,
  );
  if (ledger.rows[0]?.found !== true) return 0;
  const applied = await client.query<{ version: number }>(
    'select coalesce(max(version), 0) as version from weir.migrations',
  );
  return applied.rows[0]?.version ?? 0;
}

/** The SQL of `weir teardown` in the store. Nothing of Weir is outside this schema. */
export const DROP_SQL = 'drop schema if exists weir cascade';

export async function dropAll(client: ClientBase): Promise<void> {
  await client.query(DROP_SQL);
}
