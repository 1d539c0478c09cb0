import type { Logger } from 'pino';
import type { ControlStore } from '../store/control.ts';
import { Fault } from './fault.ts';
import { delay } from './heartbeat.ts';
import type { WeirMessage } from './message.ts';

const VISIBLE_POLL_MS = 20;
const LOOK_EVERY_MS = 1_000;

interface ListAnnouncementsOptions {
  readonly control: Pick<ControlStore, 'listRevision' | 'lastLists'>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** Of the epoch. */
  readonly signal: AbortSignal;
}

/** Changes of lists in the stream: which revision a message names, and those that no trigger has announced. */
export class ListAnnouncements {
  readonly #options: ListAnnouncementsOptions;
  /** The last that this epoch has announced itself. */
  #announced = 0;
  #lookedMs = 0;

  constructor(options: ListAnnouncementsOptions) {
    this.#options = options;
  }

  /**
   * The revision that a message of this transaction names. null: the store has none such, and never will have had, since
   * nobody can name one before it is committed: so a replay ignores the message too. The stream may bring a transaction
   * before others see it; until they do the store cannot say what it knows.
   */
  async named(token: string, xid: number): Promise<number | null> {
    const { control, logger, signal } = this.#options;
    for (;;) {
      const { revision, settled } = await control.listRevision(token, xid);
      if (revision !== null) logger.info({ revision }, 'lists changed');
      else if (settled) logger.warn('a message announces lists that the store does not have: ignored');
      if (revision !== null || settled) return revision;
      await delay(VISIBLE_POLL_MS, signal);
      if (signal.aborted)
        throw new Fault('connection', 'the epoch has ended while a change of lists was read');
    }
  }

  /**
   * What is to be announced, as the store is another server, or the change was there before the instance. Asked at each
   * heartbeat, it looks once a second.
   */
  async unannounced(inForce: number): Promise<WeirMessage | null> {
    if (Date.now() - this.#lookedMs < LOOK_EVERY_MS) return null;
    this.#lookedMs = Date.now();
    const last = await this.#options.control.lastLists();
    if (last === null || last.revision <= Math.max(inForce, this.#announced)) return null;
    this.#announced = last.revision;
    return { kind: 'lists', token: last.token };
  }
}
