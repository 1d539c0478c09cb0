import type pg from 'pg';
import type { Config } from '../config.ts';
import { WeirError } from '../errors.ts';
import { notInitialised } from './status.ts';

/**
 * Where guards live: the schema weir of the source database itself, since a trigger sees no other. Its owner is who
 * their functions run as.
 */
export async function guardHome(
  source: pg.Client,
  config: Pick<Config, 'slot' | 'storeUrl' | 'databaseUrl'>,
): Promise<{ readonly owner: string }> {
  const { rows } = await source.query<{ owner: string; made: boolean; encoding: string }>(
    `select pg_get_userbyid(n.nspowner)::text as owner, to_regprocedure('weir.block_key(text)') is not null as made,
       current_setting('server_encoding') as encoding
     from (select 1) one left join pg_namespace n on n.nspname = 'weir'`,
  );
  const [home] = rows;
  if (home?.made !== true || !(await holds(source, config.slot))) {
    if (config.storeUrl === config.databaseUrl) throw notInitialised(config);
    throw new WeirError({
      code: 'WEIR_GUARD_STORE',
      message:
        'the store is another database than the source, and a trigger sees only its own: a guard has no blocks to look at',
      hint: 'guards need the store in the source database: leave WEIR_STORE_URL unset',
      retry: 'after-operator',
    });
  }
  if (home.encoding === 'UTF8') return { owner: home.owner };
  throw new WeirError({
    code: 'WEIR_GUARD_ENCODING',
    message: `the database has the encoding ${home.encoding}: texts would be compared in another order than rules compare them`,
    hint: 'a guard needs a database in UTF8',
    retry: 'after-operator',
  });
}

async function holds(source: pg.Client, slot: string): Promise<boolean> {
  const { rows } = await source.query<{ here: boolean }>(
    'select weir.streams_here(i) as here from weir.instances i where processor_id = $1',
    [slot],
  );
  return rows[0]?.here === true;
}
