import type { Block, Contribution, DeadLetter, LateEvent, Outputs, Replay } from '../engine/outputs.ts';
import type { PositionText } from '../events/position.ts';
import type { Mode } from '../rules/plan-parts.ts';
import { type AggregateGroup, groupAggregates } from './aggregate-rows.ts';
import { type AlertRow, compareText } from './output-rows.ts';
import type { PartitionCommit } from './partition-commit.ts';

/** The outputs of several partitions, as one transaction will write them. */
export interface Staged {
  /** Sorted by partition. */
  readonly commits: readonly PartitionCommit[];
  /** Sorted by primary key. */
  readonly decisions: readonly DecisionGroup[];
  /** Sorted by primary key. */
  readonly aggregates: readonly AggregateGroup[];
  readonly alerts: readonly OwnedAlert[];
  readonly blocks: readonly Block[];
  readonly late: readonly LateEvent[];
  readonly deadLetters: readonly OwnedLetter[];
  readonly replays: readonly Replay[];
  /** What PostgreSQL refused, with what is written in its place. */
  readonly refused: ReadonlyMap<object, DeadLetter>;
  /** false: PostgreSQL's NOTIFY queue is full (some session listens and never reads). */
  readonly notify: boolean;
}

/** What the partitions at hand add to one decision. */
export interface DecisionGroup {
  readonly event: string;
  readonly position: PositionText;
  readonly mode: Mode;
  readonly parts: readonly { readonly contribution: Contribution; readonly commit: PartitionCommit }[];
}

export interface OwnedAlert extends AlertRow {
  readonly partition: number;
}

export interface OwnedLetter extends DeadLetter {
  readonly partition: number;
}

interface StageOptions {
  readonly refused: ReadonlyMap<object, DeadLetter>;
  readonly notify: boolean;
  /** Only these outputs; default all. */
  readonly only?: ReadonlySet<object>;
}

export function stage(
  commits: readonly PartitionCommit[],
  options: StageOptions = { refused: new Map(), notify: true },
): Staged {
  const { refused, notify, only } = options;
  const sorted = commits.toSorted((a, b) => a.partition - b.partition);
  const keep = (output: object) => !refused.has(output) && (only === undefined || only.has(output));
  const each = <T extends object, R>(
    pick: (o: Outputs) => readonly T[],
    map: (o: T, c: PartitionCommit) => R,
  ) =>
    sorted.flatMap((c) =>
      pick(c.outputs)
        .filter(keep)
        .map((output) => map(output, c)),
    );
  return {
    commits: sorted,
    decisions: groupDecisions(
      each(
        (o) => o.decisions,
        (contribution, commit) => ({ contribution, commit }),
      ),
    ),
    aggregates: groupAggregates(
      each(
        (o) => o.aggregates,
        (delta, commit) => ({ delta, commit }),
      ),
    ),
    alerts: each(
      (o) => o.alerts,
      (a, c) => ({ ...a, rulesVersion: c.rulesVersion, partition: c.partition }),
    ),
    blocks: each(
      (o) => o.blocks,
      (b) => b,
    ),
    late: each(
      (o) => o.late,
      (l) => l,
    ),
    deadLetters: [
      ...each(
        (o) => o.deadLetters,
        (d, c) => ({ ...d, partition: c.partition }),
      ),
      ...(only === undefined ? substitutes(sorted, refused) : []),
    ],
    replays: each(
      (o) => o.replays,
      (r) => r,
    ),
    refused,
    notify,
  };
}

/** Every output of the commits that is still to be written. */
export function outputsOf(staged: Staged): readonly object[] {
  return staged.commits
    .flatMap(({ outputs }) => written(outputs))
    .filter((output) => !staged.refused.has(output));
}

function written(o: Outputs): readonly object[] {
  return [...o.decisions, ...o.aggregates, ...o.alerts, ...o.blocks, ...o.late, ...o.deadLetters];
}

function substitutes(commits: readonly PartitionCommit[], refused: ReadonlyMap<object, DeadLetter>) {
  if (refused.size === 0) return [];
  return commits.flatMap(({ outputs, partition }) =>
    written(outputs).flatMap((output) => {
      const letter = refused.get(output);
      return letter === undefined ? [] : [{ ...letter, partition }];
    }),
  );
}

function groupDecisions(parts: DecisionGroup['parts']): readonly DecisionGroup[] {
  const groups = new Map<
    string,
    { readonly group: DecisionGroup; readonly parts: DecisionGroup['parts'][number][] }
  >();
  for (const part of parts) {
    const { event, position, mode } = part.contribution;
    const key = decisionKey({ event, position, mode });
    const known = groups.get(key);
    if (known !== undefined) known.parts.push(part);
    else {
      const own = [part];
      groups.set(key, { group: { event, position, mode, parts: own }, parts: own });
    }
  }
  return [...groups.values()].map(({ group }) => group).toSorted(byKey);
}

export function decisionKey(row: { event: string; position: string; mode: string }): string {
  return `${row.position}/${row.mode}/${row.event}`;
}

function byKey(a: DecisionGroup, b: DecisionGroup): number {
  return compareText(a.event, b.event) || compareText(a.position, b.position) || compareText(a.mode, b.mode);
}
