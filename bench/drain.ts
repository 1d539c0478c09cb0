import { spawn, spawnSync } from 'node:child_process';
import { until } from '../test/support/until.ts';
import { BACKENDS, type Backend, type Stand } from './stand.ts';

export interface DrainRates {
  readonly bare: number;
  readonly weir: Readonly<Record<Backend, number>>;
}

const ROWS_A_TRANSACTION = 100;
const BARE_SLOT = 'bench_bare';

/** pg_recvlogical comes with PostgreSQL's client programs; npm's PostgreSQL has none. */
export function hasPgRecvlogical(): boolean {
  return spawnSync('pg_recvlogical', ['--version']).status === 0;
}

/** One backlog, written while nobody reads; then drained bare, and by Weir on each backend. Rows a second. */
export async function drainOnce(stand: Stand, rows: number): Promise<DrainRates> {
  await stand.client.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [BARE_SLOT]);
  await writeBacklog(stand, rows);
  const end = await stand.walEnd();
  // What Weir's own commits write behind the backlog must not be drained by the bare reader: it goes first.
  const bareSeconds = await drainBare(stand, end.lsn);
  await stand.client.query('select pg_drop_replication_slot($1)', [BARE_SLOT]);
  const weir: Record<Backend, number> = { redis: 0, postgres: 0 };
  for (const backend of BACKENDS) weir[backend] = rows / (await drainWeir(stand, backend, end));
  return { bare: rows / bareSeconds, weir };
}

async function writeBacklog(stand: Stand, rows: number): Promise<void> {
  await stand.client.query(
    `do $$ begin
       for i in 1..${Math.ceil(rows / ROWS_A_TRANSACTION)} loop
         insert into transactions (user_id, amount, type, country, device_id)
         select (random() * 100000)::int, (random() * 500 + case when random() < 0.002 then 10000 else 0 end)::numeric(12, 2),
                'payment', case when random() < 0.002 then 'BR' else 'DE' end, 'device-' || (random() * 50000)::int
         from generate_series(1, ${ROWS_A_TRANSACTION});
         commit;
       end loop;
     end $$`,
  );
}

async function drainBare(stand: Stand, end: string): Promise<number> {
  const args = [
    '-d',
    stand.postgres.url,
    '--slot',
    BARE_SLOT,
    '--start',
    '--endpos',
    end,
    '--no-loop',
    '-f',
    '-',
  ];
  const options = [
    '-o',
    'proto_version=1',
    '-o',
    `publication_names=${stand.slot('redis')}_insert`,
    '-o',
    'messages=true',
  ];
  // The end position is only seen with a message beyond it.
  await stand.client.query(`select pg_logical_emit_message(true, 'bench', 'end')`);
  const started = performance.now();
  const child = spawn('pg_recvlogical', [...args, ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`pg_recvlogical ended with ${code}`);
  return (performance.now() - started) / 1_000;
}

/** From the epoch that the start raises (the slot is held, the stream begins) to the last partition's commit. */
async function drainWeir(stand: Stand, backend: Backend, end: { hex: string }): Promise<number> {
  const before = await stand.epoch(backend);
  const weir = await stand.weir(backend);
  await until('the epoch is raised', async () => (await stand.epoch(backend)) > before, 60_000);
  const started = performance.now();
  await stand.committed(backend, end);
  const seconds = (performance.now() - started) / 1_000;
  await weir.stop();
  return seconds;
}
