import type { CatalogTable } from '../rules/catalog.ts';
import type { GuardPlan, Plan } from '../rules/plan.ts';
import type { Action } from '../rules/plan-parts.ts';

/** What a guard of one table refuses. */
export interface Guarding {
  /** Columns, in the order of the key: a row is refused while their values are blocked. */
  readonly subjects: readonly (readonly string[])[];
  /** Rules that are judged inside the insert. */
  readonly rules: readonly (GuardPlan & { readonly id: string })[];
  /** What it cannot do, for people. */
  readonly notes: readonly string[];
}

/** Of all blocks that the rules can make, wherever they come from, those whose columns the table has; its guard rules. */
export function guardingOf(plan: Plan, table: CatalogTable): Guarding {
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const having = blockKeys(plan).filter((names) => names.every((name) => columns.has(name)));
  const generated = having.filter((names) => names.some((name) => columns.get(name)?.generated === true));
  const rules = plan.rules.flatMap(({ id, guard, mode, table: index }) => {
    const of = plan.tables[index];
    const here = of?.schema === table.schema && of.name === table.name;
    return here && guard !== null && mode === 'live' ? [{ ...guard, id }] : [];
  });
  return {
    subjects: having.filter((names) => !generated.includes(names)),
    rules,
    notes: generated.map(
      (names) =>
        `blocks by ${names.join(', ')} are not seen: PostgreSQL generates the column after the guard has looked`,
    ),
  };
}

/** Each key of `weir.blocks` that can be there, once. */
function blockKeys({ rules, patterns, scoring }: Plan): readonly (readonly string[])[] {
  const keys = [
    ...rules.flatMap(({ block, actions }) => (block !== null && blocks(actions) ? [block.by.names] : [])),
    ...patterns.flatMap(({ block, actions, onTimeout }) =>
      block !== null && (blocks(actions) || blocks(onTimeout?.actions ?? [])) ? [block.names] : [],
    ),
    ...[...scoring.values()].flatMap(({ block, bands }) =>
      block !== null && bands.some(({ actions }) => blocks(actions)) ? [block.by.names] : [],
    ),
  ];
  return [...new Map(keys.map((names) => [names.join(), names])).values()];
}

function blocks(actions: readonly Action[]): boolean {
  return actions.some(({ kind }) => kind === 'block');
}
