import type { ClientBase, QueryConfig } from 'pg';
import type { PositionText } from '../events/position.ts';
import { attemptCommit, type Written } from './attempt.ts';
import { classify, type Fault } from './fault.ts';
import type { PartitionCommit, Writer } from './partition-commit.ts';
import { isolatePoison } from './poison.ts';
import { type OwnedAlert, type Staged, stage } from './stage.ts';

/*
 * THE commit: state, outputs and positions of several partitions of one process, in one transaction.
 * A crash here can leave all of it or none of it, never a position without its outputs, or outputs without their
 * position; and the one who asks again with the same commits learns which.
 */

export type PartitionOutcome =
  | {
      readonly kind: 'committed';
      readonly alerts: number;
      /** Those among them that a decision's band made. */
      readonly bandAlerts?: readonly Pick<OwnedAlert, 'rule' | 'severity'>[];
      readonly deadLetters: number;
    }
  | {
      readonly kind: 'fenced';
      /** `epoch`: the source has recovered since; `position`: another worker has it (or a gap). */
      readonly reason: 'epoch' | 'position';
      readonly epoch: number;
      readonly position: PositionText;
    }
  /** The instance has fewer partitions now: whoever re-sharded has it done again. */
  | { readonly kind: 'fenced'; readonly reason: 'gone' };

/** By partition: every partition that was given has one. */
export type CommitOutcome = ReadonlyMap<number, PartitionOutcome>;

/** Deadlocks and serialisation failures of one commit that are retried in place before the caller hears of them. */
const RETRIES_IN_PLACE = 8;
/** The class of both. What else may be retried (no disk, a lock held for long) is for the caller, with a pause. */
const ROLLED_BACK = '40';

/**
 * Commits what is not fenced; a fenced partition stops no other.
 * @throws what PostgreSQL said, rolled back: `classify` says whether to retry. Asking again with the same commits is
 * always right, on a new connection when this one was lost, even during COMMIT.
 */
export async function commitBatch(
  client: ClientBase,
  commits: readonly PartitionCommit[],
  writer: Writer,
): Promise<CommitOutcome> {
  const outcome = new Map<number, PartitionOutcome>();
  let staged = stage(commits);
  let failures = 0;
  while (staged.commits.length > 0) {
    try {
      const written = await attemptCommit(client, staged, writer);
      for (const commit of staged.commits)
        outcome.set(commit.partition, committed(written, commit.partition));
      break;
    } catch (error) {
      const fault = await rollback(client, error);
      if (fault.code === FENCED) {
        staged = await withoutSettled(client, { staged, writer, outcome });
      } else if (fault.kind === 'poison') {
        staged = await withoutPoison(client, { staged, writer, error });
      } else if (!fault.code.startsWith(ROLLED_BACK) || ++failures > RETRIES_IN_PLACE) {
        throw error;
      }
    }
  }
  return outcome;
}

/** SQLSTATE of weir.advance. */
const FENCED = 'WE001';

function committed(written: Written, partition: number): PartitionOutcome {
  const bandAlerts = written.bandAlerts.filter((alert) => alert.partition === partition);
  return {
    kind: 'committed',
    alerts: written.alerts.get(partition) ?? 0,
    ...(bandAlerts.length === 0 ? {} : { bandAlerts }),
    deadLetters: written.deadLetters.get(partition) ?? 0,
  };
}

async function rollback(client: ClientBase, error: unknown): Promise<Fault> {
  const fault = classify(error);
  // An error of the rollback means that the connection is gone, and the transaction with it: the next use says so.
  if (!fault.connectionLost) await client.query('rollback').catch(() => undefined);
  return fault;
}

interface StandsRow {
  readonly partition: number;
  readonly position: PositionText;
  readonly epoch: string;
  readonly owner: string | null;
}

/** Reads where the partitions stand, records the outcome of those that need no commit any more, keeps the others. */
async function withoutSettled(
  client: ClientBase,
  { staged, writer, outcome }: { staged: Staged; writer: Writer; outcome: Map<number, PartitionOutcome> },
): Promise<Staged> {
  const stands = await client.query<StandsRow>(positionsQuery(staged.commits, writer));
  const byPartition = new Map(stands.rows.map((row) => [row.partition, row]));
  const open = staged.commits.filter((commit) => {
    const settled = settle(commit, byPartition.get(commit.partition), writer);
    if (settled !== null) outcome.set(commit.partition, settled);
    return settled === null;
  });
  return stage(open, staged);
}

function positionsQuery(commits: readonly PartitionCommit[], writer: Writer): QueryConfig {
  return {
    text: `select partition, position, epoch, owner from weir.checkpoints
           where processor_id = $1 and partition = any ($2)`,
    values: [writer.processorId, commits.map((commit) => commit.partition)],
  };
}

/** null: it stands where the commit begins. */
function settle(
  commit: PartitionCommit,
  stands: StandsRow | undefined,
  writer: Writer,
): PartitionOutcome | null {
  if (stands === undefined) return { kind: 'fenced', reason: 'gone' };
  const epoch = Number(stands.epoch);
  const position = stands.position;
  // This very commit, whose answer was lost: only this process writes its owner, and it writes a position once.
  if (position === commit.to && position !== commit.expected && stands.owner === writer.owner) {
    return { kind: 'committed', alerts: 0, deadLetters: 0 };
  }
  if (epoch !== commit.epoch) return { kind: 'fenced', reason: 'epoch', epoch, position };
  return position === commit.expected ? null : { kind: 'fenced', reason: 'position', epoch, position };
}

/** The refused outputs become dead letters. */
async function withoutPoison(
  client: ClientBase,
  { staged, writer, error }: { staged: Staged; writer: Writer; error: unknown },
): Promise<Staged> {
  const cleaned = await isolatePoison(client, staged, writer);
  if (cleaned !== null) return cleaned;
  // Every output by itself is taken. 54000 at COMMIT: PostgreSQL's NOTIFY queue is full; the alerts are still written.
  if (staged.notify && classify(error).code === '54000') return { ...staged, notify: false };
  throw error; // the state, or a bug
}
