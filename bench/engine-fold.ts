import { fold } from '../src/engine/fold.ts';
import { PartitionState } from '../src/engine/partition-state.ts';
import type { Row } from '../src/events/row.ts';
import type { Plan } from '../src/rules/plan.ts';
import { median } from './median.ts';

const BATCH = 2_000;
/** As the worker does after each batch. */
const SWEEP_KEYS = 64;

export interface Speed {
  readonly rowsPerSecond: number;
  /** By the processor's time: what a core would do that nobody else uses. */
  readonly rowsPerCpuSecond: number;
  /** What a commit writes of the state. */
  readonly deltaBytesPerRow: number;
}

/** Of so many runs, after one that is not counted; the first `warm` rows of each are not, either. */
export function medianOf(plan: Plan, rows: readonly Row[], of: { runs: number; warm?: number }): Speed {
  const { warm = 0 } = of;
  foldRows(plan, rows, warm);
  const runs = Array.from({ length: of.runs }, () => foldRows(plan, rows, warm).speed);
  return {
    rowsPerSecond: median(runs.map(({ rowsPerSecond }) => rowsPerSecond)),
    rowsPerCpuSecond: median(runs.map(({ rowsPerCpuSecond }) => rowsPerCpuSecond)),
    deltaBytesPerRow: runs[0]?.deltaBytesPerRow ?? 0,
  };
}

interface Run {
  readonly speed: Speed;
  readonly state: PartitionState;
  readonly buckets: number[];
}

function foldRows(plan: Plan, rows: readonly Row[], warm: number): Run {
  const state = new PartitionState(plan);
  const buckets: number[] = [];
  let started = process.hrtime.bigint();
  let cpu = process.cpuUsage();
  let deltaBytes = 0;
  for (let from = 0; from < rows.length; from += BATCH) {
    if (from === warm) {
      started = process.hrtime.bigint();
      cpu = process.cpuUsage();
    }
    const batch = rows.slice(from, from + BATCH);
    const needed = state.neededBuckets(batch);
    for (const bucket of needed) state.install(bucket, null, []);
    buckets.push(...needed);
    deltaBytes += foldBatch(plan, state, batch);
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  const speed = {
    rowsPerSecond: Math.round((rows.length - warm) / seconds),
    rowsPerCpuSecond: Math.round((rows.length - warm) / ((user + system) / 1e6)),
    deltaBytesPerRow: Math.round(deltaBytes / rows.length),
  };
  return { speed, state, buckets };
}

/** The bytes of its deltas. */
function foldBatch(plan: Plan, state: PartitionState, batch: readonly Row[]): number {
  const last = batch.at(-1) as Row;
  const { delta } = fold(plan, state, {
    rows: batch,
    watermarks: [last.watermark],
    commitAt: last.commitAt,
  });
  state.sweep(SWEEP_KEYS);
  return [...delta.values()].reduce((sum, json) => sum + json.length, 0);
}

export interface Size {
  /** Of memory, by heap; null without --expose-gc. */
  readonly heapBytesPerKey: number | null;
  /** Of the store: what a compaction writes. */
  readonly storeBytesPerKey: number;
}

/** `make`: the rows, which are gone when the bytes are counted, but for what the state holds of them. */
export function sizeOf(plan: Plan, make: () => readonly Row[]): Size {
  foldRows(plan, make().slice(0, BATCH), 0);
  const before = heapUsed();
  const { state, buckets } = foldMade(plan, make);
  const used = heapUsed() - before;
  const stored = buckets.reduce((sum, bucket) => sum + (state.snapshot(bucket)?.length ?? 0), 0);
  const { keys } = state.stats();
  return {
    heapBytesPerKey: global.gc === undefined ? null : Math.round(used / keys),
    storeBytesPerKey: Math.round(stored / keys),
  };
}

/** A function of its own: the rows are held by its frame, and go with it. */
function foldMade(plan: Plan, make: () => readonly Row[]): Run {
  return foldRows(plan, make(), 0);
}

function heapUsed(): number {
  global.gc?.();
  global.gc?.();
  return process.memoryUsage().heapUsed;
}
