import type { Pool, QueryResult } from 'pg';
import { segmentTable } from '../../../src/store/segment-table.ts';
import type { Generation } from '../../../src/store/segments.ts';
import type { Checkpoint, Store } from './store.ts';
import { SLOT } from './wal.ts';

/** Waits for its turn; throws where the connection is lost instead. */
export type Gate = (what: string) => Promise<void>;

interface Query {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The tables of one partition's state behind the statements of src/store/segments.ts, a transaction a gate. */
export function statePool(store: Store, partition: number, gate: Gate): Pool {
  const session = () => {
    let inTransaction = false;
    const query = async (
      given: string | Query,
      values?: readonly unknown[],
    ): Promise<Partial<QueryResult>> => {
      const { text, values: own } = typeof given === 'string' ? { text: given, values: values ?? [] } : given;
      const began = text === 'begin';
      if (began || !inTransaction) await gate(began ? 'a transaction on the state' : 'a look at the state');
      if (began || text === 'commit' || text === 'rollback') {
        inTransaction = began;
        return { rows: [] };
      }
      return { rows: [...run(store, partition, { text, values: own })] };
    };
    return { query, release: () => undefined };
  };
  return { connect: async () => session() } as unknown as Pool;
}

function run(store: Store, partition: number, { text, values }: Query): readonly object[] {
  const checkpoint = store.checkpoint(partition);
  if (text.includes('to_regclass'))
    return [{ oid: checkpoint === undefined ? null : String(store.shardings) }];
  if (checkpoint === undefined) return [];
  if (text.includes('from weir.checkpoints')) {
    return [{ position: checkpoint.position, epoch: String(checkpoint.epoch) }];
  }
  if (text.startsWith('insert into weir.state')) return writeSnapshots(checkpoint, values);
  if (text.includes('octet_length(payload)')) {
    return [...checkpoint.snapshots].map(([bucket, { position, payload }]) => {
      return {
        bucket,
        position,
        bytes: Buffer.byteLength(payload),
        begins: payload.startsWith(String(values[2])),
      };
    });
  }
  if (text.includes('from weir.state')) {
    const buckets = values[2] as readonly number[];
    return [...checkpoint.snapshots]
      .filter(([bucket]) => buckets.includes(bucket))
      .map(([bucket, snapshot]) => ({ bucket, ...snapshot }));
  }
  return onSegments(store, { partition, text, after: String(values[0] ?? '') });
}

function writeSnapshots({ snapshots }: Checkpoint, [, , position, buckets, payloads]: readonly unknown[]) {
  (buckets as number[]).forEach((bucket, i) => {
    snapshots.set(bucket, { position: position as string, payload: (payloads as string[])[i] as string });
  });
  return [];
}

function onSegments(
  store: Store,
  { partition, text, after }: { readonly partition: number; readonly text: string; readonly after: string },
): readonly object[] {
  const { segments } = store.checkpoint(partition) as Checkpoint;
  const generation = ([0, 1] as const).find((one) => text.includes(segmentTable(SLOT, partition, one)));
  if (generation === undefined) throw new Error(`the model does not know the statement: ${text}`);
  if (text.startsWith('lock table')) return [];
  if (text.startsWith('truncate')) {
    segments[generation].clear();
    if (store.bug === 'truncates too early') segments[other(generation)].clear();
    return [];
  }
  return [...segments[generation]]
    .filter(([position]) => position > after)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, Number(/limit (\d+)/.exec(text)?.[1]))
    .map(([position, payload]) => ({ position, payload }));
}

function other(generation: Generation): Generation {
  return generation === 0 ? 1 : 0;
}
