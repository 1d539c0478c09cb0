import type { Catalog, CatalogTable } from '../../../src/rules/catalog.ts';
import type { CheckOptions } from '../../../src/rules/check-events.ts';
import { type CompiledRules, compileRules } from '../../../src/rules/compile-rules.ts';
import type { Plan } from '../../../src/rules/plan.ts';
import { formatProblem } from '../../../src/rules/problem.ts';

/** The events that most tests are about: seven lines, so a rule begins on the eighth. */
export const EVENTS = `version: 1
events:
  transaction:
    table: public.transactions
    columns: { id: int8, user_id: int8, device_id: text, amount: numeric, country: text, type: text, at_home: bool, created_at: timestamptz }
scoring:
  transaction: { bands: { flag: 50, block: 100 } }
`;

export function compile(
  text: string,
  catalog: Catalog | null = null,
  options: CheckOptions = {},
): CompiledRules {
  return compileRules([{ name: 'r.yaml', text }], catalog, options);
}

/** `line:column: severity: message (hint)` of each mistake. */
export function mistakes(text: string, catalog: Catalog | null = null, options: CheckOptions = {}): string[] {
  return compile(text, catalog, options).problems.map((problem) =>
    formatProblem(problem).replace(/^r\.yaml:/, ''),
  );
}

export function planOf(text: string, catalog: Catalog | null = null): Plan {
  const { plan, problems } = compile(text, catalog);
  if (plan === null) throw new Error(problems.map(formatProblem).join('\n'));
  return plan;
}

/** `columns`: `name: type`. */
export function table(
  name: string,
  columns: Readonly<Record<string, string>>,
  more: Partial<CatalogTable> = {},
): CatalogTable {
  return {
    schema: 'public',
    name,
    columns: Object.entries(columns).map(([column, pgType]) => ({
      name: column,
      pgType,
      notNull: false,
      generated: false,
    })),
    primaryKey: ['id'],
    replicaIdentity: 'default',
    identityColumns: ['id'],
    ...more,
  };
}

export function catalogOf(...tables: readonly CatalogTable[]): Catalog {
  return { tables: new Map(tables.map((one) => [`${one.schema}.${one.name}`, one])) };
}
