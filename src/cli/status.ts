import type pg from 'pg';
import type { Config } from '../config.ts';
import { EXIT, WeirError } from '../errors.ts';
import { formatLsn, type Lsn } from '../events/position.ts';
import { type Refusals, readRefusals } from '../guard/refusals.ts';
import { type SlotStatus, slotStatus } from '../source/slot.ts';
import { openControl } from '../store/control-store.ts';
import { type Undelivered, undelivered } from '../store/outbox.ts';
import { openPool } from '../store/session.ts';
import { connect } from './connect.ts';
import { print } from './io.ts';
import { loadConfig } from './load-config.ts';
import type { CommandSpec } from './program.ts';
import { lookAtQueue, type QueueLook } from './queue-depths.ts';
import { type Counts, counts, type PartitionStatus, partitionStatus } from './status-query.ts';
import { shownAge, shownBytes, textTable } from './text-table.ts';

export const statusCommand: CommandSpec = {
  name: 'status',
  summary: 'One look: epoch, positions, lag, slot, queue, rules; also while Weir is down',
  config: ['slot'],
  details: 'Exit codes: 0 it was looked at, 2 there is nothing to look at, 3 a server does not answer.',
  action: async ({ io, sources, json }) => {
    const config = loadConfig(sources);
    const status = await look(config);
    await print(io, json ? `${JSON.stringify(status, null, 2)}\n` : shown(status));
    return status.queue.unreachable ? EXIT.unreachable : EXIT.ok;
  },
};

interface Status {
  readonly instance: string;
  readonly database: string;
  readonly epoch: number;
  readonly acknowledged: string;
  readonly rules: string;
  readonly slot: SlotLook | null;
  readonly counts: Counts;
  readonly guards: readonly Refusals[];
  readonly webhooks: readonly Undelivered[];
  readonly partitions: readonly PartitionStatus[];
  readonly queue: QueueLook;
}

/** LSNs as PostgreSQL writes them: JSON has no bigint. */
type SlotLook = Omit<SlotStatus, 'confirmedFlushLsn' | 'restartLsn'> & {
  readonly confirmedFlushLsn: string | null;
  readonly restartLsn: string | null;
};

function slotLook(slot: SlotStatus | null): SlotLook | null {
  if (slot === null) return null;
  const text = (lsn: Lsn | null): string | null => (lsn === null ? null : formatLsn(lsn));
  return { ...slot, confirmedFlushLsn: text(slot.confirmedFlushLsn), restartLsn: text(slot.restartLsn) };
}

async function look(config: Config): Promise<Status> {
  const { slot } = config;
  const source = await connect({ url: config.databaseUrl, variable: 'DATABASE_URL', slot });
  try {
    // The pool would retry and say less of why: the first connection is ours.
    await (await connect({ url: config.storeUrl, variable: 'WEIR_STORE_URL', slot })).end();
    const store = openPool({ url: config.storeUrl, slot, max: 1 });
    try {
      return await lookAtInstance(config, source, store);
    } finally {
      await store.end();
    }
  } finally {
    await source.end();
  }
}

async function lookAtInstance(config: Config, source: pg.Client, store: pg.Pool): Promise<Status> {
  const instance = await openControl(store, config.slot).instance();
  if (instance === null) throw notInitialised(config);
  return {
    instance: instance.processorId,
    database: instance.database,
    epoch: instance.epoch,
    acknowledged: formatLsn(instance.ack.lsn),
    rules: instance.ack.rules,
    slot: slotLook(await slotStatus(source, instance.slot)),
    counts: await counts(store, instance.processorId, instance.ack.rules),
    guards: await readRefusals(store, instance.processorId),
    webhooks: await undelivered(store, instance.processorId),
    partitions: await partitionStatus(store, source, instance.processorId),
    queue: await lookAtQueue(config.queue, instance),
  };
}

export function notInitialised(config: Pick<Config, 'slot'>): WeirError {
  return new WeirError({
    code: 'WEIR_NOT_INITIALISED',
    message: `the store has no instance ${JSON.stringify(config.slot)}: weir init has not been here`,
    hint: 'weir init prints what it would do, weir init --apply does it; WEIR_SLOT names another instance',
    retry: 'after-operator',
  });
}

function shown(status: Status): string {
  const lines = [
    ['instance', `${status.instance} of database ${status.database}`],
    ['epoch', String(status.epoch)],
    ['rules', rulesLine(status)],
    ['acknowledged', status.acknowledged],
    ['slot', slotLine(status.slot)],
    ['queue', queueLine(status.queue)],
    ['alerts', `${status.counts.alertsLastHour} in the last hour`],
    ['dead letters', `${status.counts.deadLetters} open`],
    ...status.guards.map((guard) => ['guard', guardLine(guard)]),
    ...status.webhooks.map(({ webhook, pending, dead }) => [
      'webhook',
      `${webhook}: ${pending} deliveries pending, ${dead} given up`,
    ]),
  ];
  const now = Date.now();
  const partitions = status.partitions.map((one) => [
    String(one.partition),
    one.position,
    shownBytes(one.behindBytes),
    `${shownAge(now - one.movedAt.getTime())} ago`,
    one.status,
    one.ownerPid === null ? 'none' : `PID ${one.ownerPid}`,
    String(status.queue.depths?.[one.partition] ?? '?'),
  ]);
  const head = ['partition', 'position', 'behind', 'moved', 'status', 'owner', 'jobs'];
  return `${textTable(lines)}\n${textTable([head, ...partitions])}`;
}

function guardLine({ guarded, rule, refusals }: Refusals): string {
  return `${guarded}: ${refusals} refused by ${rule === null ? 'blocks' : `rule ${rule}`}`;
}

function rulesLine({ rules, counts: { rulesStoredAt } }: Status): string {
  return rulesStoredAt === null ? rules : `${rules}, stored ${rulesStoredAt.toISOString()}`;
}

function slotLine(slot: SlotLook | null): string {
  if (slot === null) return 'missing: weir doctor says what to do';
  const who = slot.activePid === null ? 'not active: no Weir reads it now' : `active (PID ${slot.activePid})`;
  const kept = slot.retainedBytes === null ? '' : `, keeps ${shownBytes(slot.retainedBytes)} of WAL`;
  const safe = slot.safeWalBytes === null ? 'no limit' : `${shownBytes(slot.safeWalBytes)} until it is lost`;
  return `${who}, confirmed ${slot.confirmedFlushLsn}${kept}, ${safe}, wal_status ${slot.walStatus}`;
}

function queueLine(queue: QueueLook): string {
  if (queue.depths === null) return `${queue.kind}: ${queue.problem}`;
  return `${queue.kind}, ${queue.depths.reduce((sum, depth) => sum + depth, 0)} jobs`;
}
