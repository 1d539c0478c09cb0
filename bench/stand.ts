import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../src/demo/postgres-server.ts';
import { DEMO_SCHEMA } from '../src/demo/schema.ts';
import { startPostgres, type TestPostgres } from '../test/support/postgres.ts';
import { startRedis, type TestRedis } from '../test/support/redis.ts';
import { until } from '../test/support/until.ts';

const ROOT = join(import.meta.dirname, '..');
/** To look into the process under load: BENCH_NODE_ARGS='--cpu-prof --cpu-prof-dir=/tmp/prof' npm run bench. */
const NODE_ARGS = (process.env['BENCH_NODE_ARGS'] ?? '').split(' ').filter((arg) => arg !== '');
export type Backend = 'redis' | 'postgres';
export const BACKENDS: readonly Backend[] = ['redis', 'postgres'];

/** One PostgreSQL 18 and one Redis; on them an instance of Weir for each backend, with the example rules. */
export class Stand {
  readonly postgres: TestPostgres;
  readonly redis: TestRedis;
  readonly client: pg.Client;
  readonly #directory: string;
  readonly #rules: string;

  private constructor(parts: {
    postgres: TestPostgres;
    redis: TestRedis;
    client: pg.Client;
    directory: string;
    rules: string;
  }) {
    this.postgres = parts.postgres;
    this.redis = parts.redis;
    this.client = parts.client;
    this.#directory = parts.directory;
    this.#rules = parts.rules;
  }

  /** The example rules; with `patterns` also the example patterns, and those of bench/patterns.yaml, which every row enters. */
  static async open({ patterns = false }: { readonly patterns?: boolean } = {}): Promise<Stand> {
    const postgres = await startPostgres({
      version: 18,
      settings: { max_wal_size: '8GB', shared_buffers: '512MB', checkpoint_timeout: '30min' },
    });
    const redis = await startRedis();
    const client = new pg.Client(postgres.url);
    await client.connect();
    await client.query(DEMO_SCHEMA);
    const directory = await mkdtemp(join(tmpdir(), 'weir-bench-'));
    const rules = join(directory, 'rules');
    const wanted = (path: string): boolean => {
      const text = path.endsWith('.yaml') ? readFileSync(path, 'utf8') : '';
      // By user alone, as the numbers have always been: a rule by device sends each row to two partitions.
      return (patterns || !/^patterns:/m.test(text)) && !text.includes('shared_device');
    };
    await cp(join(ROOT, 'rules'), rules, { recursive: true, filter: wanted });
    if (patterns) await cp(join(import.meta.dirname, 'patterns.yaml'), join(rules, 'patterns.yaml'));
    const stand = new Stand({ postgres, redis, client, directory, rules });
    for (const backend of BACKENDS) stand.#weirSync(backend, ['init', '--apply']);
    return stand;
  }

  slot(backend: Backend): string {
    return `bench_${backend}`;
  }

  #env(backend: Backend): NodeJS.ProcessEnv {
    return {
      ...process.env,
      NODE_ENV: 'production',
      DATABASE_URL: this.postgres.url,
      WEIR_SLOT: this.slot(backend),
      WEIR_RULES: this.#rules,
      LOG_LEVEL: 'warn',
      ...(backend === 'redis' ? { REDIS_URL: this.redis.url } : {}),
    };
  }

  #weirSync(backend: Backend, args: readonly string[]): void {
    const done = spawnSync(process.execPath, [join(ROOT, 'bin/weir'), ...args], {
      cwd: this.#directory,
      env: this.#env(backend),
      encoding: 'utf8',
    });
    if (done.status !== 0)
      throw new Error(`weir ${args.join(' ')} ended with ${done.status}: ${done.stderr}`);
  }

  async weir(backend: Backend): Promise<RunningWeir> {
    const port = await freePort();
    const child = spawn(process.execPath, [...NODE_ARGS, join(ROOT, 'bin/weir'), 'run'], {
      cwd: this.#directory,
      env: { ...this.#env(backend), WEIR_HTTP: `127.0.0.1:${port}` },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return new RunningWeir(child, port);
  }

  /** The end of the WAL now, and as the hex that positions begin with. */
  async walEnd(): Promise<{ lsn: string; hex: string }> {
    const read = await this.client.query('select pg_current_wal_insert_lsn()::text as lsn');
    const lsn = (read.rows as { lsn: string }[])[0]?.lsn ?? '0/0';
    return {
      lsn,
      hex: lsn
        .split('/')
        .map((half) => half.padStart(8, '0'))
        .join(''),
    };
  }

  /** All partitions have committed beyond the given end. */
  async committed(backend: Backend, end: { hex: string }, timeoutMs = 180_000): Promise<void> {
    const done = async (): Promise<boolean> => {
      const read = await this.client.query(
        'select min(position collate "C") as least from weir.checkpoints where processor_id = $1',
        [this.slot(backend)],
      );
      return ((read.rows as { least: string | null }[])[0]?.least ?? '') > end.hex;
    };
    await until(`${backend} has committed everything`, done, timeoutMs);
  }

  async close(): Promise<void> {
    await this.client.end();
    await this.redis.close();
    await this.postgres.close();
  }
}

export class RunningWeir {
  readonly #child: ChildProcess;
  readonly #port: number;
  #peakBytes = 0;
  readonly #sampler: NodeJS.Timeout;

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
    this.#sampler = setInterval(() => {
      this.#peakBytes = Math.max(this.#peakBytes, this.residentBytes());
    }, 50);
  }

  /** Resident memory of Weir's process, from the kernel. */
  residentBytes(): number {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    } catch {
      return 0;
    }
  }

  /** The highest resident memory since the last call. */
  takePeak(): number {
    const peak = Math.max(this.#peakBytes, this.residentBytes());
    this.#peakBytes = 0;
    return peak;
  }

  async ready(): Promise<void> {
    await until(
      'weir is ready',
      async () => {
        const response = await fetch(`http://127.0.0.1:${this.#port}/readyz`).catch(() => null);
        return response?.status === 200;
      },
      60_000,
    );
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    clearInterval(this.#sampler);
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.kill('SIGTERM');
    await ended;
  }
}
