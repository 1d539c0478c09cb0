import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CONFIG_KEYS } from '../../../src/cli/config-keys.ts';
import { loadConfig, loadSettings } from '../../../src/cli/load-config.ts';
import { WeirError } from '../../../src/errors.ts';

const URL = 'postgresql://weir:p4ss@db:5432/shop';

function directory(files: Readonly<Record<string, string>> = {}): string {
  const made = mkdtempSync(join(tmpdir(), 'weir-config-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(made, name), content);
  return made;
}

function load(given: {
  flags?: Record<string, unknown>;
  env?: Record<string, string>;
  files?: Record<string, string>;
}) {
  const cwd = directory(given.files);
  return loadConfig({ flags: given.flags ?? {}, env: { DATABASE_URL: URL, ...given.env }, cwd });
}

function refused(run: () => unknown): WeirError {
  try {
    run();
  } catch (error) {
    if (error instanceof WeirError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('where a setting comes from', () => {
  test('a flag wins over the environment, it over weir.yaml, and that over the default', () => {
    const files = { 'weir.yaml': 'slot: from_file\npartitions: 3\nhttp: 127.0.0.1:1\n' };
    const env = { WEIR_SLOT: 'from_env', WEIR_PARTITIONS: '4' };
    const config = load({ files, env, flags: { slot: 'from_flag' } });
    expect([config.slot, config.partitions, config.http.port, config.batch.rows]).toEqual([
      'from_flag',
      4,
      1,
      2_000,
    ]);
  });

  test('the store is the source and the queue the database weir_queue beside it, unless said otherwise', () => {
    expect(load({})).toMatchObject({
      storeUrl: URL,
      queue: { kind: 'postgres', url: 'postgresql://weir:p4ss@db:5432/weir_queue' },
    });
    const env = { WEIR_STORE_URL: 'postgres://s/store', REDIS_URL: 'redis://r:1' };
    expect(load({ env })).toMatchObject({
      storeUrl: 'postgres://s/store',
      queue: { kind: 'redis', url: 'redis://r:1' },
    });
    expect(load({ env: { WEIR_QUEUE_URL: 'postgres://q/q' } }).queue.url).toBe('postgres://q/q');
  });

  test('_FILE reads a secret from a file, without its last newline', () => {
    const cwd = directory({ secret: 'postgresql://x/y\n', token: 'abc' });
    const env = { DATABASE_URL_FILE: 'secret', WEIR_TOKEN_FILE: join(cwd, 'token') };
    const config = loadConfig({ flags: {}, env, cwd });
    expect([config.databaseUrl, config.http.token]).toEqual(['postgresql://x/y', 'abc']);
  });

  test('an empty variable is one that is not set', () => {
    expect(load({ env: { REDIS_URL: '', WEIR_SLOT: '' } })).toMatchObject({
      slot: 'weir',
      queue: { kind: 'postgres' },
    });
  });

  test('rules of weir.yaml are beside weir.yaml, rules of a flag where the command was typed', () => {
    const cwd = directory({ 'weir.yaml': 'rules: r' });
    expect(loadConfig({ flags: {}, env: { DATABASE_URL: URL }, cwd }).rulesPath).toBe(join(cwd, 'r'));
    expect(
      loadConfig({ flags: { config: join(cwd, 'weir.yaml') }, env: { DATABASE_URL: URL }, cwd: '/' })
        .rulesPath,
    ).toBe(join(cwd, 'r'));
    expect(loadConfig({ flags: { rules: 'x' }, env: { DATABASE_URL: URL }, cwd: '/etc' }).rulesPath).toBe(
      '/etc/x',
    );
  });

  test('budgets and webhooks are read from weir.yaml, with units', () => {
    const yaml = `batch: { rows: 10, bytes: 64kB, linger: 250ms }
memory: { in_flight_bytes: 1GB }
heartbeat: 2s
webhooks: { ops: { url: "https://x/y", secret: s } }
x-mine: anything
`;
    expect(load({ files: { 'weir.yaml': yaml } })).toMatchObject({
      batch: { rows: 10, bytes: 65_536, lingerMs: 250 },
      memory: { inFlightBytes: 1_073_741_824 },
      heartbeatMs: 2_000,
      webhooks: { ops: { url: 'https://x/y', secret: 's' } },
    });
  });

  test('IPv6 addresses stand in brackets', () => {
    expect(load({ env: { WEIR_HTTP: '[::1]:9000' } }).http).toMatchObject({ host: '::1', port: 9_000 });
  });
});

describe('what is refused', () => {
  test('no DATABASE_URL: with an example', () => {
    const error = refused(() => loadConfig({ flags: {}, env: {}, cwd: directory() }));
    expect([error.code, error.exit]).toEqual(['WEIR_NO_DATABASE_URL', 2]);
    expect(error.hint).toContain('export DATABASE_URL=postgresql://');
    expect(loadSettings({ flags: {}, env: {}, cwd: directory() }).databaseUrl).toBeNull();
  });

  test.each([
    [{ WEIR_PARTITIONS: '0' }, 'WEIR_PARTITIONS is "0": expected a whole number from 1 to 1024'],
    [{ WEIR_PARTITIONS: '8.5' }, 'WEIR_PARTITIONS is "8.5"'],
    [{ WEIR_SLOT: 'Weir-1' }, 'WEIR_SLOT is "Weir-1": expected 1 to 33 of a-z, 0-9 and _'],
    [{ WEIR_HTTP: '8090' }, 'WEIR_HTTP is "8090": expected host:port'],
    [{ WEIR_HTTP: '127.0.0.1:99999' }, 'WEIR_HTTP is "127.0.0.1:99999"'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL is "loud": expected one of fatal'],
    [
      { DATABASE_URL: 'mysql://a/b' },
      'DATABASE_URL is "mysql://a/b": expected a URL that begins with postgresql://',
    ],
    [
      { REDIS_URL: 'localhost:6379' },
      'REDIS_URL is "localhost:6379": expected a URL that begins with redis://',
    ],
  ])('%o', (env: Record<string, string>, message) => {
    expect(refused(() => load({ env })).message).toContain(message);
  });

  test('a DATABASE_URL that is wrong is not also told to be missing', () => {
    const env = { DATABASE_URL: 'x' };
    expect(refused(() => load({ env })).code).toBe('WEIR_CONFIG_VALUE');
  });

  test('a flag that is wrong is named as a flag', () => {
    expect(refused(() => load({ flags: { partitions: 'many' } })).message).toContain(
      '--partitions is "many"',
    );
  });

  test('an address that other machines reach, without a token', () => {
    const error = refused(() => load({ env: { WEIR_HTTP: '0.0.0.0:8090' } }));
    expect(error.code).toBe('WEIR_HTTP_NEEDS_TOKEN');
    expect(error.hint).toContain('WEIR_TOKEN');
    expect(load({ env: { WEIR_HTTP: '0.0.0.0:8090', WEIR_TOKEN: 't' } }).http.host).toBe('0.0.0.0');
  });

  test('an unknown key in weir.yaml, with its place and the nearest name', () => {
    const error = refused(() => load({ files: { 'weir.yaml': 'slot: a\nbatch:\n  row: 5\n' } }));
    expect(error.message).toBe('weir.yaml:3:3: unknown key batch.row');
    expect(error.hint).toBe('did you mean batch.rows?');
  });

  test('all problems at once, each at its place', () => {
    const yaml =
      'partitons: 3\nslot: A\nheartbeat: 5\nbatch: 7\nwebhooks: { ops: { url: ftp://x, secret: s, k: 1 } }\n';
    const { message, code } = refused(() => load({ files: { 'weir.yaml': yaml }, env: { WEIR_HTTP: 'x' } }));
    expect(code).toBe('WEIR_CONFIG');
    for (const part of [
      'weir.yaml:1:1: unknown key partitons (did you mean partitions?)',
      'weir.yaml:2:7: slot is "A"',
      'weir.yaml:3:12: heartbeat is "5"',
      'weir.yaml:4:8: batch is expected to be a map',
      'weir.yaml:5:18: webhooks.ops.url: expected a URL that begins with https://',
      'WEIR_HTTP is "x"',
    ])
      expect(message).toContain(part);
  });

  test('YAML that is broken, at its place', () => {
    const error = refused(() => load({ files: { 'weir.yaml': 'slot: a\nhttp: "x\n' } }));
    expect(error.message).toMatch(/weir\.yaml:\d+:\d+: broken YAML/);
  });

  test('a file that --config or _FILE names and that is not there', () => {
    expect(refused(() => load({ flags: { config: 'nope.yaml' } })).message).toContain('nope.yaml');
    const error = refused(() => load({ env: { WEIR_TOKEN_FILE: '/nope' } }));
    expect([error.code, error.message]).toEqual([
      'WEIR_SECRET_FILE',
      'WEIR_TOKEN_FILE is "/nope", which cannot be read (ENOENT)',
    ]);
  });

  test('a password is never in the message', () => {
    const error = refused(() => load({ env: { REDIS_URL: 'http://u:hunter2@h/x?password=hunter2' } }));
    expect(error.message).toContain('REDIS_URL');
    expect(error.message).not.toContain('hunter2');
  });
});

test('every variable of the interface has a key with a meaning', () => {
  const documented = [
    'DATABASE_URL',
    'WEIR_STORE_URL',
    'REDIS_URL',
    'WEIR_QUEUE_URL',
    'WEIR_RULES',
    'WEIR_HTTP',
    'WEIR_TOKEN',
    'WEIR_SLOT',
    'WEIR_PARTITIONS',
    'LOG_LEVEL',
  ];
  const known = CONFIG_KEYS.flatMap(({ env }) => (env === null ? [] : [env]));
  expect(known.sort()).toEqual(documented.sort());
  expect(CONFIG_KEYS.filter(({ meaning }) => meaning.length < 10)).toEqual([]);
});
