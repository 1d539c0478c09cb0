import type { Pool } from 'pg';
import { type Batch, decodeRow } from '../../../src/events/batch.ts';
import type { Row } from '../../../src/events/row.ts';
import type { BatchProducer } from '../../../src/queue/queue.ts';
import type { Plan } from '../../../src/rules/plan.ts';
import type { ControlStore } from '../../../src/store/control.ts';

/**
 * A queue and its workers, as little as invariant 2 asks: what each row did is one line of `public.effects`, written
 * with the position it moves. That they can be stopped, and the queue wiped, is why the source's tests have their own.
 */
export class Workers implements BatchProducer {
  readonly batches: Batch[] = [];
  readonly #jobs: Batch[][];
  readonly #pool: Pool;
  readonly #control: ControlStore;
  readonly #slot: string;
  readonly #plan: () => Plan;
  #running = false;
  #loop: Promise<void> = Promise.resolve();
  /** Gaps seen: rows that would have been lost. */
  gaps = 0;
  failNextAdd: Error | null = null;
  /** false: only their heads, for a test of memory. */
  keepRows = true;

  constructor(options: {
    pool: Pool;
    control: ControlStore;
    slot: string;
    partitions: number;
    plan: () => Plan;
  }) {
    this.#pool = options.pool;
    this.#control = options.control;
    this.#slot = options.slot;
    this.#plan = options.plan;
    this.#jobs = Array.from({ length: options.partitions }, () => []);
  }

  async add(batches: readonly Batch[]): Promise<void> {
    const failure = this.failNextAdd;
    this.failNextAdd = null;
    if (failure !== null) throw failure;
    for (const batch of batches) {
      // As the queue would: JSON.
      const sent = JSON.parse(JSON.stringify(batch)) as Batch;
      this.batches.push(this.keepRows ? sent : { ...sent, events: [], transactions: [] });
      this.#jobs[batch.partition]?.push(sent);
    }
  }

  async empty(): Promise<void> {
    for (const jobs of this.#jobs) jobs.length = 0;
  }

  async depths(): Promise<readonly number[]> {
    return this.#jobs.map((jobs) => jobs.length);
  }

  async close(): Promise<void> {
    await this.stop();
  }

  /** FLUSHALL. */
  flushAll(): void {
    for (const jobs of this.#jobs) jobs.length = 0;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (this.#running) {
      let worked = false;
      for (const jobs of this.#jobs) {
        const batch = jobs[0];
        if (batch === undefined || !this.#running) continue;
        if (await this.#commit(batch)) {
          if (jobs[0] === batch) jobs.shift();
          worked = true;
        }
      }
      if (!worked) await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** False: PostgreSQL is away; the job stays. */
  async #commit(batch: Batch): Promise<boolean> {
    try {
      const client = await this.#pool.connect();
      const lost = () => undefined;
      client.on('error', lost);
      try {
        await client.query('begin');
        const at = await client.query(
          'select position, epoch from weir.checkpoints where processor_id = $1 and partition = $2 for update',
          [this.#slot, batch.partition],
        );
        const { position, epoch } = (at.rows as { position: string; epoch: string }[])[0] ?? {
          position: '',
          epoch: '0',
        };
        if (Number(epoch) !== batch.epoch || batch.to <= position) {
          await client.query('rollback');
          return true;
        }
        if (batch.from > position) {
          this.gaps++;
          await client.query('rollback');
          await this.#control.requestEpoch(batch.epoch, 'gap');
          return true;
        }
        const rows = decodeAll(batch, this.#plan()).filter((row) => row.position > position);
        await client.query(
          `insert into public.effects (position, partition, home, op, at, rules, cells)
           select * from unnest($1::text[], $2::int[], $3::bool[], $4::text[], $5::float8[], $6::text[], $7::jsonb[])`,
          [
            rows.map((row) => row.position),
            rows.map(() => batch.partition),
            rows.map((row) => (row.roles & 1) === 1),
            rows.map((row) => row.op),
            rows.map((row) => row.at),
            rows.map(() => batch.rules),
            rows.map((row) => JSON.stringify(row.cells)),
          ],
        );
        await client.query('select weir.advance($1, $2, $3, $4, $5, $6)', [
          this.#slot,
          'test',
          [batch.partition],
          [batch.epoch],
          [position],
          [batch.to],
        ]);
        await client.query('commit');
        return true;
      } catch (error) {
        await client.query('rollback').catch(() => undefined);
        throw error;
      } finally {
        client.removeListener('error', lost);
        client.release();
      }
    } catch {
      return false;
    }
  }
}

function decodeAll(batch: Batch, plan: Plan): readonly Row[] {
  return batch.events.map((event) =>
    decodeRow(event as (string | number | null)[], batch, (table) => plan.tables[table]?.columns.length ?? 0),
  );
}
