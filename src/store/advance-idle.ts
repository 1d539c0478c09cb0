import type { ClientBase } from 'pg';
import type { PositionText } from '../events/position.ts';
import type { Writer } from './partition-commit.ts';

/*
 * A crash here can leave some of the idle partitions where they were, never one past a row that had an effect to come.
 */

export interface IdleMove {
  readonly partition: number;
  readonly epoch: number;
  readonly expected: PositionText;
  /** As far as time has moved, with no row, no state and no output between. */
  readonly to: PositionText;
}

/** One statement for all idle partitions of a process. Returns those that moved; the others are fenced. */
export async function advanceIdle(
  client: ClientBase,
  moves: readonly IdleMove[],
  writer: Writer,
): Promise<ReadonlySet<number>> {
  const result = await client.query<{ partition: number }>({
    name: 'weir_advance_idle',
    text: ADVANCE_IDLE,
    values: [
      writer.processorId,
      writer.owner,
      moves.map((move) => move.partition),
      moves.map((move) => move.epoch),
      moves.map((move) => move.expected),
      moves.map((move) => move.to),
    ],
  });
  return new Set(result.rows.map((row) => row.partition));
}

/**
 * No lock beforehand: a row that somebody has moved meanwhile no longer matches, and that is the answer. One that
 * this very process has moved already (its answer was lost) counts as moved.
 */
const ADVANCE_IDLE = `with moves as materialized (
    select * from unnest($3::integer[], $4::bigint[], $5::text[], $6::text[]) as m (partition, epoch, expected, target)
  ), moved as (
    update weir.checkpoints c
    set position = m.target, owner = $2, status = 'idle', last_checkpoint_time = clock_timestamp()
    from moves m
    where c.processor_id = $1 and c.partition = m.partition and c.epoch = m.epoch
      and c.position = m.expected collate "C" and m.target collate "C" > m.expected
    returning c.partition
  )
  select partition from moved
  union
  select c.partition from weir.checkpoints c join moves m using (partition)
  where c.processor_id = $1 and c.epoch = m.epoch and c.position = m.target collate "C" and c.owner = $2`;
