import type pg from 'pg';
import { type Finding, failed, passed } from '../source/finding.ts';
import { migrations, pendingMigrations } from '../store/migrate.ts';

/** What the workers of a process and its source use at most. */
const SESSIONS = 12;

interface StoreFacts {
  readonly role: string;
  readonly owner: string | null;
  readonly owns: boolean | null;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly max: number;
  readonly used: number;
}

/** What Weir needs of the database that holds the schema weir. */
export async function examineStore(store: pg.Client): Promise<readonly Finding[]> {
  const { rows } = await store.query<StoreFacts>(
    `select current_user::text as role, pg_get_userbyid(n.nspowner)::text as owner,
       pg_has_role(n.nspowner, 'usage') as owns, current_setting('fsync') as fsync,
       current_setting('full_page_writes') as full_page_writes,
       current_setting('max_connections')::int as max,
       (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used
     from (select 1) one left join pg_namespace n on n.nspname = 'weir'`,
  );
  const [facts] = rows;
  if (facts === undefined) throw new Error('PostgreSQL returned no settings');
  return [...(await examineSchema(store, facts)), durability(facts), sessions(facts)];
}

async function examineSchema(store: pg.Client, facts: StoreFacts): Promise<readonly Finding[]> {
  const why = 'alerts, positions and state live in it';
  if (facts.owner === null) {
    const fix = '`weir init --apply`, or have a DBA run what `weir init` prints';
    return [failed({ id: 'schema', measured: 'there is no schema weir', why, fix })];
  }
  if (facts.owns !== true) {
    const measured = `schema weir belongs to "${facts.owner}", and role "${facts.role}" is not a member of it`;
    const fix = `connect as "${facts.owner}", or \`GRANT "${facts.owner}" TO "${facts.role}"\``;
    return [failed({ id: 'schema-owner', measured, why, fix })];
  }
  const pending = await pendingMigrations(store);
  const known = migrations().at(-1)?.name ?? 'nothing';
  if (pending.length === 0) return [passed('schema', `schema weir is at ${known}`, why)];
  const measured = `schema weir lacks ${pending.map(({ name }) => name).join(', ')}`;
  return [failed({ id: 'schema', measured, why, fix: '`weir init --apply`' })];
}

function durability({ fsync, full_page_writes: pages }: StoreFacts): Finding {
  const measured = `fsync is ${fsync}, full_page_writes is ${pages}`;
  const why = 'what Weir has acknowledged to the slot must survive a crash of this server';
  if (fsync === 'on' && pages === 'on') return passed('durability', measured, why);
  const fix =
    '`ALTER SYSTEM RESET fsync; ALTER SYSTEM RESET full_page_writes`, then `SELECT pg_reload_conf()`';
  return failed({ id: 'durability', severity: 'warning', measured, why, fix, takes: 'reload' });
}

function sessions({ max, used }: StoreFacts): Finding {
  const measured = `${max - used} of max_connections = ${max} are free`;
  const why = `a process of Weir uses up to ${SESSIONS} sessions`;
  if (max - used >= SESSIONS) return passed('sessions', measured, why);
  const fix = `\`ALTER SYSTEM SET max_connections = ${max + 50}\`, then restart PostgreSQL`;
  return failed({ id: 'sessions', severity: 'warning', measured, why, fix, takes: 'restart' });
}
