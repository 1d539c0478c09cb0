import { fold } from '../../../src/engine/fold.ts';
import { PartitionState } from '../../../src/engine/partition-state.ts';
import { type Batch, decodeRow, type EncodedRow } from '../../../src/events/batch.ts';
import { closing } from '../../../src/events/position.ts';
import { askedLetters } from '../../../src/source/asked-letters.ts';
import { Batcher } from '../../../src/source/batcher.ts';
import { TransactionReader } from '../../../src/source/transaction-reader.ts';
import type { StoredLetter } from '../../../src/store/dead-letters.ts';
import { ListSets } from '../../../src/store/list-sets.ts';
import { planOf, VERSIONS } from '../rules.ts';
import { Effects } from './effects.ts';
import { SLOT, START, sizesOf, type Wal } from './wal.ts';

export interface Uninterrupted {
  readonly effects: Effects;
  readonly state: PartitionState;
  /** Those that the state has. */
  readonly buckets: ReadonlySet<number>;
}

/** The dead letters of these ids: those of the run, since a letter's id says who was first to commit. */
type Letters = (ids: readonly string[]) => readonly StoredLetter[];

/** All transactions, read once and folded once, in one partition, by nobody who could be interrupted. */
export async function uninterrupted(wal: Wal, letters: Letters): Promise<Uninterrupted> {
  const { batches, reader } = await readAll(wal, letters);
  const effects = new Effects(null);
  const buckets = new Set<number>();
  const lists = new ListSets(wal.lists.log(() => 0));
  const state = new PartitionState(await planOf(VERSIONS[0] ?? ''));
  for (const batch of batches) {
    const plan = await planOf(batch.rules);
    state.setPlan(plan);
    const rows = batch.events.map((event) =>
      decodeRow(event as EncodedRow, batch, (table) => plan.tables[table]?.columns.length ?? 0),
    );
    for (const bucket of state.neededBuckets(rows)) {
      buckets.add(bucket);
      state.install(bucket, null, []);
    }
    const watermarks = batch.watermarks.map((watermark) => watermark ?? -Infinity);
    const { outputs } = fold(plan, state, {
      ...{ rows, watermarks, commitAt: batch.commitAt },
      lists: await lists.at(plan, batch.lists),
    });
    const { epoch, partition, from: expected, to } = batch;
    const where = { partition, epoch, expected, to, generation: 0, segment: null } as const;
    const { version: rulesVersion, scoring, aggregates } = plan;
    effects.write([{ ...where, outputs, rulesVersion, scoring, aggregates }]);
  }
  state.setPlan(reader.plan);
  return { effects, state, buckets };
}

async function readAll(wal: Wal, letters: Letters) {
  const batches: Batch[] = [];
  const times = { commitAt: 0, events: {} };
  const plan = await planOf(VERSIONS[0] ?? '');
  const batcher = new Batcher(
    {
      ...{ epoch: 1, positions: [closing(START)], acknowledged: START, commitAt: 0 },
      ...{ rows: Infinity, bytes: Infinity },
      time: () => ({ commitAt: reader.clock.commitAt, watermarks: reader.clock.watermarks() }),
      onBatch: (batch) => batches.push(batch),
    },
    { rules: plan.version, lists: 0 },
  );
  const reader: TransactionReader = new TransactionReader(plan, {
    ...{ slot: SLOT, partitions: 1, acknowledged: START, times, batcher },
    lists: 0,
    loadRules: planOf,
    loadLists: async (token) => wal.lists.revisionOf(token),
    loadLetters: async (ids, inForce) => askedLetters(letters(ids), inForce, () => undefined),
    needsOtherPublications: () => false,
    onHeartbeat: () => undefined,
    onRows: () => undefined,
  });
  const changes = wal.transactions.flatMap((transaction) => transaction.changes);
  await reader.read({ changes, sizes: sizesOf(changes) });
  batcher.closeAll();
  return { batches, reader };
}
