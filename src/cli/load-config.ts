import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Config, DEFAULTS, type QueueConfig } from '../config.ts';
import { WeirError } from '../errors.ts';
import { isLoopback } from '../monitor/http-access.ts';
import { type ConfigFile, NO_FILE, type Problem, readConfigFile } from './config-file.ts';
import { KEYS } from './config-keys.ts';
import { ConfigReader, type ConfigSources } from './config-reader.ts';

/** A Config that may lack the source: for commands that work without a database. */
export type Settings = Omit<Config, 'databaseUrl' | 'storeUrl' | 'queue'> & {
  readonly databaseUrl: string | null;
  readonly storeUrl: string | null;
  readonly queue: QueueConfig | null;
};

const FILE = 'weir.yaml';

/** Flags, environment, weir.yaml, defaults, in this order. Throws one error with every problem. */
export function loadConfig(sources: ConfigSources): Config {
  const { settings, problems, saidSource } = collect(sources);
  const { databaseUrl, storeUrl, queue } = settings;
  if (databaseUrl === null || storeUrl === null || queue === null)
    throw refusal(saidSource ? problems : [...problems, NO_DATABASE]);
  if (problems.length > 0) throw refusal(problems);
  return { ...settings, databaseUrl, storeUrl, queue };
}

/** The same, where no database is needed. */
export function loadSettings(sources: ConfigSources): Settings {
  const { settings, problems } = collect(sources);
  if (problems.length > 0) throw refusal(problems);
  return settings;
}

const NO_DATABASE: Problem = {
  code: 'WEIR_NO_DATABASE_URL',
  message: 'DATABASE_URL is not set: Weir does not know which PostgreSQL to read',
  hint: 'for example: export DATABASE_URL=postgresql://weir:PASSWORD@localhost:5432/shop (or DATABASE_URL_FILE=/run/secrets/database_url)',
};

function refusal(problems: readonly Problem[]): WeirError {
  const [first, ...more] = problems;
  if (first === undefined) throw new Error('no problem to refuse');
  const lines = [first, ...more].map(({ message, hint }) =>
    hint === undefined ? message : `${message} (${hint})`,
  );
  return new WeirError({
    code: more.length === 0 ? first.code : 'WEIR_CONFIG',
    message: more.length === 0 ? first.message : `${problems.length} problems:\n  ${lines.join('\n  ')}`,
    ...(more.length === 0 && first.hint !== undefined ? { hint: first.hint } : {}),
    retry: 'after-operator',
  });
}

interface Collected {
  readonly settings: Settings;
  readonly problems: readonly Problem[];
  /** DATABASE_URL was said, well or not. */
  readonly saidSource: boolean;
}

function collect(sources: ConfigSources): Collected {
  const { file, path, problems } = openFile(sources);
  const reader = new ConfigReader(sources, file, problems);
  const before = reader.problems.length;
  const databaseUrl = reader.get(KEYS.databaseUrl) ?? null;
  const saidSource = databaseUrl !== null || reader.problems.length > before;
  const storeUrl = reader.get(KEYS.storeUrl) ?? databaseUrl;
  const settings: Settings = {
    databaseUrl,
    storeUrl,
    queue: queueConfig(reader, storeUrl),
    rulesPath: reader.rulesPath(dirname(path)),
    http: httpConfig(reader),
    slot: reader.get(KEYS.slot) ?? DEFAULTS.slot,
    partitions: reader.get(KEYS.partitions) ?? DEFAULTS.partitions,
    role: reader.get(KEYS.role) ?? 'all',
    columns: reader.get(KEYS.columns) ?? 'used',
    adoptSlot: reader.get(KEYS.adoptSlot) ?? false,
    logLevel: reader.get(KEYS.logLevel) ?? 'info',
    batch: {
      rows: reader.get(KEYS.batchRows) ?? DEFAULTS.batch.rows,
      bytes: reader.get(KEYS.batchBytes) ?? DEFAULTS.batch.bytes,
      lingerMs: reader.get(KEYS.batchLinger) ?? DEFAULTS.batch.lingerMs,
    },
    memory: { inFlightBytes: reader.get(KEYS.inFlightBytes) ?? DEFAULTS.memory.inFlightBytes },
    state: { segmentBytes: reader.get(KEYS.segmentBytes) ?? DEFAULTS.state.segmentBytes },
    heartbeatMs: reader.get(KEYS.heartbeat) ?? DEFAULTS.heartbeatMs,
    webhooks: file.webhooks,
  };
  return { settings, problems: reader.problems, saidSource };
}

function openFile({ flags, cwd }: ConfigSources): { file: ConfigFile; path: string; problems: Problem[] } {
  const asked = flags['config'];
  const shown = typeof asked === 'string' ? asked : FILE;
  const path = resolve(cwd, shown);
  if (existsSync(path)) {
    const file = readConfigFile(path, shown);
    return { file, path, problems: [...file.problems] };
  }
  const missing: Problem[] =
    asked === undefined
      ? []
      : [{ code: 'WEIR_CONFIG_FILE', message: `--config ${shown}: there is no such file` }];
  return { file: NO_FILE, path, problems: missing };
}

function queueConfig(reader: ConfigReader, storeUrl: string | null): QueueConfig | null {
  const redis = reader.get(KEYS.redisUrl);
  const postgres = reader.get(KEYS.queueUrl);
  if (redis !== undefined) return { kind: 'redis', url: redis };
  if (postgres !== undefined) return { kind: 'postgres', url: postgres };
  return storeUrl === null ? null : { kind: 'postgres', url: beside(storeUrl) };
}

/** The same server and role, another database. */
function beside(storeUrl: string): string {
  const url = new URL(storeUrl);
  url.pathname = `/${DEFAULTS.queueDatabase}`;
  return url.href;
}

function httpConfig(reader: ConfigReader): Config['http'] {
  const { host, port } = reader.get(KEYS.http) ?? KEYS.http.schema.parse(DEFAULTS.http);
  const token = reader.get(KEYS.token) ?? null;
  if (!isLoopback(host) && token === null)
    reader.problems.push({
      code: 'WEIR_HTTP_NEEDS_TOKEN',
      message: `WEIR_HTTP is ${host}:${port}, which other machines reach, and WEIR_TOKEN is not set`,
      hint: `set WEIR_TOKEN (for example to the output of: openssl rand -hex 32), or listen on ${DEFAULTS.http}`,
    });
  return { host, port, token, allowActions: reader.get(KEYS.allowActions) ?? false };
}
