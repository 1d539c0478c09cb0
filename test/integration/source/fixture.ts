import { Client, Pool } from 'pg';
import { pino } from 'pino';
import { DEFAULTS } from '../../../src/config.ts';
import { ByteBudget } from '../../../src/queue/byte-budget.ts';
import type { Plan, TablePlan } from '../../../src/rules/plan.ts';
import { readCatalog } from '../../../src/source/catalog.ts';
import { readPublications } from '../../../src/source/existing-publications.ts';
import { readFacts } from '../../../src/source/facts.ts';
import { publicationSql } from '../../../src/source/publication-sql.ts';
import { createSlot, dropSlot, slotStatus } from '../../../src/source/slot.ts';
import { Source } from '../../../src/source/source.ts';
import type { SourceMetrics, SourceOptions } from '../../../src/source/source-options.ts';
import type { ControlStore } from '../../../src/store/control.ts';
import { createInstance, openControl } from '../../../src/store/control-store.ts';
import { dropAll, migrate } from '../../../src/store/migrate.ts';
import { openPool } from '../../../src/store/session.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';
import { Workers } from './workers.ts';

export const SLOT = 'weir_test';

/** A plan of tables alone, as text and back: what the source takes from one. */
export function makePlan(version: string, tables: readonly Partial<TablePlan>[]): Plan {
  return {
    version,
    tables: tables.map((table) => ({
      schema: 'public',
      name: 'payments',
      event: table.name ?? 'payments',
      events: [],
      ops: ['insert'],
      columns: [
        { name: 'id', pgType: 'int8', type: 'double' },
        { name: 'user_id', pgType: 'int4', type: 'double' },
      ],
      time: null,
      lateness: 0,
      ahead: 60_000_000,
      idle: 30_000_000,
      id: [0],
      primaryKey: [0],
      keys: [{ dimension: 0, columns: [1] }],
      ...table,
    })),
    rules: [],
    patterns: [],
    stores: [],
    scoring: new Map(),
    aggregates: [],
    lists: new Map(),
  };
}

export function contentOf(plan: Plan): string {
  return JSON.stringify({ version: plan.version, tables: plan.tables });
}

export function compile(content: string): Plan {
  const { version, tables } = JSON.parse(content) as { version: string; tables: TablePlan[] };
  return makePlan(version, tables);
}

export class Measured implements SourceMetrics {
  readonly epochs: string[] = [];
  rowCount = 0;
  pauses = 0;
  maxInFlight = 0;
  paused(is: boolean): void {
    if (is) this.pauses++;
  }
  rows(_event: string, count: number): void {
    this.rowCount += count;
  }
  lag(): void {}
  inFlight(bytes: number): void {
    this.maxInFlight = Math.max(this.maxInFlight, bytes);
  }
  reconnected(): void {}
  epochBegun(_epoch: number, reason: string): void {
    this.epochs.push(reason);
  }
  sent(): void {}
  queueDepths(): void {}
  unowned(): void {}
}

export interface RunningSource {
  readonly source: Source;
  readonly done: Promise<void>;
  readonly measured: Measured;
}

/** A PostgreSQL with a table, an instance of Weir on it, and workers that commit. */
export class SourceFixture {
  readonly postgres: TestPostgres;
  readonly pool: Pool;
  /** The host's own sessions. */
  readonly host: Pool;
  readonly control: ControlStore;
  plan: Plan = makePlan('v1', [{}]);
  workers: Workers;
  partitions = 4;
  readonly #sources: RunningSource[] = [];

  constructor(postgres: TestPostgres) {
    this.postgres = postgres;
    this.pool = openPool({ url: postgres.url, slot: SLOT, max: 8 });
    this.host = new Pool({ connectionString: postgres.url });
    this.host.on('error', () => undefined);
    this.control = openControl(this.pool, SLOT);
    this.workers = this.#makeWorkers();
  }

  static async start(version: 14 | 15 | 18, settings: Record<string, string> = {}): Promise<SourceFixture> {
    return new SourceFixture(await startPostgres({ version, settings }));
  }

  /** Empty tables, a new instance, a new slot. */
  async reset(plan: Plan = makePlan('v1', [{}]), options: { partitions?: number; ddl?: string } = {}) {
    await this.stopAll();
    this.plan = plan;
    const partitions = options.partitions ?? 4;
    this.partitions = partitions;
    this.workers = this.#makeWorkers(partitions);
    const client = await this.client();
    try {
      await until(
        'the slot is free',
        async () => ((await slotStatus(client, SLOT))?.activePid ?? null) === null,
      );
      await dropSlot(client, SLOT);
      for (const { name } of await readPublications(client, SLOT))
        await client.query(`drop publication "${name}"`);
      await client.query('drop table if exists public.payments, public.effects');
      await client.query(
        options.ddl ??
          'create table public.payments (id bigint primary key generated always as identity, user_id int, note text, paid_at timestamptz)',
      );
      await client.query(
        'create table public.effects (position text, partition int, home bool, op text, at float8, rules text, cells jsonb)',
      );
      await dropAll(client);
      await migrate(client);
      await this.publish(plan);
      const lsn = await createSlot({ databaseUrl: this.postgres.url, slot: SLOT, timeoutMs: 10_000 });
      const facts = await readFacts(this.postgres.url, SLOT);
      await createInstance(
        client,
        {
          systemIdentifier: facts.system?.identifier ?? '',
          timeline: facts.system?.timeline ?? 0,
          database: 'postgres',
          slot: SLOT,
          publications: Object.fromEntries(facts.publications.map(({ name, oid }) => [name, oid])),
        },
        { partitions, ack: { lsn, rules: plan.version, lists: 0, times: { commitAt: 0, events: {} } } },
      );
      await this.control.putRules(plan.version, contentOf(plan));
    } finally {
      await client.end();
    }
  }

  async publish(...plans: readonly Plan[]): Promise<readonly string[]> {
    const client = await this.client();
    try {
      const tables = plans.flatMap((plan) => plan.tables);
      const version = await client.query("select current_setting('server_version_num')::int as version");
      const statements = publicationSql(
        { tables },
        {
          slot: SLOT,
          columns: 'used',
          serverVersion: (version.rows as [{ version: number }])[0].version,
          catalog: await readCatalog(client, tables),
          existing: await readPublications(client, SLOT),
        },
      );
      await client.query('begin');
      for (const statement of statements) await client.query(statement);
      await client.query('commit');
      return statements;
    } finally {
      await client.end();
    }
  }

  async client(): Promise<Client> {
    const client = new Client({ connectionString: this.postgres.url });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  source(options: Partial<SourceOptions> & { inFlightBytes?: number } = {}): RunningSource {
    const measured = new Measured();
    const source = new Source({
      config: {
        databaseUrl: this.postgres.url,
        slot: SLOT,
        partitions: this.partitions,
        batch: DEFAULTS.batch,
        heartbeatMs: 200,
      },
      control: this.control,
      producer: this.workers,
      budget: new ByteBudget(options.inFlightBytes ?? DEFAULTS.memory.inFlightBytes),
      compile,
      logger: pino({ level: process.env['TEST_LOG'] ?? 'silent' }),
      metrics: measured,
      drainMs: 5_000,
      ...options,
    });
    const done = source.run();
    done.catch(() => undefined);
    const running = { source, done, measured };
    this.#sources.push(running);
    return running;
  }

  async streaming(running: RunningSource): Promise<void> {
    await until(
      `streaming (${running.source.status.state})`,
      () => running.source.status.state === 'streaming',
    );
  }

  async sql(text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.host.query(text, [...values])).rows;
  }

  async count(text: string): Promise<number> {
    const [row] = await this.sql(`select count(*)::int as n from ${text}`);
    return row?.['n'] as number;
  }

  /** No batch has come for a while: what was read is all in the queue. */
  async quiet(): Promise<void> {
    let seen = -1;
    let since = 0;
    await until('no more batches', () => {
      if (this.workers.batches.length !== seen) since = Date.now();
      seen = this.workers.batches.length;
      return Date.now() - since > 300;
    });
  }

  /** Every row of the table had its effect at home, once. */
  async settled(rows: number): Promise<void> {
    await until(`${rows} effects`, async () => (await this.count('public.effects')) >= rows, 30_000);
  }

  async stopAll(): Promise<void> {
    for (const { source } of this.#sources) source.drain();
    await Promise.allSettled(this.#sources.map(({ done }) => done));
    this.#sources.length = 0;
    await this.workers.stop();
  }

  async close(): Promise<void> {
    await this.stopAll();
    await this.pool.end();
    await this.host.end();
    await this.postgres.close();
  }

  #makeWorkers(partitions = 4): Workers {
    const { pool, control } = this;
    return new Workers({ pool, control, slot: SLOT, partitions, plan: () => this.plan });
  }
}
