import { relative } from 'node:path';
import type pg from 'pg';
import { WeirError } from '../errors.ts';
import type { Catalog } from '../rules/catalog.ts';
import { type CompiledRules, compileRules } from '../rules/compile-rules.ts';
import type { Plan } from '../rules/plan.ts';
import { formatProblem, Problems } from '../rules/problem.ts';
import { readRuleSet } from '../rules/rule-set.ts';
import { type RuleFiles, readRuleFiles } from '../rules/source-files.ts';
import { readCatalog, type TableName } from '../source/catalog.ts';
import { seedWarnings } from './list-seeds.ts';

export interface RulesSource {
  readonly path: string;
  /** Places of mistakes are shown from here. */
  readonly cwd: string;
  /** null: the tables are as `columns:` says. */
  readonly source: pg.Client | null;
  /** Where run-time lists are; absent: not looked at. */
  readonly store?: Pick<pg.ClientBase, 'query'>;
  /** Names in weir.yaml; null: not known here, and not checked. */
  readonly webhooks: readonly string[] | null;
}

/** Reads, checks and compiles; mistakes are in the result. */
export async function readRules({ path, cwd, source, store, webhooks }: RulesSource): Promise<CompiledRules> {
  const files = readRuleFiles(path).map((file) => ({ ...file, path: relative(cwd, file.path ?? file.name) }));
  const catalog = source === null ? null : await catalogFor(source, files);
  const compiled = compileRules(files, catalog, webhooks === null ? {} : { webhooks });
  if (store === undefined) return compiled;
  return { ...compiled, problems: [...compiled.problems, ...(await seedWarnings(store, compiled))] };
}

export interface ValidRules {
  readonly plan: Plan;
  readonly content: string;
  readonly warnings: readonly string[];
}

/** For commands that go on with the rules: all mistakes are one error. */
export async function readValidRules(options: RulesSource): Promise<ValidRules> {
  const { plan, content, problems } = await readRules(options);
  if (plan === null)
    throw invalid(problems.filter(({ severity }) => severity === 'error').map(formatProblem));
  return { plan, content, warnings: problems.map(formatProblem) };
}

function invalid(errors: readonly string[]): WeirError {
  return new WeirError({
    code: 'WEIR_RULES_INVALID',
    message: `the rules have ${errors.length === 1 ? 'a mistake' : `${errors.length} mistakes`}:\n  ${errors.join('\n  ')}`,
    hint: 'weir check shows them without doing anything',
    retry: 'after-operator',
  });
}

/** The tables that the rules name; where one does not exist, all tables, so that the nearest name can be told. */
async function catalogFor(source: pg.Client, files: RuleFiles): Promise<Catalog> {
  const wanted = tablesOf(files);
  const catalog = await readCatalog(source, wanted);
  if (wanted.every(({ schema, name }) => catalog.tables.has(`${schema}.${name}`))) return catalog;
  return readCatalog(source, await allTables(source));
}

function tablesOf(files: RuleFiles): readonly TableName[] {
  const { events } = readRuleSet(files, new Problems());
  return [...events.values()].flatMap(({ spec: { table } }) => {
    if (table === undefined) return [];
    const dot = table.indexOf('.');
    return [
      dot < 0
        ? { schema: 'public', name: table }
        : { schema: table.slice(0, dot), name: table.slice(dot + 1) },
    ];
  });
}

const MOST_TABLES = 2_000;

async function allTables(source: pg.Client): Promise<readonly TableName[]> {
  const { rows } = await source.query<TableName>(
    `select n.nspname::text as schema, c.relname::text as name
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema$|weir$)'
     order by 1, 2 limit ${MOST_TABLES}`,
  );
  return rows;
}
