import type { ClientBase } from 'pg';
import { z } from 'zod';
import { WeirError } from '../errors.ts';
import type { PositionText } from '../events/position.ts';
import { segmentTable } from './segment-table.ts';

/** A partition of an instance. */
export interface PartitionName {
  readonly processorId: string;
  readonly partition: number;
}

export type Generation = 0 | 1;

/** What one commit changed. */
export interface Segment {
  readonly generation: Generation;
  readonly position: PositionText;
  /** Bytes of its payload. */
  readonly bytes: number;
  /** Bucket → delta. */
  readonly deltas: ReadonlyMap<number, string>;
}

/** What the segments of a bucket up to a position add up to. */
export interface Snapshot {
  readonly position: PositionText;
  readonly payload: string;
}

const payloadSchema = z.record(z.string(), z.string());

/** The payload of a segment: what `loadTail` reads back. */
export function encodeSegment(deltas: ReadonlyMap<number, string>): string {
  return JSON.stringify(Object.fromEntries(deltas));
}

/** A page of the tail at a time is in memory twice, as text and as deltas. */
const PAGE = 200;

/**
 * All segments of both generations, each generation in order of position. To be read under the partition's fence,
 * so that no compaction truncates a table between the two. Deltas that a snapshot covers are among them.
 */
export async function* loadTail(client: ClientBase, name: PartitionName): AsyncGenerator<Segment> {
  for (const generation of [0, 1] as const) {
    const table = segmentTable(name.processorId, name.partition, generation);
    let after: PositionText = '';
    for (let page = PAGE; page === PAGE; ) {
      const { rows } = await client.query<{ position: string; payload: string }>(
        `select position, payload from ${table} where position > $1 order by position limit ${PAGE}`,
        [after],
      );
      for (const { position, payload } of rows) {
        yield { generation, position, bytes: Buffer.byteLength(payload), deltas: decode(payload) };
        after = position;
      }
      page = rows.length;
    }
  }
}

function decode(payload: string): ReadonlyMap<number, string> {
  const deltas = payloadSchema.parse(JSON.parse(payload));
  return new Map(Object.entries(deltas).map(([bucket, delta]) => [Number(bucket), delta]));
}

/** The snapshots of the buckets that have one. */
export async function loadSnapshots(
  client: ClientBase,
  name: PartitionName,
  buckets: readonly number[],
): Promise<ReadonlyMap<number, Snapshot>> {
  const { rows } = await client.query<Snapshot & { bucket: number }>({
    name: 'weir_snapshots',
    text: `select bucket, position, payload from weir.state
           where processor_id = $1 and partition = $2 and bucket = any ($3)`,
    values: [name.processorId, name.partition, buckets],
  });
  return new Map(rows.map(({ bucket, position, payload }) => [bucket, { position, payload }]));
}

/** Which snapshots there are, without their payloads, and which of those begin so. */
export async function listSnapshots(
  client: ClientBase,
  name: PartitionName,
  begin: string,
): Promise<ReadonlyMap<number, ListedSnapshot>> {
  const { rows } = await client.query<ListedSnapshot & { bucket: number }>(
    `select bucket, position, octet_length(payload) as bytes, substr(payload, 1, length($3)) = $3 as begins
     from weir.state where processor_id = $1 and partition = $2`,
    [name.processorId, name.partition, begin],
  );
  return new Map(rows.map(({ bucket, ...snapshot }) => [bucket, snapshot]));
}

/** Names the partition's tables: a re-shard makes others, of the same names. null: the partition is gone. */
export async function tablesOf(
  client: ClientBase,
  { processorId, partition }: PartitionName,
): Promise<string | null> {
  const { rows } = await client.query<{ oid: string | null }>('select to_regclass($1)::oid::text as oid', [
    segmentTable(processorId, partition, 0),
  ]);
  return rows[0]?.oid ?? null;
}

interface ListedSnapshot {
  readonly position: PositionText;
  readonly bytes: number;
  readonly begins: boolean;
}

/** The checkpoint row, locked: until the transaction ends nobody commits, compacts or moves the epoch here. */
export async function lockPartition(
  client: ClientBase,
  name: PartitionName,
): Promise<{ readonly position: PositionText; readonly epoch: number }> {
  const { rows } = await client.query<{ position: string; epoch: string }>({
    name: 'weir_lock_partition',
    text: `select position, epoch from weir.checkpoints where processor_id = $1 and partition = $2 for update`,
    values: [name.processorId, name.partition],
  });
  const row = rows[0];
  if (row === undefined) throw partitionGone(name);
  return { position: row.position, epoch: Number(row.epoch) };
}

/** Another process has re-sharded; this one hears of it and begins anew. */
function partitionGone({ processorId, partition }: PartitionName): WeirError {
  return new WeirError({
    code: 'WEIR_PARTITION_GONE',
    message: `instance "${processorId}" has no partition ${partition} any more: it was re-sharded`,
    hint: 'nothing to do: the worker takes its share of the new partitions',
    retry: 'backoff',
  });
}

/** Under the partition's fence. */
export async function writeSnapshots(
  client: ClientBase,
  name: PartitionName,
  { position, payloads }: { readonly position: PositionText; readonly payloads: ReadonlyMap<number, string> },
): Promise<void> {
  await client.query({
    name: 'weir_write_snapshots',
    text: `insert into weir.state (processor_id, partition, bucket, position, payload)
           select $1, $2, bucket, $3, payload from unnest($4::integer[], $5::text[]) as s (bucket, payload)
           on conflict (processor_id, partition, bucket) do update
             set position = excluded.position, payload = excluded.payload`,
    values: [name.processorId, name.partition, position, [...payloads.keys()], [...payloads.values()]],
  });
}

/**
 * Under the partition's fence.
 * @throws 55P03 at once when somebody reads the table (a dump, say): waiting would stall the partition.
 */
export async function truncateSegments(
  client: ClientBase,
  name: PartitionName,
  generation: Generation,
): Promise<void> {
  const table = segmentTable(name.processorId, name.partition, generation);
  await client.query(`lock table ${table} in access exclusive mode nowait`);
  await client.query(`truncate ${table}`);
}
