import type pg from 'pg';
import { escapeIdentifier as ident } from 'pg';

/** What Weir's role may do, and no more. Publications stay the DBA's: only the owner of a table may publish it. */
export function roleSql(role: string, database: string): string {
  return `CREATE ROLE ${ident(role)} LOGIN REPLICATION;
-- Amazon RDS and Aurora: CREATE ROLE ${ident(role)} LOGIN; GRANT rds_replication TO ${ident(role)};
-- Its password, which then is in no script and no log: in psql, \\password ${role}
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

/** Runs `work` as the role, with the right to make a schema for as long as it takes. */
export async function asOwner<Result>(
  client: pg.ClientBase,
  owner: { readonly role: string; readonly database: string },
  work: () => Promise<Result>,
): Promise<Result> {
  const { rows } = await client.query<{ may: boolean }>(
    "select has_database_privilege($1, current_database(), 'CREATE') as may",
    [owner.role],
  );
  const lend = rows[0]?.may !== true;
  const right = `CREATE ON DATABASE ${ident(owner.database)}`;
  if (lend) await client.query(`GRANT ${right} TO ${ident(owner.role)}`);
  await client.query(`SET ROLE ${ident(owner.role)}`);
  try {
    return await work();
  } finally {
    await client.query('RESET ROLE');
    if (lend) await client.query(`REVOKE ${right} FROM ${ident(owner.role)}`);
  }
}
