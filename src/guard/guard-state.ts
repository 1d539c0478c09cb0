import type { Client } from 'pg';
import type { CatalogTable } from '../rules/catalog.ts';
import { readCatalog, type TableName } from '../source/catalog.ts';
import { triggerName } from './guard-function.ts';

/** A guard as PostgreSQL has it. */
export interface InstalledGuard extends TableName {
  readonly fn: string;
  readonly body: string;
  /** Of the function. */
  readonly owner: string;
  /** This session may replace the function. */
  readonly owned: boolean;
  /** ALTER TABLE … DISABLE TRIGGER has not switched it off. */
  readonly enabled: boolean;
  /** Sequences of its function. */
  readonly counters: readonly string[];
}

type Queryable = Pick<Client, 'query'>;

/** The guards of an instance, by table. */
export async function readGuards(client: Queryable, slot: string): Promise<readonly InstalledGuard[]> {
  const { rows } = await client.query(
    `select n.nspname::text as schema, c.relname::text as name, p.proname::text as fn, p.prosrc as body,
       pg_get_userbyid(p.proowner)::text as owner, pg_has_role(p.proowner, 'usage') as owned,
       t.tgenabled in ('O', 'A') as enabled,
       array(select s.relname::text from pg_class s where s.relnamespace = p.pronamespace and s.relkind = 'S'
         and starts_with(s.relname, p.proname || '_') order by 1) as counters
     from pg_trigger t join pg_proc p on p.oid = t.tgfoid join pg_namespace pn on pn.oid = p.pronamespace
       join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where t.tgname = $1 and t.tgparentid = 0 and pn.nspname = 'weir' order by 1, 2`,
    [triggerName(slot)],
  );
  return rows as InstalledGuard[];
}

/** null: there is no such table, or it is a view or temporary. */
export async function readTable(client: Queryable, table: TableName): Promise<CatalogTable | null> {
  const { tables } = await readCatalog(client, [table]);
  return tables.get(`${table.schema}.${table.name}`) ?? null;
}

export function sameTable(a: TableName, b: TableName): boolean {
  return a.schema === b.schema && a.name === b.name;
}
