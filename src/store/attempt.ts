import type { ClientBase, QueryConfig, QueryResult } from 'pg';
import { failpoint } from '../failpoint.ts';
import {
  type Decided,
  type DecisionRow,
  decide,
  insertDecisions,
  lockDecisions,
  updateDecisions,
} from './decision-rows.ts';
import { outputStatements } from './output-rows.ts';
import type { PartitionCommit, Writer } from './partition-commit.ts';
import { segmentTable } from './segment-table.ts';
import { sendTogether } from './session.ts';
import { type DecisionGroup, decisionKey, type OwnedAlert, type Staged } from './stage.ts';

/** New rows, by partition. */
export interface Written {
  readonly alerts: ReadonlyMap<number, number>;
  /** Those among them that a decision's band made: only the commit knows them. */
  readonly bandAlerts: readonly OwnedAlert[];
  readonly deadLetters: ReadonlyMap<number, number>;
}

/**
 * One transaction, in one round trip without decisions, in two with new ones, in three when another partition had
 * its part in one of them before. Order of locks: checkpoints, decisions (insert, then those that were there), alerts,
 * blocks, late events, dead letters, those that were judged again.
 * @throws the transaction may still be open (the caller rolls back), or committed when the connection was lost.
 */
export async function attemptCommit(client: ClientBase, staged: Staged, writer: Writer): Promise<Written> {
  const open = [
    BEGIN,
    advanceStatement(staged.commits, writer),
    ...segmentStatements(staged.commits, writer),
  ];
  if (staged.decisions.length === 0) return finish(client, { staged, writer, before: open, decided: [] });
  const fresh = staged.decisions.map((group) => decide(group, null));
  const results = await sendTogether(client, [...open, insertDecisions(fresh, writer.processorId)]);
  const inserted = new Set((results.at(-1)?.rows ?? []).map(decisionKey));
  const met = staged.decisions.filter((group) => !inserted.has(decisionKey(group)));
  const isNew = (one: Decided) => inserted.has(decisionKey(one.group));
  const added = met.length === 0 ? [] : await addTo(client, met, writer);
  const before = added.length === 0 ? [] : [updateDecisions(added, writer.processorId)];
  return finish(client, { staged, writer, before, decided: [...fresh.filter(isNew), ...added] });
}

const BEGIN: QueryConfig = { text: 'begin' };
const COMMIT: QueryConfig = { text: 'commit' };

/** Decisions that other partitions have had a part in: locked, read, added to. */
async function addTo(
  client: ClientBase,
  met: readonly DecisionGroup[],
  writer: Writer,
): Promise<readonly Decided[]> {
  const locked = await client.query<DecisionRow>(lockDecisions(met, writer.processorId));
  const rows = new Map(locked.rows.map((row) => [decisionKey(row), row]));
  return met.map((group) => decide(group, rows.get(decisionKey(group)) ?? null));
}

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
