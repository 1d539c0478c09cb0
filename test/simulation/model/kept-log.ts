import type { SavedLanes } from '../../../src/engine/lanes.ts';
import { PartitionState } from '../../../src/engine/partition-state.ts';
import type { Batch } from '../../../src/events/batch.ts';
import type { PositionText } from '../../../src/events/position.ts';
import type { Micros } from '../../../src/events/row.ts';
import type { Plan } from '../../../src/rules/plan.ts';
import { PartitionLog } from '../../../src/store/partition-log.ts';
import { PooledStateLog, type StateLog } from '../../../src/worker/state-log.ts';
import { Violation } from '../bug.ts';
import { laneText } from './lane-text.ts';
import { type Gate, statePool } from './state-pool.ts';
import type { Store } from './store.ts';
import { SLOT } from './wal.ts';

/** Compacts all the time. */
const OPTIONS = { rotateBytes: 150 } as const;
const AT_ONCE: Gate = async () => undefined;

/** The real log of a partition on the model's tables, which remembers the state that it was asked to fill. */
export class KeptLog implements StateLog {
  readonly #store: Store;
  readonly #partition: number;
  readonly #log: PooledStateLog;
  #state: PartitionState | null = null;
  /** Of the store, when it was opened. */
  readonly #shardings: number;
  /** Those that were ever installed. */
  readonly #buckets = new Set<number>();
  /** W of each table's event, as the state was told by the batches folded into it. */
  #watermarks = new Map<string, Micros>();

  private constructor(store: Store, partition: number, log: PooledStateLog) {
    this.#store = store;
    this.#partition = partition;
    this.#shardings = store.shardings;
    this.#log = log;
  }

  static async open(store: Store, partition: number, gate: Gate): Promise<KeptLog> {
    const pool = statePool(store, partition, gate);
    const log = await PooledStateLog.open(pool, { processorId: SLOT, partition }, OPTIONS);
    return new KeptLog(store, partition, log);
  }

  get position(): PositionText {
    return this.#log.position;
  }

  get epoch(): number {
    return this.#log.epoch;
  }

  get generation(): 0 | 1 {
    return this.#log.generation;
  }

  isCurrent(): Promise<boolean> {
    return this.#log.isCurrent();
  }

  waiting(): number[] {
    return this.#log.waiting();
  }

  install(state: PartitionState, buckets: readonly number[]): Promise<void> {
    this.#state = state;
    for (const bucket of buckets) this.#buckets.add(bucket);
    return this.#log.install(state, buckets);
  }

  committed(commit: Parameters<StateLog['committed']>[0]): void {
    this.#log.committed(commit);
  }

  tidy(state: PartitionState): Promise<void> {
    this.#state = state;
    return this.#log.tidy(state);
  }

  folded(batch: Batch): void {
    const tables = this.#state?.plan.tables ?? [];
    const known = this.#watermarks;
    this.#watermarks = new Map();
    tables.forEach(({ event, lateness }, table) => {
      const key = `${lateness} ${event}`;
      this.#watermarks.set(key, Math.max(known.get(key) ?? -Infinity, batch.watermarks[table] ?? -Infinity));
    });
  }

  /** What is in memory is what the store would give. False: the store has moved on, so nothing can be said. */
  async audit(): Promise<boolean> {
    const stands = this.#store.checkpoint(this.#partition)?.position;
    const state = this.#state;
    if (state === null || stands !== this.position || this.#store.shardings !== this.#shardings) return false;
    const installed = [...this.#buckets].filter((bucket) => isInstalled(state, bucket));
    const loaded = await loadState(this.#store, this.#partition, { plan: state.plan, buckets: installed });
    state.plan.tables.forEach(({ event, lateness }, table) => {
      loaded.advance(table, this.#watermarks.get(`${lateness} ${event}`) ?? -Infinity);
    });
    for (const bucket of installed) {
      const [kept, stored] = [visible(state, bucket), visible(loaded, bucket)];
      if (kept === stored) continue;
      throw new Violation(
        `bucket ${bucket} of partition ${this.#partition} is\n${kept}\nand in the store\n${stored}`,
      );
    }
    return true;
  }
}

/** What the store has of these buckets. */
export async function loadState(
  store: Store,
  partition: number,
  { plan, buckets }: { readonly plan: Plan; readonly buckets: readonly number[] },
): Promise<PartitionState> {
  const state = new PartitionState(plan);
  const client = await statePool(store, partition, AT_ONCE).connect();
  const log = await PartitionLog.open(client, { processorId: SLOT, partition }, OPTIONS);
  const stored = await log.load(client, buckets);
  if (stored === null)
    throw new Violation(`the log of partition ${partition} does not know its own snapshots`);
  for (const [bucket, { snapshot, deltas }] of stored) state.install(bucket, snapshot, deltas);
  return state;
}

/** A bucket's state as far as the present rules look at it: of the rest more or less may be forgotten already. */
export function visible(state: PartitionState, bucket: number): string {
  const snapshot = JSON.parse(state.snapshot(bucket) ?? '{"s":[],"c":[]}') as {
    s: [string][];
    c: [string][];
    p?: [string, SavedLanes][];
  };
  const { stores, rules, patterns } = state.plan;
  return JSON.stringify({
    stores: snapshot.s.filter(([id]) => stores.some((store) => store.id === id)),
    cooldowns: snapshot.c.filter(([id]) => [...rules, ...patterns].some((rule) => rule.id === id)),
    lanes: (snapshot.p ?? []).flatMap(([state, lanes]) =>
      patterns.filter((pattern) => pattern.state === state).map(({ id }) => [id, lanes.map(laneText)]),
    ),
  });
}

function isInstalled(state: PartitionState, bucket: number): boolean {
  try {
    state.bucket(bucket);
    return true;
  } catch {
    return false;
  }
}
