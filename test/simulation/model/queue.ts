import type { Batch } from '../../../src/events/batch.ts';

/** One list of jobs a partition, as JSON. It may lose, double and reorder whatever it likes. */
export class Queue {
  readonly #jobs: string[][];

  constructor(partitions: number) {
    this.#jobs = Array.from({ length: partitions }, () => []);
  }

  add(batch: Batch): void {
    this.#of(batch.partition).push(JSON.stringify(batch));
  }

  /** A job whose worker died comes back, before or behind the others. */
  putBack(batch: Batch, first: boolean): void {
    if (first) this.#of(batch.partition).unshift(JSON.stringify(batch));
    else this.add(batch);
  }

  /** `nth` beyond the end: the last. */
  take(partition: number, nth: number, keep: boolean): Batch | null {
    const jobs = this.#of(partition);
    const at = Math.min(nth, jobs.length - 1);
    const job = jobs[at];
    if (job === undefined) return null;
    if (!keep) jobs.splice(at, 1);
    return JSON.parse(job) as Batch;
  }

  empty(): void {
    for (const jobs of this.#jobs) jobs.length = 0;
  }

  depths(): readonly number[] {
    return this.#jobs.map((jobs) => jobs.length);
  }

  #of(partition: number): string[] {
    return this.#jobs[partition] as string[];
  }
}
