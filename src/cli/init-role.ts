import type pg from 'pg';
import { escapeIdentifier as ident } from 'pg';

/** What Weir's role may do, and no more. Publications stay the DBA's: only the owner of a table may publish it. */
export function roleSql(role: string, database: string): string {
  return `CREATE ROLE ${ident(role)} LOGIN REPLICATION;
-- Amazon RDS and Aurora: CREATE ROLE ${ident(role)} LOGIN; GRANT rds_replication TO ${ident(role)};
-- Its password, which then is in no script and no log; in psql: \\password ${role}
GRANT CONNECT ON DATABASE ${ident(database)} TO ${ident(role)};`;
}

/**
 * The role owns the schema, and so migrates it later by itself. CREATE on the database is needed only for the moment
 * in which the schema is made.
 */
export function ownedSchemaSql(role: string, database: string, schemaSql: string): string {
  return `GRANT CREATE ON DATABASE ${ident(database)} TO ${ident(role)};
SET ROLE ${ident(role)};
${schemaSql.trimEnd()}
RESET ROLE;
REVOKE CREATE ON DATABASE ${ident(database)} FROM ${ident(role)};`;
}

export async function roleExists(client: pg.ClientBase, role: string): Promise<boolean> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
  return rowCount === 1;
}

/** Makes the role where it is not there; a role that is there keeps what it has. */
export async function makeRole(client: pg.ClientBase, role: string, database: string): Promise<boolean> {
  const made = !(await roleExists(client, role));
  if (made) await client.query(`CREATE ROLE ${ident(role)} LOGIN REPLICATION`);
  await client.query(`GRANT CONNECT ON DATABASE ${ident(database)} TO ${ident(role)}`);
  return made;
}

/** Lends the role the right to make a schema in this database, for as long as `work` takes. */
export async function withRightToCreate<Result>(
  client: pg.ClientBase,
  owner: { readonly role: string; readonly database: string },
  work: () => Promise<Result>,
): Promise<Result> {
  const { rows } = await client.query<{ may: boolean }>(
    "select has_database_privilege($1, current_database(), 'CREATE') as may",
    [owner.role],
  );
  if (rows[0]?.may === true) return work();
  const right = `CREATE ON DATABASE ${ident(owner.database)}`;
  await client.query(`GRANT ${right} TO ${ident(owner.role)}`);
  try {
    return await work();
  } finally {
    await client.query(`REVOKE ${right} FROM ${ident(owner.role)}`);
  }
}

/** The same login, acting as the role from the first statement on: what it makes belongs to the role. */
export function actingAs(url: string, role: string): string {
  const acting = new URL(url);
  const given = acting.searchParams.get('options');
  acting.searchParams.set('options', `${given === null ? '' : `${given} `}-c role=${role}`);
  return acting.href;
}
