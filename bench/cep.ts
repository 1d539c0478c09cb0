import { parseArgs } from 'node:util';
import { type Definition, definitionOf } from '../src/engine/cep/definition.ts';
import { snapshot, takeDelta } from '../src/engine/cep/journal.ts';
import { Lane } from '../src/engine/cep/lane.ts';
import { receive } from '../src/engine/cep/receive.ts';
import type { Sink } from '../src/engine/cep/sink.ts';
import { positionText } from '../src/events/position.ts';
import { type Cell, NO_ROW, type Row, SECOND } from '../src/events/row.ts';
import { compileRules } from '../src/rules/compile-rules.ts';
import type { PatternPlan } from '../src/rules/pattern-plan.ts';
import type { Plan } from '../src/rules/plan.ts';
import { median } from './median.ts';

/**
 * The engine of patterns alone, on one core: no queue, no PostgreSQL, no JSON but where bytes are told. Prints one
 * JSON object of events/s (medians). Run it as `node --expose-gc --import tsx bench/cep.ts`; without --expose-gc
 * the bytes of memory are null.
 */
const { values } = parseArgs({
  options: { events: { type: 'string', default: '300000' }, runs: { type: 'string', default: '5' } },
});
const EVENTS = Number(values.events);
const RUNS = Number(values.runs);
const START = Date.UTC(2026, 0, 1) * 1000;

const HEAD = {
  version: 1,
  events: {
    e: {
      table: 'e',
      columns: { name: 'text', user_id: 'int8', amount: 'numeric', country: 'text' },
      id: 'user_id',
    },
  },
};

const letter = (name: string, parts: object = {}) => ({
  [name]: { event: 'e', when: `name == "${name}"`, ...parts },
});
const BY_USER = { by: 'user_id', within: '10m' };
const SEQUENCE = { ...BY_USER, steps: [letter('a'), letter('b'), letter('c')] };
const ANY = {
  ...BY_USER,
  after_match: 'no_skip',
  steps: [letter('a'), letter('b', { contiguity: 'any' }), letter('c')],
};
/** The fraud sequence of the rule language, over one table. */
const FRAUD = {
  ...BY_USER,
  within: '5m',
  steps: [
    { login: { event: 'e', when: 'name == "a"' } },
    { transfer: { event: 'e', when: 'name == "b" && amount > 1000', within: '1m', times: '1+' } },
    { logout: { event: 'e', when: 'name == "c"', within: '30s' } },
  ],
  let: { total: { sum: 'transfer.amount' }, moved: { changed: 'country' } },
  when: 'total > 5000 && moved',
};

function planOf(patterns: readonly object[]): Plan {
  const text = JSON.stringify({
    ...HEAD,
    patterns: patterns.map((pattern, i) => ({ id: `p${i}`, ...pattern })),
  });
  const { plan, problems } = compileRules([{ name: 'bench.yaml', text }], null);
  if (plan === null) throw new Error(problems.map(({ message }) => message).join('\n'));
  return plan;
}

interface Traffic {
  readonly keys: number;
  readonly perSecond: number;
  /** The name of a row, of a number below 1,000. */
  readonly nameOf: (random: number) => string;
}

/** 10 % each of a, b and c; the rest are other names of the same event. */
const TENTHS = (random: number): string => 'abc'[Math.floor(random / 100)] ?? `x${random % 10}`;

function rowsOf(plan: Plan, count: number, { keys, perSecond, nameOf }: Traffic): Row[] {
  const columns = plan.tables[0]?.columns.map(({ name }) => name) ?? [];
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((seed / 0x8000_0000) * below);
  };
  return Array.from({ length: count }, (_, i): Row => {
    const at = START + Math.floor((i / perSecond) * SECOND);
    const cells: Record<string, Cell> = {
      name: nameOf(random(1_000)),
      user_id: String(random(keys)),
      amount: `${random(10_000)}.${10 + random(90)}`,
      country: ['DE', 'FR', 'PL', 'US'][random(4)] ?? 'DE',
    };
    return {
      ...NO_ROW,
      cells: columns.map((name) => cells[name] ?? null),
      position: positionText('0000000000000001', i),
      at,
      commitAt: at,
      watermark: at - 1,
      roles: 3,
    };
  });
}

/** One pattern and its lanes; a row bears the event of every step. */
class Running {
  readonly definition: Definition;
  readonly lanes = new Map<string, Lane>();
  readonly #column: number;
  readonly #steps: number;
  matches = 0;
  evicted = 0;
  readonly #sink: Sink = {
    match: () => void this.matches++,
    timeout: () => {},
    failed: ({ error }) => {
      throw error;
    },
    evicted: (count) => {
      this.evicted += count;
    },
  };

  constructor(pattern: PatternPlan) {
    this.definition = definitionOf(pattern);
    this.#column = pattern.inputs[0]?.by[0] ?? 0;
    this.#steps = pattern.steps.reduce((bits, _, step) => bits | (1 << step), 0);
  }

  row(row: Row): void {
    const key = String(row.cells[this.#column]);
    const known = this.lanes.get(key);
    const lane = known ?? new Lane();
    receive(this.definition, lane, { row, steps: this.#steps, watermark: row.at - 1, sink: this.#sink });
    if (lane.empty) {
      if (known !== undefined) this.lanes.delete(key);
    } else if (known === undefined) this.lanes.set(key, lane);
  }

  live(): number {
    let live = 0;
    for (const lane of this.lanes.values()) live += lane.size;
    return live;
  }
}

/** Events/s over the rows from `warm` on. */
function speed(patterns: readonly PatternPlan[], rows: readonly Row[], warm: number): number {
  const running = patterns.map((pattern) => new Running(pattern));
  let started = process.hrtime.bigint();
  for (const [index, row] of rows.entries()) {
    if (index === warm) started = process.hrtime.bigint();
    for (const one of running) one.row(row);
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  return Math.round((rows.length - warm) / seconds);
}

function medianSpeed(plan: Plan, rows: readonly Row[], warm = 0): number {
  speed(plan.patterns, rows, warm);
  return median(Array.from({ length: RUNS }, () => speed(plan.patterns, rows, warm)));
}

function after(plan: Plan, rows: Iterable<Row>): Running {
  const running = new Running(plan.patterns[0] as PatternPlan);
  for (const row of rows) running.row(row);
  return running;
}

/** One partial match begun in each of so many keys, all at once; rows are made one by one, so that only lanes keep them. */
function filled(plan: Plan, keys: number): Running {
  const running = new Running(plan.patterns[0] as PatternPlan);
  const [row] = rowsOf(plan, 1, { keys: 1, perSecond: 1, nameOf: () => 'a' }) as [Row];
  for (let key = 0; key < keys; key++) {
    const cells = row.cells.map((cell) => (cell === '0' ? String(key) : cell));
    running.row({ ...row, cells, position: positionText('0000000000000000', key) });
  }
  if (running.live() !== keys) throw new Error('not every row began a partial match');
  return running;
}

/** Heap a partial match of a key of its own, with its row and its place among the keys. */
function heapBytes(plan: Plan): number | null {
  if (global.gc === undefined) return null;
  global.gc();
  const before = process.memoryUsage().heapUsed;
  const keys = 100_000;
  const running = filled(plan, keys);
  global.gc();
  return Math.round((process.memoryUsage().heapUsed - before) / running.live());
}

/** Events/s among so many keys that all have a partial match. */
function fullSpeed(keys: number): number {
  const rows = rowsOf(sequence, EVENTS, { keys, perSecond: 10_000, nameOf: TENTHS });
  const once = () => {
    const running = filled(sequence, keys);
    global.gc?.();
    const started = process.hrtime.bigint();
    for (const row of rows) running.row(row);
    return Math.round(EVENTS / (Number(process.hrtime.bigint() - started) / 1e9));
  };
  return median(Array.from({ length: RUNS }, once));
}

/** What of a lane of 1,000 partial matches is saved, all at once and for one event more. */
function savedBytes(plan: Plan): { readonly snapshotBytes: number; readonly deltaBytes: number } {
  const traffic = { keys: 1, perSecond: 1_000, nameOf: () => 'a' };
  const rows = rowsOf(plan, 1_001, traffic);
  const running = after(plan, rows.slice(0, -1));
  const lane = [...running.lanes.values()][0] as Lane;
  const snapshotBytes = Math.round(JSON.stringify(snapshot(lane)).length / lane.size);
  takeDelta(lane);
  running.row(rows.at(-1) as Row);
  return { snapshotBytes, deltaBytes: JSON.stringify(takeDelta(lane)).length };
}

const sequence = planOf([SEQUENCE]);
const fraud = planOf([FRAUD]);
const any = planOf([ANY]);
const overKeys = (plan: Plan, keys: number) =>
  medianSpeed(plan, rowsOf(plan, EVENTS, { keys, perSecond: 1_000, nameOf: TENTHS }), 0);

/** a is begun and never goes on: within holds 1,000 of them. */
function liveSpeed(live: number): number {
  const plan = planOf([{ ...SEQUENCE, after_match: 'no_skip', within: '10s' }]);
  const nameOf = (random: number) => (random < 100 ? 'a' : random < 200 ? 'c' : `x${random % 10}`);
  const rows = rowsOf(plan, EVENTS, { keys: 1, perSecond: live, nameOf });
  const found = after(plan, rows).live();
  if (Math.abs(found - live) > live / 5) throw new Error(`${found} partial matches live, not ${live}`);
  return medianSpeed(plan, rows, EVENTS / 10);
}

function patternsSpeed(count: number): number {
  const plan = planOf(Array.from({ length: count }, (_, i) => ({ ...FRAUD, within: `${240 + i}s` })));
  return medianSpeed(
    plan,
    rowsOf(plan, EVENTS / Math.min(count, 10), { keys: 1_000, perSecond: 1_000, nameOf: TENTHS }),
  );
}

/** b goes on from every a of the last ten minutes: the cap holds. */
function anyUnderCap() {
  const nameOf = (random: number) => (random < 300 ? 'a' : random === 300 ? 'b' : random === 301 ? 'c' : 'x');
  const rows = rowsOf(any, EVENTS, { keys: 1, perSecond: 1_000, nameOf });
  const { evicted, matches } = after(any, rows);
  return { eventsPerSecond: medianSpeed(any, rows), evicted, matches };
}

const report = {
  node: process.version,
  events: EVENTS,
  sequenceOver1000Keys: overKeys(sequence, 1_000),
  sequenceInEachOf1000Keys: fullSpeed(1_000),
  sequenceInEachOf100000Keys: fullSpeed(100_000),
  sequenceInEachOf1000000Keys: fullSpeed(1_000_000),
  fraudOver1000Keys: overKeys(fraud, 1_000),
  fraudOver100000Keys: overKeys(fraud, 100_000),
  fraudOver1000000Keys: overKeys(fraud, 1_000_000),
  live100: liveSpeed(100),
  live1000: liveSpeed(1_000),
  anyUnderCap: anyUnderCap(),
  patterns1: patternsSpeed(1),
  patterns10: patternsSpeed(10),
  patterns100: patternsSpeed(100),
  heapBytesAPartialMatch: heapBytes(sequence),
  ...savedBytes(sequence),
};
console.log(JSON.stringify(report, null, 2));
