import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type DrainRates, drainOnce, hasPgRecvlogical } from './drain.ts';
import { type Latency, type Memory, measureLatency, millionRowTransaction } from './latency.ts';
import { median } from './median.ts';
import { BACKENDS, type Backend, Stand } from './stand.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    patterns: { type: 'boolean', default: false },
    runs: { type: 'string', default: '5' },
    rows: { type: 'string', default: '300000' },
    seconds: { type: 'string', default: '10' },
  },
});

const runs = Number(values.runs);
const say = (line: string): void => console.error(line);

if (!hasPgRecvlogical()) {
  say('npm run bench needs pg_recvlogical for its limit: apt-get install postgresql-client');
  process.exit(3);
}

interface BackendResult {
  readonly rowsPerSecond: number;
  readonly ratio: number;
  readonly latencyMs: Latency;
  readonly memoryBytes: Memory;
}

async function main(): Promise<void> {
  const stand = await Stand.open({ patterns: values.patterns });
  try {
    const drains = await drain(stand);
    const bare = median(drains.map((rates) => rates.bare));
    const backends: Record<string, BackendResult> = {};
    for (const backend of BACKENDS) {
      const rowsPerSecond = median(drains.map((rates) => rates.weir[backend]));
      const ratio = median(drains.map((rates) => rates.weir[backend] / rates.bare));
      backends[backend] = { rowsPerSecond, ratio, ...(await runningNumbers(stand, backend)) };
    }
    report({
      machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
      node: process.version,
      bareRowsPerSecond: bare,
      backends,
    });
  } finally {
    await stand.close();
  }
}

async function drain(stand: Stand): Promise<readonly DrainRates[]> {
  const running = { redis: await stand.weir('redis'), postgres: await stand.weir('postgres') };
  for (const backend of BACKENDS) await running[backend].ready();
  const drains: DrainRates[] = [];
  // Run 0 warms up: V8 compiles, PostgreSQL makes its files.
  for (let run = 0; run <= runs; run += 1) {
    const rates = await drainOnce(stand, running, { run, rows: Number(values.rows) });
    const { redis, postgres } = rates.weir;
    say(
      `drain ${run}/${runs}: bare ${round(rates.bare)}, redis ${round(redis)}, postgres ${round(postgres)} rows/s`,
    );
    if (run > 0) drains.push(rates);
  }
  for (const backend of BACKENDS) await running[backend].stop();
  return drains;
}

async function runningNumbers(
  stand: Stand,
  backend: Backend,
): Promise<{ latencyMs: Latency; memoryBytes: Memory }> {
  await catchUp(stand, backend);
  const weir = await stand.weir(backend);
  await weir.ready();
  const rest = weir.residentBytes();
  weir.takePeak();
  const latencies: Latency[] = [];
  // Run 0 warms up.
  for (let run = 0; run <= runs; run += 1) {
    const latency = await measureLatency(stand, Number(values.seconds));
    say(
      `latency ${backend} ${run}/${runs}: p50 ${latency.p50.toFixed(1)}, p99 ${latency.p99.toFixed(1)}, p99.9 ${latency.p999.toFixed(1)} ms`,
    );
    if (run > 0) latencies.push(latency);
  }
  const load = weir.takePeak();
  const millionRows = await millionRowTransaction(stand, backend, weir);
  await weir.stop();
  return {
    latencyMs: {
      p50: median(latencies.map((l) => l.p50)),
      p99: median(latencies.map((l) => l.p99)),
      p999: median(latencies.map((l) => l.p999)),
      alerts: latencies.reduce((sum, l) => sum + l.alerts, 0),
    },
    memoryBytes: { rest, load, millionRows },
  };
}

/** What was written for the other backend, and what PostgreSQL has to tidy up after it, is not to be in these numbers. */
async function catchUp(stand: Stand, backend: Backend): Promise<void> {
  await stand.client.query('vacuum analyze');
  await stand.client.query('checkpoint');
  const weir = await stand.weir(backend);
  await stand.committed(backend, await stand.walEnd());
  await weir.stop();
}

interface Report {
  readonly machine: string;
  readonly node: string;
  readonly bareRowsPerSecond: number;
  readonly backends: Readonly<Record<string, BackendResult>>;
}

function report(result: Report): void {
  if (values.json) {
    console.log(JSON.stringify(result, null, 2));
    return;
  }
  const mb = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MB`;
  console.log(`${result.machine}, Node ${result.node}, PostgreSQL 18, medians of ${runs}`);
  console.log(`bare drain (pg_recvlogical): ${round(result.bareRowsPerSecond)} rows/s`);
  for (const [backend, r] of Object.entries(result.backends)) {
    const l = r.latencyMs;
    const m = r.memoryBytes;
    console.log(
      `${backend}: ${round(r.rowsPerSecond)} rows/s, ratio ${r.ratio.toFixed(2)}; commit to alert at 1,000 rows/s p50 ${l.p50.toFixed(1)} ms, p99 ${l.p99.toFixed(1)} ms, p99.9 ${l.p999.toFixed(1)} ms; resident ${mb(m.rest)} at rest, ${mb(m.load)} at load, ${mb(m.millionRows)} in a million-row transaction`,
    );
  }
}

function round(value: number): string {
  return Math.round(value).toLocaleString('en');
}

await main();
