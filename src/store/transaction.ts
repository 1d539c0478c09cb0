import type { ClientBase, Pool, PoolClient } from 'pg';
import { classify } from './fault.ts';

/** A session of the pool for the work; one whose connection is lost does not go back. */
export async function withClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const result = await work(client);
    client.release();
    return result;
  } catch (error) {
    client.release(classify(error).connectionLost);
    throw error;
  }
}

/** Commits what the work has done, or nothing of it when it throws. */
export async function transaction<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined); // the first error is the one to tell
    throw error;
  }
}
