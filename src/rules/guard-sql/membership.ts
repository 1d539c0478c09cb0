import { escapeLiteral } from 'pg';
import type { Origin } from '../cel/scope.ts';
import { isIntegerType } from '../value-type.ts';
import { baseName } from './column-sql.ts';
import { equal } from './operators.ts';
import type { SqlPart } from './sql-part.ts';

/** SQL's IN is CEL's. */
export function inItems(left: SqlPart, items: readonly SqlPart[]): string {
  if (items.length === 0) return 'false';
  const known = items.every(({ constant }) => constant !== null);
  if (known) return `(${left.sql} in (${items.map(({ sql }) => sql).join(', ')}))`;
  return `(${items.map((item) => equal(left, item)).join(' or ')})`;
}

const TEXT_ARRAYS = new Set(['text[]', 'varchar[]']);

/** A column that is an array; null: of another type. */
export function inArray(left: SqlPart, list: SqlPart, origin: Origin | null): string | null {
  if (origin?.kind !== 'column') return null;
  const type = baseName(origin.pgType);
  if (left.type === 'string' && TEXT_ARRAYS.has(type)) return `(${left.sql} = any (${list.sql}::text[]))`;
  if (left.type !== 'double' || !isIntegerType(type.replace(/\[\]$/, ''))) return null;
  if (left.whole !== null) return `(${left.whole} = any (${list.sql}::int8[]))`;
  return left.nan ? null : `(${left.sql} = any (${list.sql}::int8[]::float8[]))`;
}

/** For an index whose column has the collation of the database. */
function indexed(text: string): string {
  return `(${text}) collate "default"`;
}

/**
 * `x in lists.NAME`, by the entries that are in force when the row is inserted; the values of the rule files are in
 * force until the store has the list. null: not of this.
 */
export function inNamedList(left: SqlPart, name: string, seed: ReadonlySet<string>): string | null {
  const value = left.text ?? (left.type === 'string' ? left.sql : null);
  if (value === null) return null;
  const list = escapeLiteral(name);
  const seeded = [...seed].map((entry) => escapeLiteral(entry)).join(', ');
  const before =
    seed.size === 0
      ? ''
      : ` or asked.value in (${seeded}) and not exists (select from weir.lists l where l.name = ${list})`;
  return `(select case when asked.value is not null then
      exists (select from weir.list_entries e where e.list_name = ${list} and e.value = asked.value)${before} end
    from (values (${indexed(value)})) asked (value))`;
}
