import type { ClientBase } from 'pg';

/*
 * One statement: a crash here can leave the old partitions or the new ones, with all of their state,
 * never a delta in neither or in both.
 */

/**
 * Moves state to `partitions` partitions and raises the epoch (unless there are that many already).
 * By the holder of the slot. false: the partitions do not all stand at one position; nothing was done.
 */
export async function reshard(client: ClientBase, processorId: string, partitions: number): Promise<boolean> {
  const result = await client.query<{ done: boolean }>('select weir.reshard($1, $2) as done', [
    processorId,
    partitions,
  ]);
  return result.rows[0]?.done === true;
}
