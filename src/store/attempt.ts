import type { ClientBase, QueryConfig, QueryResult } from 'pg';
import { failpoint } from '../failpoint.ts';
import { aggregateTable } from './aggregate-rows.ts';
import { type Decided, decisionTable } from './decision-rows.ts';
import { outputStatements } from './output-rows.ts';
import type { PartitionCommit, Writer } from './partition-commit.ts';
import { segmentTable } from './segment-table.ts';
import { sendTogether } from './session.ts';
import { SharedWrite, take } from './shared-rows.ts';
import type { OwnedAlert, Staged } from './stage.ts';

/** New rows, by partition. */
export interface Written {
  readonly alerts: ReadonlyMap<number, number>;
  /** Those among them that a decision's band made: only the commit knows them. */
  readonly bandAlerts: readonly OwnedAlert[];
  readonly deadLetters: ReadonlyMap<number, number>;
}

/**
 * One transaction, in one round trip without decisions and aggregates, in two with new ones, in three when another
 * commit had its part in one of them before. Order of locks: checkpoints, new decisions and groups of aggregates,
 * decisions and groups that were there, alerts, blocks, late events, dead letters, those that were judged again.
 * @throws the transaction may still be open (the caller rolls back), or committed when the connection was lost.
 */
export async function attemptCommit(client: ClientBase, staged: Staged, writer: Writer): Promise<Written> {
  const open = [
    BEGIN,
    advanceStatement(staged.commits, writer),
    ...segmentStatements(staged.commits, writer),
  ];
  const decisions = new SharedWrite(decisionTable(writer.processorId), staged.decisions);
  const aggregates = new SharedWrite(
    aggregateTable(writer.processorId, Date.now() * 1_000),
    staged.aggregates,
  );
  const insertions = [...decisions.insertion(), ...aggregates.insertion()];
  await take(client, insertions, open);
  await take(client, [...decisions.locking(), ...aggregates.locking()]);
  const before = insertions.length === 0 ? open : [...decisions.updates(), ...aggregates.updates()];
  return finish(client, { staged, writer, before, decided: decisions.done });
}

const BEGIN: QueryConfig = { text: 'begin' };
const COMMIT: QueryConfig = { text: 'commit' };

interface Finish {
  readonly staged: Staged;
  readonly writer: Writer;
  readonly before: readonly QueryConfig[];
  readonly decided: readonly Decided[];
}

async function finish(client: ClientBase, { staged, writer, before, decided }: Finish): Promise<Written> {
  const alerts = [...staged.alerts, ...decided.flatMap((one) => one.alerts)];
  const rows = { ...staged, alerts, blocks: [...staged.blocks, ...decided.flatMap((one) => one.blocks)] };
  const outputs = outputStatements(rows, writer.processorId, staged.notify);
  const results = await sendTogether(client, [...before, ...outputs, COMMIT], () =>
    failpoint('commit.before'),
  );
  if (results.at(-1)?.command !== 'COMMIT') throw new Error('COMMIT was answered by a rollback');
  const ids = alerts.length === 0 ? [] : idsOf(results[before.length]);
  const partitionOf = new Map(alerts.map((alert) => [alert.alertId, alert.partition]));
  const isNew = new Set(ids);
  return {
    bandAlerts: decided.flatMap((one) => one.alerts).filter(({ alertId }) => isNew.has(alertId)),
    alerts: count(ids.map((id) => partitionOf.get(id) ?? -1)),
    deadLetters: count(staged.deadLetters.map((letter) => letter.partition)),
  };
}

function idsOf(result: QueryResult | undefined): readonly string[] {
  return (result?.rows ?? []).map((row) => row.alert_id);
}

function count(partitions: readonly number[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const partition of partitions) counts.set(partition, (counts.get(partition) ?? 0) + 1);
  return counts;
}

export function advanceStatement(
  moves: readonly Pick<PartitionCommit, 'partition' | 'epoch' | 'expected' | 'to'>[],
  writer: Writer,
): QueryConfig {
  return {
    name: 'weir_advance',
    text: 'select weir.advance($1, $2, $3, $4, $5, $6)',
    values: [
      writer.processorId,
      writer.owner,
      moves.map((move) => move.partition),
      moves.map((move) => move.epoch),
      moves.map((move) => move.expected),
      moves.map((move) => move.to),
    ],
  };
}

function segmentStatements(commits: readonly PartitionCommit[], writer: Writer): readonly QueryConfig[] {
  return commits.flatMap((commit) => {
    if (commit.segment === null) return [];
    const table = segmentTable(writer.processorId, commit.partition, commit.generation);
    return [
      {
        name: `weir_append_${commit.partition}_${commit.generation}`,
        text: `insert into ${table} (position, payload) values ($1, $2)`,
        values: [commit.to, commit.segment],
      },
    ];
  });
}
