import { spawn, spawnSync } from 'node:child_process';
import { BACKENDS, type Backend, type RunningWeir, type Stand } from './stand.ts';

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

/** A process of Weir on each backend: they stand still (SIGSTOP) while another drains. */
export type Running = Readonly<Record<Backend, RunningWeir>>;

/**
 * One backlog, written while nobody reads, as after a pause of the network; then drained bare, and by Weir on each
 * backend, whose code is warm and whose state is in memory. Rows a second.
 */
export async function drainOnce(stand: Stand, running: Running, { run, rows }: Backlog): Promise<DrainRates> {
  for (const backend of BACKENDS) running[backend].pause();
  await stand.client.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [BARE_SLOT]);
  await writeBacklog(stand, { run, rows });
  const end = await stand.walEnd();
  // What Weir's own commits write behind the backlog must not be drained by the bare reader: it goes first.
  const bareSeconds = await drainBare(stand, end.lsn);
  await stand.client.query('select pg_drop_replication_slot($1)', [BARE_SLOT]);
  const weir: Record<Backend, number> = { redis: 0, postgres: 0 };
  for (const backend of BACKENDS) {
    const started = performance.now();
    running[backend].resume();
    await stand.committed(backend, end);
    weir[backend] = rows / ((performance.now() - started) / 1_000);
    running[backend].pause();
  }
  for (const backend of BACKENDS) running[backend].resume();
  for (const backend of BACKENDS) await stand.committed(backend, await stand.walEnd());
  return { bare: rows / bareSeconds, weir };
}

interface Backlog {
  readonly run: number;
  readonly rows: number;
}

/** Other users in each run: a backlog is written in seconds, and is not to look like a thief to the rules. */
async function writeBacklog(stand: Stand, { run, rows }: Backlog): Promise<void> {
  await stand.client.query(
    `do $$ begin
       for i in 1..${Math.ceil(rows / ROWS_A_TRANSACTION)} loop
         insert into transactions (user_id, amount, type, country, device_id)
         select ${run * 1_000_000} + (random() * 100000)::int,
                (random() * 500 + case when random() < 0.002 then 10000 else 0 end)::numeric(12, 2),
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
