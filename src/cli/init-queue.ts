import { escapeIdentifier as ident } from 'pg';
import { prepareDatabase } from '../queue/postgres-database.ts';
import { databaseOf, otherDatabase, type Target, withClient } from './connect.ts';
import type { InitContext } from './init-context.ts';
import { shownUrl } from './redact.ts';
import { type Step, THERE } from './step.ts';

/** On Redis there is nothing to make. */
export async function queueStep(context: InitContext): Promise<readonly Step[]> {
  const { queue } = context.config;
  if (queue.kind === 'redis') return [];
  const database = databaseOf(queue.url);
  const owner = context.role === null ? '' : ` OWNER ${ident(context.role)}`;
  return [
    {
      title: `database ${database}`,
      why: 'The queue, in a database of its own: in a captured one its writes would pass through the same WAL sender.',
      where: `any database of ${shownUrl(otherDatabase(queue.url, 'postgres'))}`,
      script: (await isThere(context, queue.url)) ? THERE : `CREATE DATABASE ${ident(database)}${owner};`,
      run: () => makeQueue(context, queue.url),
    },
  ];
}

async function makeQueue(context: InitContext, url: string): Promise<string> {
  const { role } = context;
  const made = !(await isThere(context, url));
  const owner = role === null ? '' : ` OWNER ${ident(role)}`;
  if (made)
    await withClient(maintenance(context, url), (client) =>
      client.query(`CREATE DATABASE ${ident(databaseOf(url))}${owner}`),
    );
  // BullMQ's tables belong to whoever runs Weir; with a role of its own that is not us.
  if (role === null) await prepareDatabase(url);
  return made ? 'made' : 'there already';
}

function isThere(context: InitContext, url: string): Promise<boolean> {
  return withClient(maintenance(context, url), async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [databaseOf(url)]);
    return rowCount === 1;
  });
}

function maintenance({ config }: InitContext, url: string): Target {
  return { url: otherDatabase(url, 'postgres'), variable: 'WEIR_QUEUE_URL', slot: config.slot };
}
