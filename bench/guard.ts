import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../test/support/postgres.ts';
import { median } from './median.ts';

/**
 * What a guard costs the host's inserts: none, a guard, and what people write today, a trigger that evaluates the same
 * rules and counts a window, row by row, and writes an event. `npm run bench:guard`.
 */
const RUNS = 5;
const SECONDS = 3;
const BULK_ROWS = 20_000;
const BLOCKS = 100_000;
const VARIANTS = ['none', 'guard', 'trigger'] as const;
type Variant = (typeof VARIANTS)[number];

const RULES = `version: 1
events: { transaction: { table: public.t_guard } }
lists: { trusted: { values: ["42"] } }
rules:
  - id: frequent
    event: transaction
    let: { n: { count: transaction, by: user_id, over: 1m } }
    when: n > 10
    actions: [block]
    block: { by: user_id, for: 24h }
  - { id: huge, event: transaction, when: amount > 100000, unless: user_id in lists.trusted, guard: true }
  - { id: abroad, event: transaction, when: 'amount > 500 && country in ["XX", "YY"]', guard: true }
`;

const TABLES = VARIANTS.map(
  (
    name,
  ) => `create table t_${name} (id bigint generated always as identity primary key, user_id bigint not null,
    amount numeric(12, 2) not null, country text not null, created_at timestamptz not null default now());
  create index on t_${name} (user_id, created_at);`,
).join('\n');

const HAND_WRITTEN = `
  create table events (id bigint generated always as identity primary key, user_id bigint, score int, payload jsonb, at timestamptz default now());
  create table blocked (user_id bigint primary key, until timestamptz not null);
  create table trusted (user_id bigint primary key);
  insert into blocked select 1000000 + n, now() + interval '1 day' from generate_series(1, ${BLOCKS}) n;
  create function judge() returns trigger language plpgsql as $$
  declare
    score int := 0;
    n bigint;
  begin
    if exists (select from blocked b where b.user_id = new.user_id and b.until > clock_timestamp()) then
      raise exception 'blocked';
    end if;
    if new.amount > 100000 and not exists (select from trusted t where t.user_id = new.user_id) then
      raise exception 'huge';
    end if;
    if new.amount > 500 and new.country in ('XX', 'YY') then
      raise exception 'abroad';
    end if;
    select count(*) into n from t_trigger t where t.user_id = new.user_id and t.created_at > now() - interval '1 minute';
    if n >= 10 then
      score := 60;
    end if;
    insert into events (user_id, score, payload) values (new.user_id, score, to_jsonb(new));
    return new;
  end $$;
  create trigger judge before insert on t_trigger for each row execute function judge();`;

function requirePgbench(): void {
  if (spawnSync('pgbench', ['--version']).status === 0) return;
  if (process.getuid?.() !== 0) throw new Error('pgbench is missing: apt-get install postgresql-contrib');
  execFileSync('sh', ['-c', 'apt-get update -qq && apt-get install -y -qq postgresql-contrib >&2']);
}

function weir(argv: readonly string[], url: string, rules: string): void {
  const env = { ...process.env, DATABASE_URL: url, WEIR_RULES: rules };
  execFileSync(join(import.meta.dirname, '../bin/weir'), argv, {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Single-row inserts a second, by four sessions. */
function insertsPerSecond(url: string, script: string): number {
  const args = ['-n', '-M', 'prepared', '-c', '4', '-j', '2', '-T', String(SECONDS), '-f', script, url];
  const { stdout, stderr, status } = spawnSync('pgbench', args, { encoding: 'utf8' });
  const tps = /tps = ([\d.]+)/.exec(stdout)?.[1];
  if (status !== 0 || tps === undefined) throw new Error(`pgbench: ${stdout}${stderr}`);
  return Number(tps);
}

/** Microseconds a row of one large statement. */
async function bulkMicros(client: pg.Client, variant: Variant): Promise<number> {
  const started = performance.now();
  await client.query(`insert into t_${variant} (user_id, amount, country)
    select 1 + n % 200000, 10, 'DE' from generate_series(1, ${BULK_ROWS}) n`);
  return ((performance.now() - started) * 1_000) / BULK_ROWS;
}

requirePgbench();
const postgres = await startPostgres({ version: 18 });
const directory = mkdtempSync(join(tmpdir(), 'weir-bench-guard-'));
const client = new pg.Client(postgres.url);
try {
  const rules = join(directory, 'rules.yaml');
  writeFileSync(rules, RULES);
  await client.connect();
  await client.query(TABLES);
  await client.query(HAND_WRITTEN);
  weir(['init', '--apply'], postgres.url, rules);
  weir(['guard', 'install', 'public.t_guard', '--apply'], postgres.url, rules);
  await client.query(`insert into weir.blocks (subject_key, subject_value, reason, until, processor_id)
    select 'user_id', (1000000 + n)::text, 'frequent', now() + interval '1 day', 'weir' from generate_series(1, ${BLOCKS}) n`);
  await client.query('vacuum analyze');
  const scripts = VARIANTS.map((variant) => {
    const path = join(directory, `${variant}.sql`);
    const insert = `insert into t_${variant} (user_id, amount, country) values (:u, 10, 'DE');`;
    writeFileSync(path, `\\set u random(1, 200000)\n${insert}\n`);
    return [variant, path] as const;
  });
  const measured = { inserts: new Map<Variant, number[]>(), bulk: new Map<Variant, number[]>() };
  const keep = (of: Map<Variant, number[]>, variant: Variant, value: number): void => {
    of.set(variant, [...(of.get(variant) ?? []), value]);
  };
  // In turn, so that a neighbour's noise meets all of them.
  for (let run = 0; run < RUNS; run++) {
    for (const [variant, script] of scripts) {
      keep(measured.inserts, variant, insertsPerSecond(postgres.url, script));
      keep(measured.bulk, variant, await bulkMicros(client, variant));
    }
  }
  const none = median(measured.inserts.get('none') ?? []);
  for (const variant of VARIANTS) {
    const tps = median(measured.inserts.get(variant) ?? []);
    const micros = median(measured.bulk.get(variant) ?? []);
    const ratio = (tps / none).toFixed(2);
    console.log(
      `${variant.padEnd(8)} ${Math.round(tps)} inserts/s (${ratio})   ${micros.toFixed(1)} µs a row of ${BULK_ROWS}`,
    );
  }
} finally {
  await client.end();
  await postgres.close();
  rmSync(directory, { recursive: true, force: true });
}
