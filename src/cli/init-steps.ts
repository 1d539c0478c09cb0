import { migrate, schemaSql } from '../store/migrate.ts';
import { connect, databaseOf } from './connect.ts';
import { connectStore, type InitContext, nameOfSource, nameOfStore, storeDatabase } from './init-context.ts';
import { instanceStep } from './init-instance.ts';
import { publicationsStep } from './init-publications.ts';
import { queueStep } from './init-queue.ts';
import { makeRole, ownedSchemaSql, roleExists, roleSql, withRightToCreate } from './init-role.ts';
import type { Step } from './step.ts';

/** In the order in which each can be done: publications before the slot, which must find them in its WAL. */
export async function initSteps(context: InitContext): Promise<readonly Step[]> {
  return [
    ...(context.role === null ? [] : [roleStep(context, context.role)]),
    schemaStep(context),
    await publicationsStep(context),
    ...queueStep(context),
    instanceStep(context),
  ];
}

function roleStep(context: InitContext, role: string): Step {
  const { source, config } = context;
  return {
    title: `role ${role}`,
    why: 'Reads the WAL of the published tables and owns the schema weir; it may not read your tables.',
    where: nameOfSource(context),
    script: roleSql(role, databaseOf(config.databaseUrl)),
    run: async () => {
      const made = await makeRole(source, role, databaseOf(config.databaseUrl));
      return made ? `made; give it a password (in psql: \\password ${role})` : 'there already';
    },
  };
}

function schemaStep(context: InitContext): Step {
  const { role } = context;
  const database = storeDatabase(context);
  return {
    title: 'schema weir',
    why: 'Alerts, decisions, positions and state. Nothing of Weir is outside of it.',
    where: nameOfStore(context),
    script: role === null ? schemaSql() : ownedSchemaSql(role, database, schemaSql()),
    run: async () => {
      const applied =
        role === null ? await migrateStore(context) : await migrateAs(context, { role, database });
      return applied === 0 ? 'up to date' : `applied ${applied} migrations`;
    },
  };
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
