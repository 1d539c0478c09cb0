import type { Client } from 'pg';
import type { PositionText } from '../../../src/events/position.ts';
import { commitBatch } from '../../../src/store/commit.ts';
import { PartitionLog } from '../../../src/store/partition-log.ts';
import { encodeSegment } from '../../../src/store/segments.ts';
import { commitOf, SLOT, writer } from './fixture.ts';

/** Small enough that a test of some hundred commits compacts many times. */
const ROTATE_BYTES = 600;

/** An owner of a partition whose state is, by bucket, the list of what was added: nothing hides a lost delta. */
export class ToyOwner {
  readonly #client: Client;
  readonly #log: PartitionLog;
  readonly #name: string;
  readonly #partition: number;
  readonly #state = new Map<number, string[]>();

  private constructor(client: Client, log: PartitionLog, name: string, partition: number) {
    this.#client = client;
    this.#log = log;
    this.#name = name;
    this.#partition = partition;
  }

  static async open(client: Client, name: string, partition = 0): Promise<ToyOwner> {
    const log = await PartitionLog.open(
      client,
      { processorId: SLOT, partition },
      { rotateBytes: ROTATE_BYTES },
    );
    return new ToyOwner(client, log, name, partition);
  }

  get position(): PositionText {
    return this.#log.position;
  }

  /** Adds an item to each bucket; false: fenced. */
  async commit(to: PositionText, buckets: readonly number[], item: string): Promise<boolean> {
    if (!(await this.#loadAll(buckets))) return false;
    const deltas = new Map(buckets.map((bucket) => [bucket, JSON.stringify([item])]));
    const segment = deltas.size === 0 ? null : encodeSegment(deltas);
    const commit = commitOf(this.#partition, {
      epoch: this.#log.epoch,
      expected: this.#log.position,
      to,
      generation: this.#log.generation,
      segment,
    });
    const outcome = (await commitBatch(this.#client, [commit], writer(this.#name))).get(this.#partition);
    if (outcome?.kind !== 'committed') return false;
    for (const bucket of buckets) this.#state.get(bucket)?.push(item);
    this.#log.committed({ to, epoch: commit.epoch, buckets, bytes: segment?.length ?? 0 });
    return true;
  }

  /** One step; what it says of whether anything was due. */
  async compact(): Promise<'nothing due' | 'done' | 'fenced'> {
    const due = this.#log.plan();
    if (due === null) return 'nothing due';
    if (!(await this.#loadAll(due))) return 'fenced';
    return this.#log.compact(this.#client, new Map(due.map((b) => [b, JSON.stringify(this.#state.get(b))])));
  }

  /** The whole state of these buckets. */
  async read(buckets: readonly number[]): Promise<Record<number, string[]> | null> {
    if (!(await this.#loadAll(buckets))) return null;
    return Object.fromEntries(buckets.map((bucket) => [bucket, this.#state.get(bucket) ?? []]));
  }

  async #loadAll(buckets: readonly number[]): Promise<boolean> {
    const absent = buckets.filter((bucket) => !this.#state.has(bucket));
    const loaded = await this.#log.load(this.#client, absent);
    if (loaded === null) return false;
    for (const [bucket, { snapshot, deltas }] of loaded) {
      this.#state.set(
        bucket,
        [snapshot ?? '[]', ...deltas].flatMap((text) => JSON.parse(text) as string[]),
      );
    }
    return true;
  }

  sizes() {
    return this.#log.sizes();
  }

  isCovered(bucket: number): boolean {
    return this.#log.isCovered(bucket);
  }
}
