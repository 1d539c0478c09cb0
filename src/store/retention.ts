import type { Pool } from 'pg';

/*
 * Of each table one statement of so many rows: a crash here can leave rows that are over, never a part of one.
 */

const DELIVERED = `delete from weir.outbox where delivery_id = any (array(
    select delivery_id from weir.outbox
    where finished_at < clock_timestamp() - interval '7 days' and status = 'delivered' limit $1))`;

const AGGREGATES = `delete from weir.aggregates where ctid = any (array(
    select ctid from weir.aggregates where expires_at < clock_timestamp() limit $1))`;

/** Deletes what is kept for a time that is over, at most `limit` rows of a table. Any process may, also several. */
export async function expire(pool: Pick<Pool, 'query'>, limit: number): Promise<void> {
  for (const statement of [DELIVERED, AGGREGATES]) await pool.query(statement, [limit]);
}
