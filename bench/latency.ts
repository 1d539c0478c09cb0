import pg from 'pg';
import { quantile } from './median.ts';
import type { Backend, RunningWeir, Stand } from './stand.ts';

export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly alerts: number;
}

const ROWS_A_SECOND = 1_000;
const CONNECTIONS = 4;
/** One row in so many is a large amount, and so an alert. */
const ROWS_AN_ALERT = 20;

/** Milliseconds from the return of a row's COMMIT to the NOTIFY of its alert, both seen by this process. */
export async function measureLatency(stand: Stand, seconds: number): Promise<Latency> {
  const committed = new Map<string, number>();
  const notified = new Map<string, number>();
  const listener = new pg.Client(stand.postgres.url);
  await listener.connect();
  listener.on('notification', ({ payload }) => {
    const alert = JSON.parse(payload ?? '{}') as { rule_id?: string; subject?: { id?: unknown } };
    if (alert.subject?.id !== undefined) notified.set(String(alert.subject.id), performance.now());
  });
  await listener.query('listen weir_alerts');
  await write(stand, seconds, committed);
  for (const deadline = Date.now() + 10_000; notified.size < committed.size && Date.now() < deadline; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await listener.end();
  const waits = [...committed].map(([id, at]) => Math.max(0, (notified.get(id) ?? Infinity) - at));
  return {
    p50: quantile(waits, 0.5),
    p99: quantile(waits, 0.99),
    p999: quantile(waits, 0.999),
    alerts: waits.length,
  };
}

async function write(stand: Stand, seconds: number, committed: Map<string, number>): Promise<void> {
  const clients = Array.from({ length: CONNECTIONS }, () => new pg.Client(stand.postgres.url));
  await Promise.all(clients.map((client) => client.connect()));
  const started = performance.now();
  let next = 0;
  const total = seconds * ROWS_A_SECOND;
  await Promise.all(
    clients.map(async (client) => {
      while (next < total) {
        const row = next;
        next += 1;
        const due = started + (row * 1_000) / ROWS_A_SECOND;
        const wait = due - performance.now();
        if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
        await insert(client, row, committed);
      }
    }),
  );
  await Promise.all(clients.map((client) => client.end()));
}

async function insert(client: pg.Client, row: number, committed: Map<string, number>): Promise<void> {
  const large = row % ROWS_AN_ALERT === 0;
  const done = await client.query({
    name: 'insert',
    text: `insert into transactions (user_id, amount, country, device_id) values ($1, $2, 'DE', 'device') returning id`,
    values: [1_000_000 + Math.floor(Math.random() * 100_000), large ? '10500.00' : '20.00'],
  });
  if (large) committed.set(String((done.rows as { id: string }[])[0]?.id), performance.now());
}

/** Resident bytes of Weir's process: idle, under the latency load, in one transaction of a million rows. */
export interface Memory {
  readonly rest: number;
  readonly load: number;
  readonly millionRows: number;
}

/** The highest resident memory, in bytes, while one transaction of a million rows (100,000 keys) goes through. */
export async function millionRowTransaction(
  stand: Stand,
  backend: Backend,
  weir: RunningWeir,
): Promise<number> {
  weir.takePeak();
  await stand.client.query(
    `insert into transactions (user_id, amount, country, device_id)
     select 2000000 + i % 100000, 20, 'DE', 'device' from generate_series(1, 1000000) i`,
  );
  await stand.committed(backend, await stand.walEnd());
  return weir.takePeak();
}
