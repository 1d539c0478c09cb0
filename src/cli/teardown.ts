import { Option } from 'commander';
import type pg from 'pg';
import { escapeIdentifier as ident } from 'pg';
import type { Config } from '../config.ts';
import { EXIT } from '../errors.ts';
import { identifySystem } from '../source/facts.ts';
import { publicationNames } from '../source/publications.ts';
import type { Instance } from '../store/control.ts';
import { openControl } from '../store/control-store.ts';
import { openPool } from '../store/session.ts';
import { databaseOf, withClient } from './connect.ts';
import { nameOfSource, nameOfStore } from './init-context.ts';
import { roleExists } from './init-role.ts';
import { loadConfig } from './load-config.ts';
import type { CommandSpec } from './program.ts';
import { queueInstance } from './queue-instance.ts';
import { printSteps, runSteps, type Step } from './step.ts';
import { queueRemoval } from './teardown-queue.ts';
import {
  guardsRemoval,
  otherInstances,
  publicationsRemoval,
  type Removal,
  schemaRemoval,
  slotRemoval,
} from './teardown-steps.ts';

export const teardownCommand: CommandSpec = {
  name: 'teardown',
  summary: 'Print, or with --apply run, what takes all of Weir away again: slot, publications, schema, queue',
  config: ['slot'],
  options: [
    new Option('--apply', 'do it: alerts, decisions and state are gone after it'),
    new Option('--yes', 'the same as --apply'),
    new Option('--role <name>', 'drop this role too, with what it owns'),
  ],
  action: async ({ io, flags, sources, json }) => {
    const config = loadConfig(sources);
    const role = typeof flags['role'] === 'string' ? flags['role'] : null;
    const { slot } = config;
    const apply = flags['apply'] === true || flags['yes'] === true;
    await withClient({ url: config.databaseUrl, variable: 'DATABASE_URL', slot }, (source) =>
      withClient({ url: config.storeUrl, variable: 'WEIR_STORE_URL', slot }, async (store) => {
        const steps = await teardownSteps({ config, source, store, role });
        if (apply) await runSteps(io, steps, json);
        else await printSteps(io, steps, { json, before: BEFORE, after: AFTER });
      }),
    );
    return EXIT.ok;
  },
};

const BEFORE = 'What takes Weir away. Copy what you want to keep of the schema weir first.';
const AFTER = 'weir teardown --apply does it.';

interface Teardown {
  readonly config: Config;
  readonly source: pg.Client;
  readonly store: pg.Client;
  readonly role: string | null;
}

async function teardownSteps({ config, source, store, role }: Teardown): Promise<readonly Step[]> {
  const { slot } = config;
  const removal: Removal = {
    slot,
    source,
    store,
    database: databaseOf(config.databaseUrl),
    sourceName: nameOfSource({ config }),
    storeName: nameOfStore({ config }),
  };
  const shared = (await otherInstances(store, slot)).length > 0;
  const instance = await instanceOf(config);
  const named = instance === null ? await namedBySource(config) : queueInstance(instance);
  const webhooks = Object.keys(config.webhooks);
  const queue = { queue: config.queue, slot, webhooks, instance, named, shared };
  return [
    ...(await guardsRemoval(removal)),
    slotRemoval(removal),
    publicationsRemoval(removal, publicationNames(slot)),
    await schemaRemoval(removal),
    queueRemoval(queue),
    ...(role === null ? [] : [roleRemoval(removal, role)]),
  ];
}

/** Before the schema goes, which knows it. */
async function instanceOf(config: Config): Promise<Instance | null> {
  const pool = openPool({ url: config.storeUrl, slot: config.slot, max: 1 });
  try {
    return await openControl(pool, config.slot).instance();
  } finally {
    await pool.end();
  }
}

/** Once the schema is gone, the source still says what the queues were named by. */
async function namedBySource({ databaseUrl, slot }: Config): Promise<string | null> {
  const system = await identifySystem(databaseUrl, slot);
  if (system === null) return null;
  return queueInstance({ systemIdentifier: system.identifier, database: databaseOf(databaseUrl), slot });
}

function roleRemoval({ source, store, sourceName }: Removal, role: string): Step {
  const name = ident(role);
  return {
    title: `role ${role}`,
    why: 'With whatever it still owns here, and its rights.',
    where: sourceName,
    script: `DROP OWNED BY ${name};\nDROP ROLE ${name};`,
    run: async () => {
      if (!(await roleExists(source, role))) return 'not there';
      await source.query(`DROP OWNED BY ${name}`);
      await store.query(`DROP OWNED BY ${name}`).catch(() => undefined); // another server, which has no such role
      await source.query(`DROP ROLE ${name}`);
      return 'dropped';
    },
  };
}
