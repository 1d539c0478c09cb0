import type pg from 'pg';
import { WeirError } from '../errors.ts';
import { formatLsn, type Lsn } from '../events/position.ts';
import type { SourceFacts } from '../source/facts.ts';
import type { ControlStore, Instance, SourceIdentity } from '../store/control.ts';
import { createInstance, dropInstance, openControl } from '../store/control-store.ts';
import { lastRevision, seedLists } from '../store/list-control.ts';
import { openPool } from '../store/session.ts';
import { connectStore, type InitContext } from './init-context.ts';
import type { SlotStart } from './init-slot.ts';

export function startsAt({ rules }: InitContext, acknowledged: Lsn): string {
  return `reads what commits after ${formatLsn(acknowledged)}, by rules ${rules.plan.version.slice(0, 12)}`;
}

export interface NewInstance {
  readonly facts: SourceFacts;
  readonly start: Pick<SlotStart, 'acknowledged' | 'commitAt'>;
  /** What it takes the place of: its outputs stay, its epochs go on. */
  readonly after: Instance | null;
}

/** One transaction: an instance is there with its rules, positions and acknowledgement, or is not there. */
export async function recordInstance(
  context: InitContext,
  { facts, start, after }: NewInstance,
): Promise<void> {
  const { config, rules } = context;
  const identity = identityOf(context, facts);
  const times = { commitAt: start.commitAt, events: {} };
  const store = await connectStore(context);
  try {
    await inTransaction(store, async () => {
      await putRules(store, rules);
      await seedLists(store, rules.plan.lists);
      const lists = await lastRevision(store);
      const ack = { lsn: start.acknowledged, rules: rules.plan.version, lists, times };
      if (after !== null) await dropInstance(store, config.slot);
      await createInstance(store, identity, { partitions: after?.partitions ?? config.partitions, ack });
      if (after !== null) await continueEpochs(store, config.slot, after.epoch + 1);
    });
  } finally {
    await store.end();
  }
}

/** `ControlStore.putRules`, in the transaction of the instance's row. */
async function putRules(store: pg.Client, { plan, content }: InitContext['rules']): Promise<void> {
  await store.query(
    'insert into weir.rule_versions (version, content) values ($1, $2) on conflict (version) do nothing',
    [plan.version, content],
  );
}

/** Batches that the queue still has are of older epochs, and workers drop them. */
async function continueEpochs(store: pg.Client, slot: string, epoch: number): Promise<void> {
  for (const table of ['instances', 'checkpoints', 'acks'])
    await store.query(`update weir.${table} set epoch = $2 where processor_id = $1`, [slot, epoch]);
}

function identityOf({ config }: InitContext, facts: SourceFacts): SourceIdentity {
  if (facts.system === null)
    throw new WeirError({
      code: 'WEIR_REPLICATION_RIGHT',
      message: 'this role may not replicate: IDENTIFY_SYSTEM was refused',
      hint: 'ALTER ROLE … REPLICATION for the role of DATABASE_URL, and a line for it in pg_hba.conf',
      retry: 'after-operator',
    });
  return {
    systemIdentifier: facts.system.identifier,
    timeline: facts.system.timeline,
    database: facts.database,
    slot: config.slot,
    publications: Object.fromEntries(facts.publications.map(({ name, oid }) => [name, oid])),
  };
}

export async function openStoreControl<Result>(
  { config }: InitContext,
  work: (control: ControlStore) => Promise<Result>,
): Promise<Result> {
  const pool = openPool({ url: config.storeUrl, slot: config.slot, max: 1 });
  try {
    return await work(openControl(pool, config.slot));
  } finally {
    await pool.end();
  }
}

async function inTransaction(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query('begin');
  try {
    await work();
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined); // the first error is the one to tell
    throw error;
  }
}
