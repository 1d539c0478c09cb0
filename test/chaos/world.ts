import { join } from 'node:path';
import type pg from 'pg';
import type { TestPostgres } from '../support/postgres.ts';
import type { TestRedis } from '../support/redis.ts';
import { Site } from '../support/site.ts';
import type { WeirProcess } from '../support/weir-process.ts';
import { Bank } from './bank.ts';
import { prepareOracle } from './oracle.ts';
import { CHAOS_SCHEMA } from './schema.ts';

export type Backend = 'redis' | 'postgres';

export const CHAOS_RULES = join(import.meta.dirname, 'rules');

/** Small budgets, so that the source is paused often, batches end inside transactions, and state is compacted. */
const WEIR_YAML = `batch: { rows: 300, bytes: 64kB, linger: 5ms }
memory: { in_flight_bytes: 1MB }
state: { segment_bytes: 128kB }
`;

/** One PostgreSQL, one queue, and the processes of Weir on them: a source, its hot standby, two workers. */
export class World {
  readonly #site: Site;
  readonly bank: Bank;
  readonly sources: readonly WeirProcess[];
  readonly workers: readonly WeirProcess[];

  private constructor(
    site: Site,
    bank: Bank,
    sources: readonly WeirProcess[],
    workers: readonly WeirProcess[],
  ) {
    this.#site = site;
    this.bank = bank;
    this.sources = sources;
    this.workers = workers;
  }

  static async open(backend: Backend): Promise<World> {
    const bank = await Bank.open();
    const site = await Site.open({
      version: 18,
      queue: backend,
      schema: CHAOS_SCHEMA,
      rules: CHAOS_RULES,
      yaml: WEIR_YAML + bank.yaml,
      settings: { max_wal_size: '4GB' },
      prepare: prepareOracle,
    });
    const make = (name: string, role: string): Promise<WeirProcess> =>
      site.weir(name, ['run', '--role', role]);
    const sources = [await make('source-a', 'source'), await make('source-b', 'source')];
    const workers = [await make('worker-a', 'worker'), await make('worker-b', 'worker')];
    return new World(site, bank, sources, workers);
  }

  get directory(): string {
    return this.#site.directory;
  }

  get postgres(): TestPostgres {
    return this.#site.postgres;
  }

  get redis(): TestRedis | null {
    return this.#site.redis;
  }

  get processes(): readonly WeirProcess[] {
    return [...this.sources, ...this.workers];
  }

  withClient<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
    return this.#site.withClient(use);
  }

  /** A source says on /metrics that its socket is paused. */
  async paused(): Promise<boolean> {
    for (const source of this.sources) {
      const response = await fetch(`${source.url}/metrics`).catch(() => null);
      if (response !== null && /^weir_source_paused(\{[^}]*\})? 1$/m.test(await response.text())) return true;
    }
    return false;
  }

  caughtUp(timeoutMs: number): Promise<void> {
    return this.#site.caughtUp(timeoutMs);
  }

  async close(): Promise<void> {
    await this.#site.close();
    await this.bank.close();
  }
}
