import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../../src/demo/postgres-server.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';

const RULES = `version: 1
events:
  transaction: { table: public.transactions }
rules:
  - { id: large, event: transaction, when: amount > 100, score: 80, actions: [alert] }
`;
const WEIR = resolve('bin/weir');

let postgres: TestPostgres;
let client: pg.Client;
let cwd: string;
const running: ChildProcess[] = [];
beforeAll(async () => {
  postgres = await startPostgres({ version: 15 });
  client = new pg.Client(postgres.url);
  await client.connect();
  await client.query('create table transactions (id int primary key, amount numeric)');
  cwd = mkdtempSync(join(tmpdir(), 'weir-run-'));
  writeFileSync(join(cwd, 'r.yaml'), RULES);
}, 60_000);
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await client.end();
  await postgres.close();
});

/** The built command line, as a user types it. */
function weir(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const all = { PATH: process.env['PATH'] ?? '', DATABASE_URL: postgres.url, WEIR_RULES: 'r.yaml', ...env };
  const child = spawn(process.execPath, [WEIR, ...argv], {
    cwd,
    env: all,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    text.stdout += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text.stderr += chunk.toString('utf8');
  });
  const exit = new Promise<number | null>((done) => child.once('close', done));
  return { child, text, exit };
}

async function alerts(): Promise<number> {
  const { rows } = await client.query<{ count: number }>('select count(*)::int as count from weir.alerts');
  return rows[0]?.count ?? 0;
}

async function startReady() {
  const port = await freePort();
  const started = weir(['run'], { WEIR_HTTP: `127.0.0.1:${port}` });
  const url = `http://127.0.0.1:${port}`;
  await until(
    'readyz is green',
    async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok === true,
    30_000,
  );
  return { ...started, url };
}

test('before init, and on a port that is in use, run says so and exits 2', async () => {
  const free = await freePort();
  const first = weir(['run'], { WEIR_HTTP: `127.0.0.1:${free}` });
  expect(await first.exit).toBe(2);
  expect(first.text.stderr).toContain('WEIR_NOT_INITIALISED');

  const taken = createServer();
  const port = await freePort();
  await new Promise<void>((listening) => taken.listen(port, '127.0.0.1', () => listening()));
  const second = weir(['run', '--http', `127.0.0.1:${port}`]);
  expect(await second.exit).toBe(2);
  expect(second.text.stderr).toContain(`cannot listen on 127.0.0.1:${port}`);
  taken.close();
}, 60_000);

test('after init --apply a row is an alert within a second; SIGTERM drains and leaves nothing to replay', async () => {
  const init = weir(['init', '--apply']);
  expect([await init.exit, init.text.stderr]).toEqual([0, '']);
  const first = await startReady();
  await client.query('insert into transactions values (1, 500)');
  await until('the first alert', async () => (await alerts()) === 1, 20_000);
  const committedMs = Date.now();
  await client.query('insert into transactions values (2, 500), (3, 5), (4, 101)');
  await until('two more alerts', async () => (await alerts()) === 3);
  expect(Date.now() - committedMs).toBeLessThan(1_000);
  const metrics = await (await fetch(`${first.url}/metrics`)).text();
  expect(metrics).toContain('weir_rule_hits_total{rule="large",mode="live"} 3');
  expect(metrics).toMatch(/weir_slot_retained_bytes [1-9]/);
  expect((await fetch(`${first.url}/queues`)).status).toBe(200);

  first.child.kill('SIGTERM');
  expect(await first.exit).toBe(0);
  const logged = first.text.stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string });
  expect(logged.map(({ msg }) => msg).join('\n')).toContain('draining');
  expect(first.text.stdout).toBe('');
  const { rows } = await client.query(
    `select s.confirmed_flush_lsn > a.lsn as sent, s.active from weir.acks a join pg_replication_slots s on s.slot_name = 'weir'`,
  );
  expect(rows).toEqual([{ sent: true, active: false }]);

  const second = await startReady();
  await client.query('insert into transactions values (5, 500)');
  await until('the alert after a restart', async () => (await alerts()) === 4, 20_000);
  second.child.kill('SIGTERM');
  expect(await second.exit).toBe(0);
}, 120_000);

test('an unreachable PostgreSQL exits 3, without its password', async () => {
  const { exit, text } = weir(['status'], { DATABASE_URL: 'postgresql://weir:hunter2@127.0.0.1:1/shop' });
  expect(await exit).toBe(3);
  expect(text.stderr.split('\n')[0]).toBe(
    'error: PostgreSQL at postgresql://weir:***@127.0.0.1:1/shop (DATABASE_URL): connect ECONNREFUSED 127.0.0.1:1',
  );
});
