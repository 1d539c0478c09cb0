import type { PositionText } from '../events/position.ts';
import { failpoint } from '../failpoint.ts';
import type { BatchProducer } from '../queue/queue.ts';
import type { Acknowledgement, ControlStore } from '../store/control.ts';
import type { AckPoints } from './ack-points.ts';
import type { ReplicationConnection } from './connection.ts';
import { Fault } from './fault.ts';
import { delay } from './heartbeat.ts';
import type { InFlight } from './in-flight.ts';
import { type Ownerless, STALL_MS, stalled } from './liveness.ts';

const BUSY_POLL_MS = 50;
const IDLE_POLL_MS = 250;
const ACK_EVERY_MS = 1_000;
const OWNERS_EVERY_MS = 1_000;

export interface AcknowledgerOptions {
  readonly epoch: number;
  readonly control: Pick<ControlStore, 'progress' | 'recordAck' | 'owned'>;
  readonly producer: Pick<BatchProducer, 'depths'>;
  readonly connection: Pick<ReplicationConnection, 'acknowledge'>;
  readonly inFlight: InFlight;
  readonly points: AckPoints;
  readonly onProgress: () => void;
  readonly ownerless: Ownerless;
  /** Partitions that have work and no owner; [] when all have one again. */
  readonly onOwnerless: (partitions: readonly number[]) => void;
}

/**
 * Watches what the workers have committed, and lets go of it: memory, then the slot. It is also where the source
 * hears that another has taken over, or that a worker asks for a new epoch.
 *
 * A crash here can leave a record that is ahead of the slot, never a slot that is ahead of its record.
 */
export class Acknowledger {
  readonly #options: AcknowledgerOptions;
  #acknowledgedMs = 0;
  #checkedMs = 0;
  #lookedMs = 0;
  /** Recorded no later than this: a drain does not wait for the second to pass. */
  #pending: Acknowledgement | null = null;

  constructor(options: AcknowledgerOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(this.#options.inFlight.batches > 0 ? BUSY_POLL_MS : IDLE_POLL_MS, signal);
      if (signal.aborted) return;
      await this.#poll();
      if (Date.now() - this.#acknowledgedMs >= ACK_EVERY_MS) await this.#acknowledge();
    }
  }

  /** A drain: waits until all that was handed out is committed, and acknowledges it. False: not in that time. */
  async finish(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    await this.#poll();
    while (this.#options.inFlight.batches > 0 && Date.now() < deadline && !signal.aborted) {
      await delay(BUSY_POLL_MS, signal);
      await this.#poll();
    }
    await this.#acknowledge();
    return this.#options.inFlight.batches === 0;
  }

  async #poll(): Promise<void> {
    const { control, epoch, inFlight, points } = this.#options;
    const progress = await control.progress();
    if (progress.epoch !== epoch) {
      throw new Fault('fenced', `another source has begun epoch ${progress.epoch}`);
    }
    inFlight.moved(progress.positions, Date.now());
    this.#pending = points.take(progress.positions) ?? this.#pending;
    if (progress.requested !== null) throw new Fault('requested', progress.requested);
    this.#options.onProgress();
    await this.#checkLiveness(progress.positions);
    await this.#checkOwners(Date.now());
  }

  async #checkOwners(nowMs: number): Promise<void> {
    const { control, inFlight, ownerless, onOwnerless } = this.#options;
    if (inFlight.batches === 0 || nowMs - this.#lookedMs < OWNERS_EVERY_MS) return;
    this.#lookedMs = nowMs;
    const owned = await control.owned();
    onOwnerless(ownerless.look({ owned, batches: inFlight.depths, nowMs }));
  }

  async #checkLiveness(positions: readonly PositionText[]): Promise<void> {
    const { inFlight } = this.#options;
    const nowMs = Date.now();
    if (inFlight.batches === 0 || nowMs - Math.max(inFlight.movedMs, this.#checkedMs) < STALL_MS) return;
    this.#checkedMs = nowMs;
    const batches = inFlight.depths;
    const queued = await this.#queued();
    const why = stalled({ nowMs, movedMs: inFlight.movedMs, batches, queued });
    if (why !== null) throw new Fault('liveness', `${why} (positions ${positions.join(' ')})`);
  }

  async #queued(): Promise<readonly number[]> {
    try {
      return await this.#options.producer.depths();
    } catch (error) {
      throw new Fault('queue', `the queue does not say what it holds: ${(error as Error).message}`, error);
    }
  }

  async #acknowledge(): Promise<void> {
    const ack = this.#pending;
    if (ack === null) return;
    this.#pending = null;
    const { control, epoch, connection } = this.#options;
    if (!(await control.recordAck(epoch, ack))) {
      throw new Fault('fenced', `epoch ${epoch} may record no acknowledgement any more`);
    }
    failpoint('ack.recorded');
    connection.acknowledge(ack.lsn);
    failpoint('ack.sent');
    this.#acknowledgedMs = Date.now();
  }
}
