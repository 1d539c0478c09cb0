import { parseArgs } from 'node:util';
import { type Folded, fold } from '../src/engine/fold.ts';
import { PartitionState } from '../src/engine/partition-state.ts';
import { positionText } from '../src/events/position.ts';
import { type Row, SECOND } from '../src/events/row.ts';
import { compileRules } from '../src/rules/compile-rules.ts';
import type { Plan } from '../src/rules/plan.ts';
import { median } from './median.ts';

/**
 * The fold alone, on one core: no queue, no PostgreSQL. Prints one JSON object: rows/s with 10 and with 100
 * rules over keys of few entries, rows/s over one key of 100,000 entries, bytes of memory a key. Run it as
 * `node --expose-gc --import tsx bench/engine.ts`; without --expose-gc the bytes are null.
 */
const { values } = parseArgs({
  options: { rows: { type: 'string', default: '300000' }, runs: { type: 'string', default: '5' } },
});
const ROWS = Number(values.rows);
const RUNS = Number(values.runs);
const BATCH = 2_000;
/** As the worker does after each batch. */
const SWEEP_KEYS = 64;
const START = Date.UTC(2026, 0, 1) * 1000;

const HEAD = `version: 1
events:
  transaction:
    table: public.transactions
    id: id
    columns: { id: int8, user_id: int8, amount: numeric, country: text, device: text }
scoring:
  transaction: { combine: sum, bands: { flag: 50, block: 100 } }
rules:
`;

const LETS = [
  'a: { count: transaction, by: user_id, over: OVER }',
  'a: { sum: amount, by: user_id, over: OVER }',
  'a: { avg: amount, by: user_id, over: OVER }',
  'a: { max: amount, by: user_id, over: OVER }',
  'a: { min: amount, by: user_id, over: OVER }',
  'a: { distinct: country, by: user_id, over: OVER }',
  'a: { distinct: device, by: user_id, over: OVER }',
  'a: { count: transaction, by: user_id, over: OVER, current: false }',
];
const WHENS = ['a > 1000000000 && amount > 10', 'country != "DE" && amount > 9990'];

/** Each rule with a window of its own length, then some that look at the row alone. */
function planOf(rules: number, over: (rule: number) => string): Plan {
  const texts = Array.from({ length: rules }, (_, i) => {
    const window = LETS[i % (LETS.length + 2)];
    const head = `  - id: r${i}\n    event: transaction\n    score: 10\n    actions: [alert]\n`;
    return window === undefined
      ? `${head}    when: ${WHENS[1]}\n`
      : `${head}    let: { ${window.replace('OVER', over(i))} }\n    when: ${WHENS[0]}\n`;
  });
  const { plan, problems } = compileRules([{ name: 'bench.yaml', text: HEAD + texts.join('') }], null);
  if (plan === null) throw new Error(problems.map(({ message }) => message).join('\n'));
  return plan;
}

function rowsOf(plan: Plan, count: number, of: { users: number; perSecond: number; jitter?: number }): Row[] {
  const names = plan.tables[0]?.columns.map(({ name }) => name) ?? [];
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((seed / 0x8000_0000) * below);
  };
  const roles = 1 | ((plan.tables[0]?.keys.length ?? 0) > 0 ? 2 : 0);
  return Array.from({ length: count }, (_, i): Row => {
    const commitAt = START + Math.floor((i / of.perSecond) * SECOND);
    const cells: Record<string, string> = {
      id: String(i),
      user_id: String(random(of.users)),
      amount: `${random(10_000)}.${10 + random(90)}`,
      country: ['DE', 'FR', 'PL', 'US'][random(4)] ?? 'DE',
      device: `d${random(50)}`,
    };
    const at = commitAt - (of.jitter === undefined ? 0 : random(of.jitter));
    const position = positionText('0000000000000001', i);
    const watermark = commitAt - (of.jitter ?? 0) - 1;
    return {
      table: 0,
      op: 'insert',
      cells: names.map((name) => cells[name] ?? null),
      old: null,
      position,
      at,
      commitAt,
      watermark,
      late: false,
      roles,
    };
  });
}

interface Run {
  readonly rowsPerSecond: number;
  /** By the processor's time: what a core would do that nobody else uses. */
  readonly rowsPerCpuSecond: number;
  readonly deltaBytesPerRow: number;
}

function run(plan: Plan, rows: readonly Row[], warm = 0): Run {
  const state = new PartitionState(plan);
  let started = process.hrtime.bigint();
  let cpu = process.cpuUsage();
  let deltaBytes = 0;
  for (let from = 0; from < rows.length; from += BATCH) {
    if (from === warm) {
      started = process.hrtime.bigint();
      cpu = process.cpuUsage();
    }
    const batch = rows.slice(from, from + BATCH);
    for (const bucket of state.neededBuckets(batch)) state.install(bucket, null, []);
    const last = batch.at(-1) as Row;
    const { delta }: Folded = fold(plan, state, {
      rows: batch,
      watermarks: [last.watermark],
      commitAt: last.commitAt,
    });
    for (const json of delta.values()) deltaBytes += json.length;
    state.sweep(SWEEP_KEYS);
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  return {
    rowsPerSecond: Math.round((rows.length - warm) / seconds),
    rowsPerCpuSecond: Math.round((rows.length - warm) / ((user + system) / 1e6)),
    deltaBytesPerRow: Math.round(deltaBytes / rows.length),
  };
}

function medianOf(plan: Plan, rows: readonly Row[], warm = 0): Run {
  run(plan, rows, warm);
  const runs = Array.from({ length: RUNS }, () => run(plan, rows, warm));
  return {
    rowsPerSecond: median(runs.map(({ rowsPerSecond }) => rowsPerSecond)),
    rowsPerCpuSecond: median(runs.map(({ rowsPerCpuSecond }) => rowsPerCpuSecond)),
    deltaBytesPerRow: runs[0]?.deltaBytesPerRow ?? 0,
  };
}

/** Resident heap a key, with one and with five entries in it. */
function bytesPerKey(entries: number): number {
  const plan = planOf(8, () => '30d');
  const keys = 50_000;
  const rows = rowsOf(plan, keys * entries, { users: keys, perSecond: 10_000 }).map((row, i) => ({
    ...row,
    cells: row.cells.map((cell, column) =>
      plan.tables[0]?.columns[column]?.name === 'user_id' ? String(i % keys) : cell,
    ),
  }));
  const state = new PartitionState(plan);
  for (const bucket of state.neededBuckets(rows)) state.install(bucket, null, []);
  global.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let from = 0; from < rows.length; from += BATCH) {
    fold(plan, state, { rows: rows.slice(from, from + BATCH), watermarks: [], commitAt: START });
  }
  global.gc?.();
  const used = process.memoryUsage().heapUsed - before;
  if (state.stats().keys !== keys) throw new Error('not every row found its key');
  return Math.round(used / keys);
}

const short = (rule: number): string => `${10 + rule}s`;
const ten = planOf(10, short);
const hundred = planOf(100, short);
const long = planOf(8, (rule) => `${1000 - rule}s`);
const usual = { users: 2_000, perSecond: 1_000 };
const oneKey = { users: 1, perSecond: 100 };
const report = {
  node: process.version,
  rows: ROWS,
  tenRules: medianOf(ten, rowsOf(ten, ROWS, usual)),
  hundredRules: medianOf(hundred, rowsOf(hundred, ROWS / 5, usual)),
  tenRulesOutOfOrder: medianOf(ten, rowsOf(ten, ROWS, { ...usual, jitter: 2 * SECOND })),
  windowOf100000Entries: medianOf(long, rowsOf(long, 200_000, oneKey), 100_000),
  windowOf100000EntriesOutOfOrder: medianOf(
    long,
    rowsOf(long, 200_000, { ...oneKey, jitter: 2 * SECOND }),
    100_000,
  ),
  bytesPerKey: global.gc === undefined ? null : { oneEntry: bytesPerKey(1), fiveEntries: bytesPerKey(5) },
};
console.log(JSON.stringify(report, null, 2));
