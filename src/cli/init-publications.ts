import type { Catalog } from '../rules/catalog.ts';
import type { Plan, TablePlan } from '../rules/plan.ts';
import { compileStored } from '../rules/stored.ts';
import { readCatalog } from '../source/catalog.ts';
import { readPublications } from '../source/existing-publications.ts';
import { publicationSql } from '../source/publication-sql.ts';
import { type InitContext, nameOfSource } from './init-context.ts';
import { openStoreControl } from './init-record.ts';
import { type Step, THERE } from './step.ts';

export async function publicationsStep(context: InitContext): Promise<Step> {
  const statements = await pendingStatements(context);
  return {
    title: `publications ${context.config.slot}_…`,
    why: 'What leaves PostgreSQL: these tables, these columns, these operations. One a set of operations, since `publish`\nbelongs to the whole publication. In one transaction, so that no place of the WAL sees a table in two of them.',
    where: nameOfSource(context),
    script: statements.length === 0 ? THERE : ['BEGIN', ...statements, 'COMMIT', ''].join(';\n'),
    run: () => publish(context),
  };
}

async function publish(context: InitContext): Promise<string> {
  const { source } = context;
  await source.query('BEGIN');
  try {
    const statements = await pendingStatements(context);
    for (const statement of statements) await source.query(statement);
    await source.query('COMMIT');
    return statements.length === 0
      ? 'as they should be'
      : `ran ${statements.length} statement${statements.length === 1 ? '' : 's'}`;
  } catch (error) {
    await source.query('ROLLBACK').catch(() => undefined); // the first error is the one to tell
    throw error;
  }
}

async function pendingStatements(context: InitContext): Promise<readonly string[]> {
  const { config, source, serverVersion, rules } = context;
  const old = (await planInForce(context))?.tables ?? [];
  const catalog = await readCatalog(source, [...rules.plan.tables, ...old]);
  return publicationSql(
    // Until the stream has come to the new rules it is judged by the old ones: what they use stays published, also
    // where that is another publication of the same table.
    { tables: [...rules.plan.tables, ...stillThere(old, catalog)] },
    {
      slot: config.slot,
      columns: config.columns,
      serverVersion,
      catalog,
      existing: await readPublications(source, config.slot),
    },
  );
}

/** What the host has dropped meanwhile cannot be published, whatever rules use it. */
function stillThere(tables: readonly TablePlan[], catalog: Catalog): readonly TablePlan[] {
  return tables.flatMap((table) => {
    const found = catalog.tables.get(`${table.schema}.${table.name}`);
    if (found === undefined) return [];
    const columns = table.columns.filter(({ name }) => found.columns.some((column) => column.name === name));
    return [{ ...table, columns }];
  });
}

/** null: there is no instance yet. */
async function planInForce(context: InitContext): Promise<Plan | null> {
  return openStoreControl(context, async (control) => {
    const instance = await control.instance();
    const content = instance === null ? null : await control.getRules(instance.ack.rules);
    return content === null ? null : compileStored(content);
  });
}
