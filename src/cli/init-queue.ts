import { escapeIdentifier as ident } from 'pg';
import { prepareDatabase } from '../queue/postgres-database.ts';
import { databaseOf, otherDatabase, withClient } from './connect.ts';
import type { InitContext } from './init-context.ts';
import { shownUrl } from './redact.ts';
import type { Step } from './step.ts';

/** On Redis there is nothing to make. */
export function queueStep(context: InitContext): readonly Step[] {
  const { queue } = context.config;
  if (queue.kind === 'redis') return [];
  const database = databaseOf(queue.url);
  const owner = context.role === null ? '' : ` OWNER ${ident(context.role)}`;
  return [
    {
      title: `database ${database}`,
      why: 'The queue, in a database of its own: in a captured one its writes would pass through the same WAL sender.',
      where: `any database of ${shownUrl(otherDatabase(queue.url, 'postgres'))}`,
      script: `CREATE DATABASE ${ident(database)}${owner};`,
      run: () => makeQueue(context, queue.url),
    },
  ];
}

async function makeQueue({ role, config }: InitContext, url: string): Promise<string> {
  const database = databaseOf(url);
  const target = { url: otherDatabase(url, 'postgres'), variable: 'WEIR_QUEUE_URL', slot: config.slot };
  const made = await withClient(target, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database]);
    if (rowCount === 1) return false;
    const owner = role === null ? '' : ` OWNER ${ident(role)}`;
    await client.query(`CREATE DATABASE ${ident(database)}${owner}`);
    return true;
  });
  // BullMQ's tables belong to whoever runs Weir; with a role of its own that is not us.
  if (role === null) await prepareDatabase(url);
  return made ? 'made' : 'there already';
}
