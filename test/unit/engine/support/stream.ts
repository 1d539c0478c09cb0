import { type Folded, fold } from '../../../../src/engine/fold.ts';
import type { Outputs } from '../../../../src/engine/outputs.ts';
import { PartitionState } from '../../../../src/engine/partition-state.ts';
import { bucketOf, keyText, partitionOf } from '../../../../src/events/keys.ts';
import { positionText } from '../../../../src/events/position.ts';
import type { Cell, Micros, Row } from '../../../../src/events/row.ts';
import type { Plan } from '../../../../src/rules/plan.ts';

export interface Arrival {
  /** Name of the table's event; default the plan's first. */
  readonly event?: string;
  readonly cells: readonly Cell[];
  readonly at: Micros;
  /** Default `at`. */
  readonly commitAt?: Micros;
}

/** Rows as the source stamps and routes them: W from what arrived before, roles for one partition of some. */
export function rowsOf(
  plan: Plan,
  arrivals: readonly Arrival[],
  of: { readonly partition: number; readonly partitions: number } = { partition: 0, partitions: 1 },
): Row[] {
  const latest = plan.tables.map(() => -Infinity);
  let commitAt = -Infinity;
  return arrivals.flatMap((arrival, i) => {
    const table =
      arrival.event === undefined ? 0 : plan.tables.findIndex(({ event }) => event === arrival.event);
    const tablePlan = plan.tables[table] as Plan['tables'][number];
    commitAt = Math.max(commitAt, arrival.commitAt ?? (Number.isFinite(arrival.at) ? arrival.at : commitAt));
    const watermark = (latest[table] as number) - tablePlan.lateness - 1;
    const impossible = arrival.at > commitAt + tablePlan.ahead || arrival.at === -Infinity;
    const late = impossible || arrival.at <= watermark;
    if (!impossible) latest[table] = Math.max(latest[table] as number, arrival.at);
    const roles = rolesOf(tablePlan, arrival.cells, of);
    if (roles === 0) return [];
    const position = positionText('0000000000000001', i);
    const { cells, at } = arrival;
    return [
      { table, op: 'insert', cells, old: null, position, at, commitAt, watermark, late, roles } satisfies Row,
    ];
  });
}

function rolesOf(
  table: Plan['tables'][number],
  cells: readonly Cell[],
  of: { readonly partition: number; readonly partitions: number },
): number {
  const here = (text: string | null): boolean =>
    text !== null && partitionOf(bucketOf(text), of.partitions) === of.partition;
  const keys = table.keys.map(({ columns }) => keyText(cells, columns));
  const home = keys.find((key) => key !== null) ?? keyText(cells, table.primaryKey) ?? '';
  return keys.reduce((roles, key, i) => roles | (here(key) ? 1 << (i + 1) : 0), here(home) ? 1 : 0);
}

/** A store in memory: what a worker would read back. */
export class SavedBuckets {
  readonly snapshots = new Map<number, string | null>();
  readonly deltas = new Map<number, string[]>();

  keep(delta: ReadonlyMap<number, string>): void {
    for (const [bucket, json] of delta) this.deltas.set(bucket, [...(this.deltas.get(bucket) ?? []), json]);
  }

  compact(state: PartitionState, bucket: number): void {
    this.snapshots.set(bucket, state.snapshot(bucket));
    this.deltas.delete(bucket);
  }

  install(state: PartitionState, rows: readonly Row[]): void {
    for (const bucket of state.neededBuckets(rows)) {
      state.install(bucket, this.snapshots.get(bucket) ?? null, this.deltas.get(bucket) ?? []);
    }
  }
}

/** Folds `rows[from, to)` as a worker does one batch: installs what it needs, folds, keeps the delta. */
export function foldInto(
  state: PartitionState,
  saved: SavedBuckets,
  { rows, from, to }: { readonly rows: readonly Row[]; readonly from: number; readonly to: number },
): Folded {
  const batch = rows.slice(from, to);
  saved.install(state, batch);
  const watermarks = state.plan.tables.map((_, table) => watermarkOf(state.plan, rows.slice(0, to), table));
  const folded = fold(state.plan, state, { rows: batch, watermarks, commitAt: batch.at(-1)?.commitAt ?? 0 });
  saved.keep(folded.delta);
  return folded;
}

/** W at the end of the batch. */
function watermarkOf(plan: Plan, rows: readonly Row[], table: number): Micros {
  const lateness = plan.tables[table]?.lateness ?? 0;
  return rows.reduce((w, row) => {
    if (row.table !== table) return w;
    return Math.max(w, row.watermark, row.late ? -Infinity : row.at - lateness - 1);
  }, -Infinity);
}

/** All rows in one batch, on a new state. */
export function foldAll(plan: Plan, rows: readonly Row[], options: { followFrom?: number } = {}): Outputs {
  return foldInto(new PartitionState(plan, options), new SavedBuckets(), { rows, from: 0, to: rows.length })
    .outputs;
}

/** What several batches put out, as if they were one. */
export function joined(all: readonly Outputs[]): Outputs {
  return {
    hits: all.flatMap(({ hits }) => hits),
    matches: all.flatMap(({ matches }) => matches),
    evicted: all.flatMap(({ evicted }) => evicted),
    cutLists: all.flatMap(({ cutLists }) => cutLists),
    aggregates: all.flatMap(({ aggregates }) => aggregates),
    decisions: all.flatMap(({ decisions }) => decisions),
    alerts: all.flatMap(({ alerts }) => alerts),
    blocks: all.flatMap(({ blocks }) => blocks),
    late: all.flatMap(({ late }) => late),
    deadLetters: all.flatMap(({ deadLetters }) => deadLetters),
    replays: all.flatMap(({ replays }) => replays),
  };
}
