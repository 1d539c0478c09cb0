import type { ClientBase } from 'pg';
import type { CompiledRules } from '../rules/compile-rules.ts';
import type { Problem } from '../rules/problem.ts';

/** Values that the rules seed and that were never in the list, and those that rules put into it and seed no more. */
const DIFFERENCES = `
  select seed.value, 'never in it' as what from unnest($2::text[]) as seed (value)
  where exists (select from weir.lists where name = $1)
    and not exists (select from weir.list_changes c where c.list_name = $1 and c.value = seed.value)
  union all
  select e.value, 'still in it'
  from weir.list_revisions r join weir.list_changes c using (revision) join weir.list_entries e using (list_name, value)
  where r.on_behalf_of = 'rules' and c.list_name = $1
    and not exists (select from weir.list_changes later
      where later.list_name = $1 and later.value = c.value and later.revision > c.revision)
    and e.value not in (select unnest($2::text[]))`;

type Store = Pick<ClientBase, 'query'>;

/** Lists whose `values:` were edited after the store had them: the edit has no effect, which is a warning. */
export async function seedWarnings(
  store: Store,
  { plan, set }: Pick<CompiledRules, 'plan' | 'set'>,
): Promise<Problem[]> {
  if (plan === null || plan.lists.size === 0 || !(await hasLists(store))) return [];
  const warnings: Problem[] = [];
  for (const [name, seed] of plan.lists) {
    const { rows } = await store.query<{ value: string; what: Difference }>(DIFFERENCES, [name, [...seed]]);
    const place = set.lists.get(name)?.spot.key;
    if (place === undefined) continue;
    for (const what of ['never in it', 'still in it'] as const) {
      const values = rows.filter((row) => row.what === what).map(({ value }) => value);
      if (values.length > 0) warnings.push({ ...place, severity: 'warning', ...told(name, what, values) });
    }
  }
  return warnings;
}

type Difference = 'never in it' | 'still in it';
const MOST_NAMED = 5;

function told(
  name: string,
  what: Difference,
  values: readonly string[],
): { readonly message: string; readonly hint: string } {
  const shown = values.slice(0, MOST_NAMED).sort();
  const more = values.length > shown.length ? ` and ${values.length - shown.length} more` : '';
  const named = `${shown.map((value) => JSON.stringify(value)).join(', ')}${more}`;
  const command = `weir list ${what === 'never in it' ? 'add' : 'remove'} ${name} ${shown[0]}`;
  const message =
    what === 'never in it'
      ? `the store has this list, and "values" do not change it: ${named} of them were never put into it`
      : `the store has this list, and "values" do not change it: ${named} came from there once and are in it still`;
  return { message, hint: `${command}${values.length > 1 ? ' …' : ''}` };
}

/** A store without Weir's schema, or with one from before lists were kept, has none; nor for a role that may not look. */
const READABLE = `select count(*) = 4 as there from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'weir' and c.relname in ('lists', 'list_entries', 'list_changes', 'list_revisions')
    and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')`;

async function hasLists(store: Store): Promise<boolean> {
  const { rows } = await store.query<{ there: boolean }>(READABLE);
  return rows[0]?.there === true;
}
