import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../../src/demo/postgres-server.ts';
import { type PostgresVersion, startPostgres, type TestPostgres } from './postgres.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { until } from './until.ts';
import { WeirProcess } from './weir-process.ts';

/** Servers that somebody else has started, and ends. */
export interface Servers {
  readonly databaseUrl: string;
  /** null: the queue is on PostgreSQL. */
  readonly redisUrl: string | null;
}

export interface SiteOptions extends SetUp {
  readonly version: PostgresVersion;
  readonly queue: 'redis' | 'postgres';
  readonly settings?: Readonly<Record<string, string>>;
}

export interface SetUp {
  /** The host's own tables. */
  readonly schema: string;
  /** Directory of rules. */
  readonly rules: string;
  readonly yaml?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Between the host's tables and `weir init --apply`. */
  readonly prepare?: (client: pg.Client) => Promise<void>;
}

interface Own {
  readonly postgres: TestPostgres;
  readonly redis: TestRedis | null;
}

/** A place where Weir is at work: a PostgreSQL with a host's tables, a queue, `weir init --apply` done. */
export class Site {
  readonly directory: string;
  readonly redis: TestRedis | null;
  readonly env: Readonly<Record<string, string>>;
  readonly #databaseUrl: string;
  readonly #postgres: TestPostgres | null;
  readonly #processes: WeirProcess[] = [];

  private constructor(
    servers: Servers,
    own: Own | null,
    parts: Pick<Site, 'directory'> & Pick<SetUp, 'rules' | 'env'>,
  ) {
    const { databaseUrl, redisUrl } = servers;
    this.directory = parts.directory;
    this.redis = own?.redis ?? null;
    this.#postgres = own?.postgres ?? null;
    this.#databaseUrl = databaseUrl;
    this.env = {
      DATABASE_URL: databaseUrl,
      WEIR_RULES: parts.rules,
      LOG_LEVEL: 'debug',
      ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
      ...parts.env,
    };
  }

  /** With servers of its own. */
  static async open(options: SiteOptions): Promise<Site> {
    const { version, settings } = options;
    const postgres = await startPostgres({ version, ...(settings === undefined ? {} : { settings }) });
    const redis = options.queue === 'redis' ? await startRedis() : null;
    return Site.#setUp(
      { databaseUrl: postgres.url, redisUrl: redis?.url ?? null },
      { postgres, redis },
      options,
    );
  }

  static openOn(servers: Servers, options: SetUp): Promise<Site> {
    return Site.#setUp(servers, null, options);
  }

  static async #setUp(servers: Servers, own: Own | null, options: SetUp): Promise<Site> {
    const directory = await mkdtemp(join(tmpdir(), 'weir-site-'));
    const site = new Site(servers, own, { ...options, directory });
    try {
      await writeFile(join(directory, 'weir.yaml'), options.yaml ?? '');
      await site.withClient(async (client) => {
        await client.query(options.schema);
        await options.prepare?.(client);
      });
      await site.command('init', '--apply');
      return site;
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  /** Its own, to be stopped and started. */
  get postgres(): TestPostgres {
    if (this.#postgres === null) throw new Error('somebody else has started this PostgreSQL');
    return this.#postgres;
  }

  /** Not started yet. */
  async weir(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<WeirProcess> {
    const port = await freePort();
    const { directory } = this;
    const made = new WeirProcess({ name, args, env: { ...this.env, ...env }, directory, port });
    this.#processes.push(made);
    return made;
  }

  /** Runs to its end, which must be a good one; what it prints. */
  async command(...args: readonly string[]): Promise<string> {
    const name = `weir-${args[0] ?? 'help'}`;
    const command = new WeirProcess({ name, args, env: this.env, directory: this.directory });
    command.start();
    await command.ended();
    if (command.exitCode === 0) return command.stdout;
    throw new Error(`weir ${args.join(' ')} ended with ${command.exitCode}: ${await command.log()}`);
  }

  async withClient<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client(this.#databaseUrl);
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  rows<R>(sql: string, values: readonly unknown[] = []): Promise<R[]> {
    return this.withClient(async (client) => (await client.query(sql, [...values])).rows as R[]);
  }

  /** Every partition has committed all that was written so far. */
  async caughtUp(timeoutMs: number): Promise<void> {
    const [end] = await this.rows<{ lsn: string; text: string }>(
      `select lsn::text, lpad(split_part(lsn::text, '/', 1), 8, '0') || lpad(split_part(lsn::text, '/', 2), 8, '0') as text
       from pg_current_wal_insert_lsn() as lsn`,
    );
    await until(
      `every partition is beyond ${end?.lsn}`,
      () =>
        this.rows<{ least: string | null }>(
          'select min(position collate "C") as least from weir.checkpoints',
        ).then(
          ([row]) => (row?.least ?? '') > (end?.text ?? ''),
          () => false,
        ),
      timeoutMs,
    );
  }

  /** The logs stay, for whoever asks why. */
  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.end('SIGKILL')));
    await this.redis?.close();
    await this.#postgres?.close();
  }
}
