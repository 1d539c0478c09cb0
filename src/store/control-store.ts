import type { ClientBase, Pool, QueryResultRow } from 'pg';
import { z } from 'zod';
import { closing, formatLsn, type PositionText, parseLsn } from '../events/position.ts';
import type { Acknowledgement, ControlStore, Instance, SourceIdentity } from './control.ts';
import { readLetters } from './dead-letters.ts';
import { openListControl } from './list-control.ts';
import { readLocks } from './partition-locks.ts';
import { transaction, withClient } from './transaction.ts';

/*
 * Each method is one statement, or one transaction of two: a crash here can leave a write undone,
 * never an acknowledgement or a position of an older epoch.
 */

const timesSchema = z.object({
  commitAt: z.number(),
  events: z.record(z.string(), z.object({ latest: z.number(), seenAt: z.number() })),
});

/** The control rows of the instance `processorId`, which is the slot's name. */
export function openControl(pool: Pool, processorId: string): ControlStore {
  const rows = async <R extends QueryResultRow>(text: string, values: readonly unknown[]) =>
    (await pool.query<R>(text, [...values])).rows;
  return {
    ...openListControl(pool, processorId),
    instance: () => readInstance(pool, processorId),
    raiseEpoch: () => raiseEpoch(pool, processorId),
    currentEpoch: async () => Number(present(await rows<{ epoch: string }>(EPOCH, [processorId])).epoch),
    requestEpoch: async (epoch, reason) => {
      await pool.query(REQUEST, [processorId, epoch, reason.slice(0, 500)]);
    },
    progress: async () => {
      const row = present(await rows<ProgressRow>(PROGRESS, [processorId]));
      return { epoch: Number(row.epoch), positions: row.positions, requested: row.requested };
    },
    owned: async () => new Set((await readLocks(pool, processorId)).owners.keys()),
    recordAck: (epoch, ack) => recordAck(pool, processorId, { epoch, ack }),
    putRules: async (version, content) => {
      await pool.query(PUT_RULES, [version, content]);
    },
    getRules: async (version) => (await rows<{ content: string }>(GET_RULES, [version]))[0]?.content ?? null,
    letters: (ids) => readLetters(pool, processorId, ids),
  };
}

const EPOCH = 'select epoch from weir.instances where processor_id = $1';
/** At most once an epoch: the second request of it changes nothing. */
const REQUEST = `update weir.instances set requested_epoch = epoch + 1, requested_reason = $3
  where processor_id = $1 and epoch = $2 and coalesce(requested_epoch, 0) <= epoch`;
const PROGRESS = `select i.epoch, case when i.requested_epoch > i.epoch then i.requested_reason end as requested,
    array(select c.position from weir.checkpoints c where c.processor_id = i.processor_id order by c.partition) as positions
  from weir.instances i where i.processor_id = $1`;
const PUT_RULES =
  'insert into weir.rule_versions (version, content) values ($1, $2) on conflict (version) do nothing';
const GET_RULES = 'select content from weir.rule_versions where version = $1';

interface ProgressRow {
  readonly epoch: string;
  readonly positions: readonly PositionText[];
  readonly requested: string | null;
}

interface AckRow {
  readonly lsn: string;
  readonly rules_version: string;
  readonly lists: string;
  readonly times: unknown;
}

interface InstanceRow extends AckRow {
  readonly processor_id: string;
  readonly epoch: string;
  readonly partitions: number;
  readonly system_identifier: string;
  readonly timeline: number;
  readonly database: string;
  readonly slot: string;
  readonly publications: Readonly<Record<string, number>>;
}

function ackOf(row: AckRow): Acknowledgement {
  return {
    lsn: parseLsn(row.lsn),
    rules: row.rules_version,
    lists: Number(row.lists),
    times: timesSchema.parse(row.times),
  };
}

function present<R>(rows: readonly R[]): R {
  const row = rows[0];
  if (row === undefined) throw new Error('no such instance in weir.instances: was it torn down?');
  return row;
}

async function readInstance(pool: Pool, processorId: string): Promise<Instance | null> {
  const schema = await pool.query<{ found: boolean }>(
    `select to_regclass('weir.instances') is not null as found`,
  );
  if (schema.rows[0]?.found !== true) return null;
  const result = await pool.query<InstanceRow>(
    'select * from weir.instances join weir.acks using (processor_id, epoch) where processor_id = $1',
    [processorId],
  );
  const row = result.rows[0];
  if (row === undefined) return null;
  return {
    processorId: row.processor_id,
    epoch: Number(row.epoch),
    partitions: row.partitions,
    systemIdentifier: row.system_identifier,
    timeline: row.timeline,
    database: row.database,
    slot: row.slot,
    publications: row.publications,
    ack: ackOf(row),
  };
}

/**
 * One transaction for the three tables that carry the epoch. It waits for commits under way (their checkpoint
 * rows are locked), so the positions it returns are final for the old epoch.
 */
async function raiseEpoch(pool: Pool, processorId: string) {
  return withClient(pool, (client) =>
    transaction(client, async () => {
      const raised = await client.query<{ epoch: string }>(RAISE_INSTANCE, [processorId]);
      await client.query(LOCK_CHECKPOINTS, [processorId]);
      const stand = await client.query<{ position: PositionText }>(RAISE_CHECKPOINTS, [processorId]);
      const ack = await client.query<AckRow>(RAISE_ACK, [processorId]);
      return {
        epoch: Number(present(raised.rows).epoch),
        ack: ackOf(present(ack.rows)),
        positions: stand.rows.map((row) => row.position),
      };
    }),
  );
}

const RAISE_INSTANCE = 'update weir.instances set epoch = epoch + 1 where processor_id = $1 returning epoch';
/** In the order in which commits lock them. */
const LOCK_CHECKPOINTS = 'select from weir.checkpoints where processor_id = $1 order by partition for update';
const RAISE_CHECKPOINTS = `with raised as (
    update weir.checkpoints c set epoch = i.epoch from weir.instances i
    where c.processor_id = $1 and i.processor_id = $1 returning c.partition, c.position
  ) select position from raised order by partition`;
const RAISE_ACK = `update weir.acks a set epoch = i.epoch from weir.instances i
  where a.processor_id = $1 and i.processor_id = $1 returning a.lsn, a.rules_version, a.lists, a.times`;

async function recordAck(
  pool: Pool,
  processorId: string,
  { epoch, ack }: { readonly epoch: number; readonly ack: Acknowledgement },
): Promise<boolean> {
  const written = await pool.query(
    `update weir.acks set lsn = $3, rules_version = $4, lists = $5, times = $6, recorded_at = clock_timestamp()
     where processor_id = $1 and epoch = $2 and lsn <= $3`,
    [processorId, epoch, formatLsn(ack.lsn), ack.rules, ack.lists, JSON.stringify(ack.times)],
  );
  if (written.rowCount === 1) return true;
  // Below what is recorded, which is no news but no fence either.
  const current = await pool.query('select from weir.acks where processor_id = $1 and epoch = $2', [
    processorId,
    epoch,
  ]);
  return current.rowCount === 1;
}

/**
 * The rows and segment tables of a new instance, whose partitions all stand at the end of the transaction at
 * `ack.lsn`. By `weir init`; in the caller's transaction, where there is one.
 */
export async function createInstance(
  client: ClientBase,
  identity: SourceIdentity,
  start: { readonly partitions: number; readonly ack: Acknowledgement },
): Promise<void> {
  const { ack, partitions } = start;
  await client.query({
    text: CREATE,
    values: [
      identity.slot,
      partitions,
      identity.systemIdentifier,
      identity.timeline,
      identity.database,
      JSON.stringify(identity.publications),
      closing(ack.lsn),
      formatLsn(ack.lsn),
      ack.rules,
      ack.lists,
      JSON.stringify(ack.times),
    ],
  });
}

/** One statement, so that it is whole even outside a transaction. */
const CREATE = `with instance as (
    insert into weir.instances (processor_id, partitions, system_identifier, timeline, database, slot, publications)
    values ($1, $2, $3, $4, $5, $1, $6)
  ), checkpoints as (
    insert into weir.checkpoints (processor_id, partition, position, epoch)
    select $1, partition, $7, 1 from generate_series(0, $2 - 1) as partition
  ), ack as (
    insert into weir.acks (processor_id, epoch, lsn, rules_version, lists, times) values ($1, 1, $8, $9, $10, $11)
  ) select weir.make_segments($1, 0, $2 - 1)`;

/** Everything of one instance but its outputs. */
export async function dropInstance(client: ClientBase, processorId: string): Promise<void> {
  await client.query(
    `with gone as (delete from weir.instances where processor_id = $1 returning partitions)
     select weir.drop_segments($1, 0, partitions - 1) from gone`,
    [processorId],
  );
}
