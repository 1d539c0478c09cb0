import { migrate, migrations, pendingMigrations, schemaSql } from '../store/migrate.ts';
import { connect, databaseOf, withClient } from './connect.ts';
import { connectStore, type InitContext, nameOfSource, nameOfStore, storeDatabase } from './init-context.ts';
import { instanceStep } from './init-instance.ts';
import { publicationsStep } from './init-publications.ts';
import { queueStep } from './init-queue.ts';
import { makeRole, ownedSchemaSql, roleExists, roleSql, withRightToCreate } from './init-role.ts';
import { type Step, THERE } from './step.ts';

/** In the order in which each can be done: publications before the slot, which must find them in its WAL. */
export async function initSteps(context: InitContext): Promise<readonly Step[]> {
  return [
    ...(context.role === null ? [] : [await roleStep(context, context.role)]),
    await schemaStep(context),
    await publicationsStep(context),
    ...(await queueStep(context)),
    await instanceStep(context),
  ];
}

async function roleStep(context: InitContext, role: string): Promise<Step> {
  const { source, config } = context;
  const there = await roleExists(source, role);
  const may = 'Reads the WAL of the published tables and owns the schema weir';
  return {
    title: `role ${role}`,
    why: there ? `${may}.` : `${may}; it may not read your tables.`,
    where: nameOfSource(context),
    script: there ? THERE : roleSql(role, databaseOf(config.databaseUrl)),
    run: async () => {
      const made = await makeRole(source, role, databaseOf(config.databaseUrl));
      return made ? `made; give it a password (in psql: \\password ${role})` : 'there already';
    },
  };
}

async function schemaStep(context: InitContext): Promise<Step> {
  const { role } = context;
  const database = storeDatabase(context);
  return {
    title: 'schema weir',
    why: 'Alerts, decisions, positions and state. Nothing of Weir is outside of it.',
    where: nameOfStore(context),
    script: await schemaScript(context),
    run: async () => {
      const applied =
        role === null ? await migrateStore(context) : await migrateAs(context, { role, database });
      return applied === 0 ? 'up to date' : `applied ${applied} migrations`;
    },
  };
}

/** Of a schema that is there, its owner can bring it up to date, and knows how. */
async function schemaScript({ config, role }: InitContext): Promise<string> {
  const target = { url: config.storeUrl, variable: 'WEIR_STORE_URL', slot: config.slot };
  const pending = await withClient(target, pendingMigrations);
  if (pending.length === 0) return THERE;
  if (pending.length < migrations().length)
    return `-- as its owner: weir init --apply   (applies ${pending.map(({ name }) => name).join(', ')})`;
  return role === null ? schemaSql() : ownedSchemaSql(role, databaseOf(config.storeUrl), schemaSql());
}

async function migrateAs(context: InitContext, owner: { role: string; database: string }): Promise<number> {
  const { config } = context;
  const admin = await connect({ url: config.storeUrl, variable: 'WEIR_STORE_URL', slot: config.slot });
  try {
    // The store may be another server than the source.
    if (!(await roleExists(admin, owner.role))) await makeRole(admin, owner.role, owner.database);
    return await withRightToCreate(admin, owner, () => migrateStore(context));
  } finally {
    await admin.end();
  }
}

async function migrateStore(context: InitContext): Promise<number> {
  const store = await connectStore(context);
  try {
    return (await migrate(store)).length;
  } finally {
    await store.end();
  }
}
