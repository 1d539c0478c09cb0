import { parseArgs } from 'node:util';
import { SECOND } from '../src/events/row.ts';
import { medianOf, type Size, type Speed, sizeOf } from './engine-fold.ts';
import { ALL, planOf, rowsOf, ruleTexts, SUMS, windowTexts } from './engine-rows.ts';

/**
 * The risk engine alone, on one core: no queue, no PostgreSQL. Rows/s with 10 and with 100 rules, over short windows
 * and over long ones, and bytes a key in memory and in the store. `npm run bench:engine`, or with `-- --json`.
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '300000' },
    runs: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const rows = Number(values.rows);
const runs = Number(values.runs);
const MONTH = 30 * 86_400;
const BUSY_ROWS = 100_000;
const KEYS = 100_000;

/** Windows of 30 days over a key of 100,000 rows, and over 100,000 keys of three. */
const LONG: readonly (readonly [name: string, functions: readonly string[], over: string])[] = [
  ['sliding: count sum avg min max', SUMS, '30d'],
  ['sliding: stddev', ['stddev: amount'], '30d'],
  ['sliding: percentile', ['percentile: [amount, 95]'], '30d'],
  ['sliding: first_seen', ['first_seen: device'], '30d'],
  ['tumbling: count sum avg min max', SUMS, '{ tumbling: 30d }'],
  ['hopping by days: the same', SUMS, '{ hopping: 30d, every: 1d }'],
  ['the last 100 rows: all ten', ALL, '{ rows: 100 }'],
  ['session of 30 minutes: all ten', ALL, '{ session: 30m }'],
];

function rulesOf(
  count: number,
  over: (rule: number) => string,
  traffic: Parameters<typeof rowsOf>[2],
): Speed {
  const plan = planOf(ruleTexts(count, over));
  return medianOf(plan, rowsOf(plan, count > 10 ? rows / 5 : rows, traffic), { runs });
}

function longOf(functions: readonly string[], over: string): { speed: Speed; busy: Size; quiet: Size } {
  const plan = planOf(windowTexts(functions, over));
  const busy = { users: 1, perSecond: BUSY_ROWS / MONTH };
  const quiet = { users: KEYS, perSecond: (KEYS * 3) / MONTH, inTurn: true };
  return {
    busy: sizeOf(plan, () => rowsOf(plan, BUSY_ROWS, busy)),
    quiet: sizeOf(plan, () => rowsOf(plan, KEYS * 3, quiet)),
    speed: medianOf(plan, rowsOf(plan, BUSY_ROWS * 2, busy), { runs, warm: BUSY_ROWS }),
  };
}

const short = (rule: number): string => `${10 + rule}s`;
const usual = { users: 2_000, perSecond: 1_000 };
const report = {
  node: process.version,
  tenRules: rulesOf(10, short, usual),
  hundredRules: rulesOf(100, short, usual),
  tenRulesOutOfOrder: rulesOf(10, short, { ...usual, jitter: 2 * SECOND }),
  long: Object.fromEntries(LONG.map(([name, functions, over]) => [name, longOf(functions, over)])),
};

if (values.json) console.log(JSON.stringify(report, null, 2));
else {
  const { long, node: _, ...rules } = report;
  console.table(rules);
  console.table(
    Object.fromEntries(
      Object.entries(long).map(([name, { speed, busy, quiet }]) => [
        name,
        {
          'rows/s': speed.rowsPerSecond,
          'rows/CPU s': speed.rowsPerCpuSecond,
          'busy: heap': busy.heapBytesPerKey,
          'busy: store': busy.storeBytesPerKey,
          'quiet: heap': quiet.heapBytesPerKey,
          'quiet: store': quiet.storeBytesPerKey,
        },
      ]),
    ),
  );
}
