import type { Batch } from '../events/batch.ts';
import { failpoint } from '../failpoint.ts';
import type { BatchProducer } from '../queue/queue.ts';
import { unlessAborted } from './unless-aborted.ts';

/**
 * Puts batches into the queue, in order, as many at once as have gathered. A failed `add` may have added some: it is
 * never tried again in the same epoch, since only a new one makes that harmless.
 *
 * A crash here can leave batches in the queue that nobody remembers sending, never an effect without a position.
 */
export class Sender {
  readonly #producer: Pick<BatchProducer, 'add'>;
  readonly #onSent: (batches: readonly Batch[]) => void;
  #waiting: Batch[] = [];
  #adding = false;
  #ended = false;
  #wake: (() => void) | null = null;
  #idle: (() => void) | null = null;

  constructor(producer: Pick<BatchProducer, 'add'>, onSent: (batches: readonly Batch[]) => void) {
    this.#producer = producer;
    this.#onSent = onSent;
  }

  get busy(): boolean {
    return this.#adding || this.#waiting.length > 0;
  }

  push(batch: Batch): void {
    this.#waiting.push(batch);
    this.#wake?.();
  }

  /** Until the signal aborts, even with a queue that does not answer; throws what the queue throws. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#wake?.();
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted) {
        if (this.#waiting.length === 0) await this.#more();
        else await unlessAborted(this.#send(), signal);
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.#ended = true;
      this.#idle?.();
    }
  }

  /** Resolves when the queue has taken all that was pushed, or never will. */
  async idle(): Promise<void> {
    if (!this.busy || this.#ended) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  async #send(): Promise<void> {
    const batches = this.#waiting;
    this.#waiting = [];
    this.#adding = true;
    failpoint('batch.before');
    await this.#producer.add(batches);
    if (this.#ended) return; // the next epoch has made them void
    failpoint('batch.added');
    this.#adding = false;
    this.#onSent(batches);
    if (this.#waiting.length === 0) this.#idle?.();
  }

  async #more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = null;
  }
}
