import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../../src/demo/postgres-server.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { prepareOracle } from './oracle.ts';
import { WeirProcess } from './weir-process.ts';
import { CHAOS_SCHEMA } from './writer.ts';

export type Backend = 'redis' | 'postgres';

/** Small budgets, so that the source is paused often and batches end inside transactions. */
const WEIR_YAML = 'batch: { rows: 300, bytes: 64kB, linger: 5ms }\nmemory: { in_flight_bytes: 1MB }\n';

/** One PostgreSQL, one queue, and the processes of Weir on them: a source, its hot standby, two workers. */
export class World {
  readonly directory: string;
  readonly postgres: TestPostgres;
  readonly redis: TestRedis | null;
  readonly sources: readonly WeirProcess[];
  readonly workers: readonly WeirProcess[];
  readonly #ports: ReadonlyMap<string, number>;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(parts: {
    directory: string;
    postgres: TestPostgres;
    redis: TestRedis | null;
    ports: ReadonlyMap<string, number>;
    env: Readonly<Record<string, string>>;
  }) {
    this.directory = parts.directory;
    this.postgres = parts.postgres;
    this.redis = parts.redis;
    this.#ports = parts.ports;
    this.#env = parts.env;
    const make = (name: string, role: string): WeirProcess =>
      new WeirProcess({
        name,
        args: ['run', '--role', role],
        env: { ...parts.env, WEIR_HTTP: `127.0.0.1:${parts.ports.get(name) ?? 0}` },
        directory: parts.directory,
      });
    this.sources = [make('source-a', 'source'), make('source-b', 'source')];
    this.workers = [make('worker-a', 'worker'), make('worker-b', 'worker')];
  }

  static async open(backend: Backend): Promise<World> {
    const directory = await mkdtemp(join(tmpdir(), 'weir-chaos-'));
    const postgres = await startPostgres({ version: 18, settings: { max_wal_size: '4GB' } });
    const redis = backend === 'redis' ? await startRedis() : null;
    const env = {
      DATABASE_URL: postgres.url,
      WEIR_RULES: join(import.meta.dirname, 'rules'),
      LOG_LEVEL: 'debug',
      ...(redis === null ? {} : { REDIS_URL: redis.url }),
    };
    const ports = new Map<string, number>();
    for (const name of ['source-a', 'source-b', 'worker-a', 'worker-b']) ports.set(name, await freePort());
    await writeFile(join(directory, 'weir.yaml'), WEIR_YAML);
    const world = new World({ directory, postgres, redis, ports, env });
    await world.withClient(async (client) => {
      await client.query(CHAOS_SCHEMA);
      await prepareOracle(client);
    });
    await world.#initialise();
    return world;
  }

  get processes(): readonly WeirProcess[] {
    return [...this.sources, ...this.workers];
  }

  async #initialise(): Promise<void> {
    const init = new WeirProcess({
      name: 'init',
      args: ['init', '--apply'],
      env: this.#env,
      directory: this.directory,
    });
    init.start();
    await init.ended();
    if (init.exitCode !== 0)
      throw new Error(`weir init --apply ended with ${init.exitCode}: see ${this.directory}/init.log`);
  }

  async withClient<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client(this.postgres.url);
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** A source says on /metrics that its socket is paused. */
  async paused(): Promise<boolean> {
    for (const source of this.sources) {
      const response = await fetch(`http://127.0.0.1:${this.#ports.get(source.name) ?? 0}/metrics`).catch(
        () => null,
      );
      if (response !== null && /^weir_source_paused(\{[^}]*\})? 1$/m.test(await response.text())) return true;
    }
    return false;
  }

  /** Every partition has committed all that was written so far. */
  async caughtUp(timeoutMs: number): Promise<void> {
    const end = await this.withClient(async (client) => {
      const read = await client.query(`select pg_current_wal_insert_lsn()::text as lsn`);
      return (read.rows as { lsn: string }[])[0]?.lsn ?? '0/0';
    });
    const target = end
      .split('/')
      .map((half) => half.padStart(8, '0'))
      .join('');
    await until(
      `every partition is beyond ${end}`,
      () =>
        this.withClient(async (client) => {
          const read = await client.query('select min(position collate "C") as least from weir.checkpoints');
          return ((read.rows as { least: string | null }[])[0]?.least ?? '') > target;
        }).catch(() => false),
      timeoutMs,
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.end('SIGKILL')));
    await this.redis?.close();
    await this.postgres.close();
  }
}
