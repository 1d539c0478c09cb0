import { parseArgs } from 'node:util';
import { fold } from '../src/engine/fold.ts';
import { PartitionState } from '../src/engine/partition-state.ts';
import { positionText } from '../src/events/position.ts';
import { NO_ROW, type Row, SECOND } from '../src/events/row.ts';
import { compileRules } from '../src/rules/compile-rules.ts';
import type { Plan } from '../src/rules/plan.ts';
import { median } from './median.ts';

/**
 * The fold with many patterns, on one core: routing by event, lanes, deltas as JSON; no queue, no PostgreSQL. Prints one
 * JSON object of events/s (medians). The same three patterns look at each row in all of them: what the others cost is the
 * difference. Run it as `npm run bench:patterns`.
 */
const { values } = parseArgs({
  options: { events: { type: 'string', default: '200000' }, runs: { type: 'string', default: '5' } },
});
const EVENTS = Number(values.events);
const RUNS = Number(values.runs);
const BATCH = 2_000;
const START = Date.UTC(2026, 0, 1) * 1000;
const COLUMNS = { kind: 'text', name: 'text', user_id: 'int8' };

/** Three patterns, each a → b → c relaxed within minutes of its own, by user. */
function patternsOf(event: string, first: number): object[] {
  return [0, 1, 2].map((i) => ({
    id: `p${first + i}`,
    by: 'user_id',
    within: `${10 + i}m`,
    steps: ['a', 'b', 'c'].map((name) => ({ [name]: { event, when: `name == "${name}"` } })),
  }));
}

function compile(events: object, patterns: readonly object[]): Plan {
  const text = JSON.stringify({ version: 1, events, patterns });
  const { plan, problems } = compileRules([{ name: 'bench.yaml', text }], null);
  if (plan === null) throw new Error(problems.map(({ message }) => message).join('\n'));
  return plan;
}

/** Events that are tables of their own. */
function overTables(count: number): Plan {
  const names = Array.from({ length: count }, (_, i) => `k${i}`);
  const events = Object.fromEntries(names.map((name) => [name, { table: name, columns: COLUMNS }]));
  return compile(
    events,
    names.flatMap((name, i) => patternsOf(name, i * 3)),
  );
}

/** Events that are views of one table: which of them a row is, its conditions say. */
function overViews(count: number): Plan {
  const names = Array.from({ length: count }, (_, i) => `k${i}`);
  const views = names.map((name) => [name, { from: 'e', when: `kind == "${name}"` }]);
  return compile(
    { e: { table: 'e', columns: COLUMNS }, ...Object.fromEntries(views) },
    names.flatMap((name, i) => patternsOf(name, i * 3)),
  );
}

/** 10 % each of a, b and c, all of the first kind. */
function rowsOf(plan: Plan): Row[] {
  const columns = plan.tables[0]?.columns.map(({ name }) => name) ?? [];
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((seed / 0x8000_0000) * below);
  };
  return Array.from({ length: EVENTS }, (_, i): Row => {
    const at = START + i * 1_000;
    const name = 'abc'[Math.floor(random(1_000) / 100)] ?? 'x';
    const cells: Record<string, string> = { kind: 'k0', name, user_id: String(random(1_000)) };
    return {
      ...NO_ROW,
      cells: columns.map((column) => cells[column] ?? null),
      position: positionText('0000000000000001', i),
      at,
      commitAt: at,
      watermark: at - 1,
      roles: 3,
    };
  });
}

function speed(plan: Plan, rows: readonly Row[]): number {
  const state = new PartitionState(plan);
  const started = process.hrtime.bigint();
  for (let from = 0; from < rows.length; from += BATCH) {
    const batch = rows.slice(from, from + BATCH);
    for (const bucket of state.neededBuckets(batch)) state.install(bucket, null, []);
    const commitAt = batch.at(-1)?.commitAt ?? START;
    fold(plan, state, { rows: batch, watermarks: plan.tables.map(() => commitAt - 1), commitAt });
  }
  return rows.length / (Number(process.hrtime.bigint() - started) / 1e9);
}

function medianSpeed(plan: Plan): number {
  const rows = rowsOf(plan);
  speed(plan, rows);
  return Math.round(median(Array.from({ length: RUNS }, () => speed(plan, rows))));
}

const KINDS = 33;
console.log(
  JSON.stringify(
    {
      node: process.version,
      events: EVENTS,
      secondsOfEvents: (EVENTS * 1_000) / SECOND,
      threePatterns: medianSpeed(overTables(1)),
      ninetyNineOverTables: medianSpeed(overTables(KINDS)),
      threeOverAView: medianSpeed(overViews(1)),
      ninetyNineOverViews: medianSpeed(overViews(KINDS)),
    },
    null,
    2,
  ),
);
