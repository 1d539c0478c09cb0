import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Hono } from 'hono';
import type { Client, Pool } from 'pg';
import type { Logger } from 'pino';
import { startWebhooks } from './actions/webhooks.ts';
import { withClient } from './cli/connect.ts';
import { queueInstance } from './cli/queue-instance.ts';
import { readValidRules } from './cli/read-rules.ts';
import type { Config } from './config.ts';
import { WeirError } from './errors.ts';
import { failpoint } from './failpoint.ts';
import { refreshGuards } from './guard/refresh-guards.ts';
import { readRefusals } from './guard/refusals.ts';
import { mountBoard } from './monitor/board.ts';
import { Health } from './monitor/health.ts';
import { type HttpServer, startHttp } from './monitor/http.ts';
import { Metrics } from './monitor/metrics.ts';
import { ByteBudget } from './queue/byte-budget.ts';
import { openQueues, type Queues } from './queue/connect.ts';
import type { Plan } from './rules/plan.ts';
import { compileStored } from './rules/stored.ts';
import { announceRules, emitAnnouncement } from './source/announce-rules.ts';
import type { Moved } from './source/epoch.ts';
import { checkClient } from './source/facts.ts';
import { refusal } from './source/finding.ts';
import { judgeServer, readServer } from './source/requirements.ts';
import { type Blocker, slotStatus } from './source/slot.ts';
import { Source } from './source/source.ts';
import type { SourceStatus } from './source/source-options.ts';
import type { ControlStore, Instance } from './store/control.ts';
import { openControl } from './store/control-store.ts';
import { openLists } from './store/list-log.ts';
import { ListSets } from './store/list-sets.ts';
import { undelivered } from './store/outbox.ts';
import type { PartitionCommit } from './store/partition-commit.ts';
import { reshard } from './store/reshard.ts';
import { expire } from './store/retention.ts';
import { RuleSets } from './store/rule-sets.ts';
import { openClient, openPool } from './store/session.ts';
import { Committer } from './worker/committer.ts';
import { PooledStateLog } from './worker/state-log.ts';
import { Worker } from './worker/worker.ts';

/** What every room of the process is given. */
interface App {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly http: HttpServer;
  readonly pool: Pool;
  readonly control: ControlStore;
}

export interface RunOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Aborting it drains: everything read is committed and acknowledged, then `runApp` resolves. */
  readonly signal: AbortSignal;
  readonly onListening?: (url: string) => void;
}

/**
 * `weir run`: opens the rooms in the order of an event's path and closes them in the opposite order. HTTP comes
 * first, so that /readyz explains a start that waits.
 */
export async function runApp({ config, logger, signal, onListening }: RunOptions): Promise<void> {
  const metrics = new Metrics();
  const health = new Health();
  const http = await startHttp({ http: config.http, metrics, health });
  onListening?.(http.url);
  const pool = openPool({ url: config.storeUrl, slot: config.slot, max: 6 });
  const control = openControl(pool, config.slot);
  const app: App = { config, logger, metrics, health, http, pool, control };
  try {
    health.set('starting', 'reading the instance from the store');
    await reach(config);
    while (!signal.aborted) {
      const instance = await control.instance();
      if (instance === null) throw notInitialised(config);
      await runShards(app, instance, signal);
    }
  } finally {
    await pool.end();
    await http.close();
  }
}

/** The pool's error would not say which server does not answer. */
async function reach({ storeUrl, databaseUrl, slot }: Config): Promise<void> {
  const variable = storeUrl === databaseUrl ? 'DATABASE_URL' : 'WEIR_STORE_URL';
  await withClient({ url: storeUrl, variable, slot }, () => Promise.resolve());
}

/**
 * As many partitions as are asked for, if they all stand at one position. Only by the holder of the slot: two sources
 * with different numbers would undo each other's for ever.
 */
async function reshardNow({ config, pool, logger }: App, instance: Instance): Promise<boolean> {
  if (instance.partitions === config.partitions) return false;
  const client = await pool.connect();
  try {
    if (!(await reshard(client, config.slot, config.partitions))) return false;
    failpoint('reshard.done');
    logger.info({ from: instance.partitions, to: config.partitions }, 're-sharded');
    return true;
  } finally {
    client.release();
  }
}

/** Runs with the partitions that the store has, until the signal aborts or their number is to change. */
async function runShards(app: App, instance: Instance, signal: AbortSignal): Promise<void> {
  const { config, logger } = app;
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  signal.addEventListener('abort', stop, { once: true });
  const queues = await openQueues(config.queue, {
    instance: queueInstance(instance),
    partitions: instance.partitions,
    webhooks: Object.keys(config.webhooks),
    logger,
  });
  const measured = measureAtScrape(app, queues);
  try {
    const board = new Hono();
    mountBoard(board, queues, { allowActions: config.http.allowActions });
    app.http.mountBoard(board);
    // Whichever ends first, by itself or by a failure, ends the other.
    const running: Running = { instance, queues, stopping, holdsSlot: false };
    await settled([runRoles(app, running).finally(stop), untilReshard(app, running).finally(stop)]);
  } finally {
    signal.removeEventListener('abort', stop);
    for (const end of measured) end();
    await queues.close();
  }
}

interface Committing {
  /** A commit of this process; in one process with the source, which need not look for it then. */
  readonly onCommitted: (moves: readonly Moved[]) => void;
}

interface Running {
  readonly instance: Instance;
  readonly queues: Queues;
  readonly stopping: AbortController;
  /** It has held the slot: a standby leaves the partitions as they are. */
  holdsSlot: boolean;
}

/** The batches at hand at the end have so long: with the store away they would wait for it. The next start replays them. */
const LEAVE_MS = 5_000;

/** Workers own their partitions before the source begins its epoch; at the end they outlive its drain. */
async function runRoles(app: App, running: Running): Promise<void> {
  const { config, health } = app;
  const { signal } = running.stopping;
  if (config.role !== 'worker') health.set('source', 'starting: not connected yet');
  if (config.role !== 'source') health.set('partitions', 'not yet known who owns them');
  health.clear('starting');
  const source = config.role === 'worker' ? null : await makeSource(app, running);
  if (config.role === 'source') return source?.run();
  const workerStop = new AbortController();
  const onCommitted = (moves: readonly Moved[]): void => source?.committed(moves);
  const { worker, run, owns, close, giveUp } = makeWorker(app, { ...running, onCommitted });
  const working = run(workerStop.signal).finally(() => running.stopping.abort());
  try {
    if (source === null) await aborted(signal);
    else {
      await Promise.race([owns, working]);
      const drained = new AbortController();
      signal.addEventListener('abort', () => hurry(worker, drained.signal), { once: true });
      await source.run().finally(() => drained.abort());
    }
  } finally {
    workerStop.abort();
    const late = setTimeout(giveUp, LEAVE_MS);
    await working.finally(() => clearTimeout(late));
    await close();
  }
}

function makeWorker(app: App, { instance, queues, onCommitted }: Running & Committing) {
  const { config, logger, metrics, health, pool, control } = app;
  const session = { url: config.storeUrl, slot: config.slot };
  const connect = () => openClient(session);
  const webhooks = startWebhooks({
    ...{ pool, processorId: config.slot, webhooks: config.webhooks },
    ...{ queues: queues.deliveries, metrics, logger },
  });
  const committer = new Committer({
    connect,
    writer: { processorId: config.slot, owner: `${hostname()}/${process.pid}/${Date.now().toString(36)}` },
    logger,
    onCommit: (seconds, commits) => {
      metrics.commit(seconds, commits.length);
      onCommitted(commits);
      if (commits.some(mayAlert)) webhooks.wake();
    },
  });
  let balanced: () => void = () => undefined;
  const owns = new Promise<void>((resolve) => {
    balanced = resolve;
  });
  const plans = new RuleSets(control, compileStored);
  const lists = new ListSets(openLists(pool, config.slot));
  const worker = new Worker({
    processorId: config.slot,
    partitions: instance.partitions,
    control,
    consumer: queues.consumer,
    queue: queues.producer,
    connect,
    metrics,
    logger,
    partition: {
      openLog: (partition) =>
        PooledStateLog.open(
          pool,
          { processorId: config.slot, partition },
          { rotateBytes: config.state.segmentBytes },
        ),
      plans,
      lists,
      commit: (commit) => committer.submit(commit),
      control,
      metrics,
      logger,
    },
    // A worker that others leave no partition is ready to take over.
    onBalanced: (answered) => {
      balanced();
      if (answered) health.clear('partitions');
      else health.set('partitions', 'the store is away: nobody knows who owns the partitions');
    },
  });
  const giveUp = (): void => {
    logger.warn('the store does not take the batches at hand: the next start replays them');
    worker.giveUp();
    committer.giveUp();
  };
  const expiring = setInterval(() => {
    expire(pool, EXPIRED_ROWS).catch(() => undefined); // the next round does it
  }, EXPIRE_EVERY_MS);
  const close = async (): Promise<void> => {
    clearInterval(expiring);
    await committer.close();
    await webhooks.close();
  };
  /** A list of millions takes its time: a partition that waited for it would seem to hang. */
  const run = async (stop: AbortSignal): Promise<void> => {
    await lists.at(await plans.get(instance.ack.rules), instance.ack.lists);
    await worker.run(stop);
  };
  return { worker, run, owns, close, giveUp };
}

/** What is kept for a time only leaves at this pace. */
const EXPIRE_EVERY_MS = 60_000;
const EXPIRED_ROWS = 5_000;

function mayAlert({ outputs }: PartitionCommit): boolean {
  return outputs.alerts.length > 0 || outputs.decisions.length > 0;
}

/** While the source drains, idle partitions do not wait for their turn to be written down. */
async function hurry(worker: Worker, drained: AbortSignal): Promise<void> {
  while (!drained.aborted) {
    await worker.flushIdle().catch(() => undefined); // the source's drain has a time limit of its own
    await delay(50, null, { signal: drained }).catch(() => undefined);
  }
}

async function makeSource(app: App, running: Running): Promise<Source> {
  const { instance, queues, stopping } = running;
  const { config, logger, metrics, control } = app;
  const announced = await rulesFromDisk(app, instance, stopping.signal);
  const source = new Source({
    config: { ...config, partitions: instance.partitions },
    control,
    producer: queues.producer,
    budget: new ByteBudget(config.memory.inFlightBytes),
    compile: compileStored,
    logger,
    metrics,
    announced,
    onStatus: (status) => showStatus(app, status),
    onOwnerless: (partitions) => showOwnerless(app, partitions),
    onHeld: () => {
      running.holdsSlot = true;
      return reshardNow(app, instance);
    },
  });
  const drain = (): void => source.drain();
  stopping.signal.addEventListener('abort', drain, { once: true });
  if (stopping.signal.aborted) drain();
  return source;
}

/**
 * Makes doctor's checks, then reads the rules directory, which is only where a rule set comes from: it takes effect
 * where the stream announces it.
 */
async function rulesFromDisk(app: App, instance: Instance, signal: AbortSignal): Promise<Plan> {
  const { config, control, logger, pool } = app;
  const target = { url: config.databaseUrl, variable: 'DATABASE_URL', slot: config.slot };
  return withClient(target, async (client) => {
    const refused = refusal(judgeServer(await readServer(client, config.slot)));
    if (refused !== null) throw refused;
    const webhooks = Object.keys(config.webhooks);
    const options = { path: config.rulesPath, cwd: process.cwd(), source: client, store: pool, webhooks };
    const { plan, content, warnings } = await readValidRules(options);
    for (const warning of warnings) logger.warn(warning);
    if (plan.version === instance.ack.rules) {
      await control.seedLists(plan.lists); // of a rule set that was announced before lists were in the store
      await emitAnnouncement(client, config.slot, plan.version);
      await bringGuards(app, client, plan);
      return plan;
    }
    const inForce = await new RuleSets(control, compileStored).get(instance.ack.rules);
    const onWaiting = (blockers: readonly Blocker[]): void =>
      logger.info({ pids: blockers.map(({ pid }) => pid) }, 'new rules wait for open transactions');
    try {
      await announceRules({ client, control, slot: config.slot, plan, content, inForce, onWaiting, signal });
      logger.info({ version: plan.version }, 'rules announced');
      await bringGuards(app, client, plan);
    } catch (error) {
      if (!(error instanceof WeirError) || error.code !== 'WEIR_RULES_BLOCKED') throw error;
      logger.error({ hint: error.hint }, error.message); // judging by the old rules is better than not at all
    }
    return plan;
  });
}

/** The guards of the host's tables, to these rules; where that fails they go by the rules before, which is told. */
async function bringGuards({ config, logger }: App, client: Client, plan: Plan): Promise<void> {
  try {
    const { written, notOurs } = await refreshGuards(client, config.slot, plan);
    for (const { schema, name } of written)
      logger.info({ table: `${schema}.${name}` }, 'guard brought to the rules');
    for (const { schema, name, owner } of notOurs) {
      const hint = `as a superuser: weir guard install ${schema}.${name} --apply`;
      logger.warn(
        { hint },
        `the guard of ${schema}.${name} belongs to ${owner}, and goes by other rules than these`,
      );
    }
  } catch (error) {
    logger.warn(
      { err: error, hint: 'weir guard install TABLE --apply' },
      'the guards go by the rules before',
    );
  }
}

/** A standby is ready to take over, and a paused source does what it should: it waits for the workers. */
const READY: readonly SourceStatus['state'][] = ['streaming', 'paused', 'waiting-for-slot'];

function showStatus({ health }: App, { state, detail }: SourceStatus): void {
  if (READY.includes(state)) health.clear('source');
  else health.set('source', `${state}: ${detail}`);
}

function showOwnerless({ health }: App, partitions: readonly number[]): void {
  const which = `${partitions.length === 1 ? 'partition' : 'partitions'} ${partitions.join(', ')}`;
  const why = `${which}: there is work, and no worker owns it; is one running (weir run --role worker)?`;
  if (partitions.length === 0) health.clear('partitions-unowned');
  else health.set('partitions-unowned', why);
}

/** Asked for at each scrape: what only the servers know. To be ended with the queues. */
function measureAtScrape({ config, metrics, pool }: App, queues: Queues): readonly (() => void)[] {
  const measures: (() => Promise<void>)[] = [
    async () => metrics.queueDepths(await queues.producer.depths()),
    async () => metrics.undelivered(await undelivered(pool, config.slot)),
  ];
  if (config.role !== 'worker') {
    measures.push(() => measureSlot(config, metrics));
    measures.push(async () => metrics.refusals(await readRefusals(pool, config.slot)));
  }
  return measures.map((measure) => metrics.beforeScrape(measure));
}

async function measureSlot(config: Config, metrics: Metrics): Promise<void> {
  const client = checkClient(config.databaseUrl, config.slot);
  try {
    await client.connect();
    const slot = await slotStatus(client, config.slot);
    if (slot === null) return;
    metrics.slot({ retainedBytes: slot.retainedBytes ?? 0, safeBytes: slot.safeWalBytes });
  } finally {
    await client.end().catch(() => undefined);
  }
}

const LOOK_MS = 1_000;

/**
 * Resolves when this process is to begin again with another number of partitions: because somebody has re-sharded,
 * or because all partitions now stand where a re-sharding of our own can begin.
 */
async function untilReshard({ config, control }: App, running: Running): Promise<void> {
  const { instance, stopping } = running;
  const wanted = instance.partitions !== config.partitions;
  const start = (await control.progress()).positions.toSorted().at(-1) ?? '';
  while (!stopping.signal.aborted) {
    await delay(LOOK_MS, null, { signal: stopping.signal }).catch(() => undefined);
    const positions = await control.progress().then(
      (progress) => progress.positions,
      () => null, // the store is away: the rooms that need it say so
    );
    if (positions === null) continue;
    if (positions.length !== instance.partitions) return;
    if (wanted && running.holdsSlot && positions.every((position) => position >= start)) return;
  }
}

function notInitialised({ slot, databaseUrl, storeUrl }: Config): WeirError {
  const where = storeUrl === databaseUrl ? 'the source database' : 'the store (WEIR_STORE_URL)';
  return new WeirError({
    code: 'WEIR_NOT_INITIALISED',
    message: `there is no instance "${slot}" in the schema weir of ${where}`,
    hint: 'run `weir init --apply` (or have a DBA run what `weir init` prints)',
    retry: 'after-operator',
  });
}

/** Waits for all of them, then throws the first failure. */
async function settled(tasks: readonly Promise<void>[]): Promise<void> {
  for (const task of await Promise.allSettled(tasks)) if (task.status === 'rejected') throw task.reason;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
