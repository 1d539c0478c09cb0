import { EXIT, WeirError } from '../errors.ts';
import { formatLsn } from '../events/position.ts';
import { failpoint } from '../failpoint.ts';
import type { Plan } from '../rules/plan.ts';
import type { Instance } from '../store/control.ts';
import { RuleSets } from '../store/rule-sets.ts';
import { Backoff } from './backoff.ts';
import { ReplicationConnection } from './connection.ts';
import { Epoch, type Moved } from './epoch.ts';
import { readFacts } from './facts.ts';
import { asFault, Fault } from './fault.ts';
import { refusal } from './finding.ts';
import { delay } from './heartbeat.ts';
import { Ownerless } from './liveness.ts';
import { judge } from './preflight.ts';
import { streamPublications } from './publications.ts';
import type { SourceOptions, SourceState, SourceStatus } from './source-options.ts';
import { unlessAborted } from './unless-aborted.ts';
import { waitForSlot } from './wait-for-slot.ts';

/** What an attempt that never reached the server says of it: no waiting mends these. */
const REFUSED = /^(28...|3D000|42501)$/;

/** Workers that ask for one epoch after another are not followed faster than this. */
const REQUEST_EVERY_MS = 1_000;

/** The slot is not held for longer while the queue does not answer. */
const EMPTY_MS = 5_000;

/**
 * The source: holds the slot, begins an epoch, streams until something fails, and begins the next. There is one
 * recovery path, which every start takes too (invariant 4).
 *
 * A crash here can leave batches of an epoch that nobody follows up, never a row that was acknowledged and not
 * committed.
 */
export class Source {
  readonly #options: SourceOptions;
  readonly #rules: RuleSets;
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff();
  #status: SourceStatus = { state: 'starting', detail: 'not connected yet', since: new Date() };
  #epoch: Epoch | null = null;
  readonly #ownerless = new Ownerless();
  #told = '';
  #connectedOnce = false;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.#rules = new RuleSets(options.control, options.compile);
  }

  get status(): SourceStatus {
    return this.#status;
  }

  /** Resolves after `drain`; throws a WeirError for what a person has to mend. */
  async run(): Promise<void> {
    let reason = 'start';
    try {
      while (!this.#stopping.signal.aborted) {
        const startedMs = Date.now();
        try {
          reason = await this.#attempt(reason);
        } catch (error) {
          reason = await this.#recover(error, Date.now() - startedMs);
        }
      }
    } finally {
      this.#tellOwnerless([]);
      this.#set('stopped', 'the source has stopped');
    }
  }

  /** A worker of this process has committed. The source finds out by itself too, only later. */
  committed(moves: readonly Moved[]): void {
    this.#epoch?.committed(moves);
  }

  /** SIGTERM: reads to a commit, has everything committed and acknowledged, lets go of the slot. `run` then resolves. */
  drain(): void {
    this.#stopping.abort();
    this.#epoch?.drain();
  }

  /** One epoch, from holding the slot to its end. Returns what the next one is for. */
  async #attempt(reason: string): Promise<string> {
    const { control, config, metrics, logger } = this.#options;
    const instance = await this.#check();
    const plan = await this.#rules.get(instance.ack.rules);
    const publications = streamPublications(config.slot, plan);
    const connection = await this.#hold(instance, publications);
    if (connection === null) return reason;
    try {
      if ((await this.#options.onHeld?.()) === true) {
        this.drain();
        return reason;
      }
      failpoint('epoch.before');
      const raised = await control.raiseEpoch();
      failpoint('epoch.raised');
      metrics.epochBegun(raised.epoch, reason);
      const { epoch, ack } = raised;
      this.#checkPartitions(raised.positions.length);
      logger.info({ epoch, reason, lsn: formatLsn(ack.lsn), rules: ack.rules }, 'epoch begun');
      await this.#check();
      if (!(await this.#emptyQueues(connection))) return 'queue';
      if (this.#stopping.signal.aborted) return reason;
      failpoint('queue.emptied');
      // While this one waited for the slot, another may have gone on to other rules.
      const inForce = ack.rules === plan.version ? plan : await this.#rules.get(ack.rules);
      if (streamPublications(config.slot, inForce).some((name) => !publications.includes(name)))
        return 'rules';
      return await this.#stream({ connection, raised, plan: inForce, publications });
    } finally {
      await connection.close();
    }
  }

  /** Whoever re-sharded has this process begin anew; until then it must not send to queues that it does not have. */
  #checkPartitions(stored: number): void {
    const { partitions } = this.#options.config;
    if (stored === partitions) return;
    throw new Fault('fenced', `the store has ${stored} partitions, this process works with ${partitions}`);
  }

  /** false: the slot was let go, since a PostgreSQL that shuts down waits for whoever holds it; the queue is back. */
  async #emptyQueues(connection: ReplicationConnection): Promise<boolean> {
    const { signal } = this.#stopping;
    const slow = new AbortController();
    const timer = setTimeout(() => slow.abort(), EMPTY_MS);
    try {
      const emptied = this.#options.producer.empty().then(() => true);
      const inTime = await unlessAborted(emptied, AbortSignal.any([signal, slow.signal]));
      if (inTime === true || signal.aborted) return true;
      this.#set('recovering', 'queue: it does not answer');
      await connection.close();
      await unlessAborted(emptied, signal);
      return false;
    } catch (error) {
      throw new Fault('queue', `the queues could not be emptied: ${(error as Error).message}`, error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #stream(
    parts: Pick<ConstructorParameters<typeof Epoch>[0], 'connection' | 'raised' | 'plan' | 'publications'>,
  ): Promise<string> {
    const onState = (state: SourceState, detail: string) => this.#set(state, detail);
    const onOwnerless = (partitions: readonly number[]) => this.#tellOwnerless(partitions);
    const own = { source: this.#options, rules: this.#rules, ownerless: this.#ownerless };
    this.#epoch = new Epoch({ ...parts, ...own, onState, onOwnerless });
    try {
      this.#set('streaming', `from ${formatLsn(parts.raised.ack.lsn)}`);
      if (this.#stopping.signal.aborted) this.#epoch.drain();
      await this.#epoch.run();
      return 'rules';
    } finally {
      this.#epoch = null;
    }
  }

  /** Invariant 8: stops where rows would be lost without a word. */
  async #check(): Promise<Instance> {
    const { config, control } = this.#options;
    const facts = await readFacts(config.databaseUrl, config.slot);
    this.#connectedOnce = true;
    const instance = await control.instance();
    const plans = instance === null ? [] : await this.#plans(instance);
    const refused = refusal(judge(config.slot, facts, { instance, plans }));
    if (refused !== null) throw refused;
    return instance as Instance;
  }

  async #plans(instance: Instance): Promise<readonly Plan[]> {
    const announced = this.#options.announced;
    const inForce = await this.#rules.get(instance.ack.rules);
    return announced === undefined ? [inForce] : [inForce, announced];
  }

  async #hold(instance: Instance, publications: readonly string[]): Promise<ReplicationConnection | null> {
    const { config, logger } = this.#options;
    return waitForSlot({
      databaseUrl: config.databaseUrl,
      slot: config.slot,
      publications,
      acknowledged: instance.ack.lsn,
      open: ReplicationConnection.open,
      signal: this.#stopping.signal,
      onWaiting: (pid, waitedMs) => {
        this.#tellOwnerless([]); // whoever holds the slot tells
        this.#set('waiting-for-slot', `slot "${config.slot}" is used by backend ${pid}`);
        logger.info(
          { slot: config.slot, holder: pid, waitedMs },
          'another source holds the slot: standing by',
        );
      },
    });
  }

  /** Says what happened, waits, and returns the reason of the next epoch. Throws what no waiting mends. */
  async #recover(error: unknown, ranMs: number): Promise<string> {
    if (error instanceof WeirError && error.retry !== 'backoff') throw error;
    if (!this.#connectedOnce && REFUSED.test((error as { code?: string }).code ?? ''))
      throw unreachable(error);
    const fault = asFault(error);
    const atOnce = fault.reason === 'requested' && ranMs >= REQUEST_EVERY_MS;
    const waitMs = atOnce ? 0 : this.#backoff.nextMs(ranMs);
    this.#say(fault, waitMs);
    await delay(waitMs, this.#stopping.signal);
    return fault.reason;
  }

  #say(fault: Fault, waitMs: number): void {
    const { logger, metrics } = this.#options;
    if (this.#stopping.signal.aborted) return;
    this.#set('recovering', `${fault.reason}: ${fault.message}`);
    metrics.reconnected();
    const fields = { reason: fault.reason, detail: fault.message, waitMs: Math.round(waitMs) };
    if (fault.reason === 'requested') logger.info(fields, 'a new epoch was asked for');
    else if (isBug(fault.cause))
      logger.error({ ...fields, err: fault.cause }, 'a bug ended the epoch: beginning another');
    else logger.warn(fields, 'the epoch has ended: beginning another');
  }

  #tellOwnerless(partitions: readonly number[]): void {
    const names = partitions.join(', ');
    if (names === this.#told) return;
    this.#told = names;
    const { logger, metrics, onOwnerless } = this.#options;
    if (partitions.length > 0) logger.warn({ partitions }, 'partitions have work and no owner');
    else logger.info('every partition with work has an owner');
    metrics.unowned(partitions.length);
    onOwnerless?.(partitions);
  }

  #set(state: SourceState, detail: string): void {
    const since = state === this.#status.state ? this.#status.since : new Date();
    if (state !== this.#status.state) this.#options.logger.info({ state, detail }, 'source');
    this.#status = { state, detail, since };
    this.#options.onStatus?.(this.#status);
  }
}

/** Ours or a library's. A new epoch is safe after any; its stack is worth having. */
function isBug(cause: unknown): boolean {
  return cause instanceof TypeError || cause instanceof RangeError || cause instanceof ReferenceError;
}

function unreachable(error: unknown): WeirError {
  return new WeirError({
    code: 'WEIR_SOURCE_REFUSED',
    message: `PostgreSQL refused the connection: ${(error as Error).message}`,
    hint: 'check user, password and database of DATABASE_URL, and that the role has REPLICATION',
    exit: EXIT.unreachable,
    cause: error,
  });
}

/** Runs until the signal aborts, which drains. */
export async function runSource(options: SourceOptions & { readonly signal: AbortSignal }): Promise<void> {
  const source = new Source(options);
  const drain = () => source.drain();
  options.signal.addEventListener('abort', drain, { once: true });
  if (options.signal.aborted) drain();
  try {
    await source.run();
  } finally {
    options.signal.removeEventListener('abort', drain);
  }
}
