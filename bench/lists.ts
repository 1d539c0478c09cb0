import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { editList } from '../src/cli/list-edit.ts';
import { fold } from '../src/engine/fold.ts';
import { PartitionState } from '../src/engine/partition-state.ts';
import { type Lsn, positionText } from '../src/events/position.ts';
import { NO_ROW, type Row } from '../src/events/row.ts';
import { compileRules } from '../src/rules/compile-rules.ts';
import type { ListEntries, Lists } from '../src/rules/plan-parts.ts';
import { createInstance } from '../src/store/control-store.ts';
import { openLists } from '../src/store/list-log.ts';
import { ListSets } from '../src/store/list-sets.ts';
import { migrate } from '../src/store/migrate.ts';
import { openPool } from '../src/store/session.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { median } from './median.ts';

/**
 * A list of a million entries in a PostgreSQL of its own: what an edit of all of them takes, what a process takes to
 * load it and for the next edit, its memory, and look-ups, also by a rule. Prints one JSON object. Run it as
 * `npm run bench:lists`.
 */
const { values } = parseArgs({
  options: { entries: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '5' } },
});
const ENTRIES = Number(values.entries);
const RUNS = Number(values.runs);
const ROWS = 500_000;
const BATCH = 2_000;

const { plan } = compileRules(
  [
    {
      name: 'bench.yaml',
      text: `version: 1
events: { t: { table: public.t, columns: { id: int8, user_id: int8 } } }
lists: { l: { values: [] } }
rules: [{ id: r, event: t, when: user_id in lists.l, score: 1 }]
`,
    },
  ],
  null,
);
if (plan === null) throw new Error('the rules of the bench have mistakes');
const rules = plan;

/** As long as ids of people are. */
const user = (i: number): string => String(100_000_000 + i * 7);

async function* users(): AsyncGenerator<string> {
  for (let i = 0; i < ENTRIES; i++) yield user(i);
}

async function milliseconds(work: () => unknown): Promise<number> {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started) / 1e6;
}

function bytesUsed(): number {
  global.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Half of what is asked for is in the list. */
const ASKED = Array.from({ length: 200_000 }, (_, i) =>
  String(100_000_000 + ((i * 7_919) % ENTRIES) * 7 + (i % 2)),
);

async function nanosecondsALookUp(list: Pick<ListEntries, 'has'>): Promise<number> {
  let found = 0;
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const ms = await milliseconds(() => {
      for (const value of ASKED) if (list.has(value)) found += 1;
    });
    times.push((ms * 1e6) / ASKED.length);
  }
  if (found !== (RUNS * ASKED.length) / 2) throw new Error(`${found} look-ups were found`);
  return Math.round(median(times));
}

/** None of whose users is in the list: what is measured is the asking, not the hits. */
const rows = Array.from({ length: ROWS }, (_, i): Row => {
  const cells = rules.tables[0]?.columns.map(({ name }) =>
    name === 'id' ? String(i) : (ASKED[(2 * i + 1) % ASKED.length] ?? ''),
  );
  return {
    ...NO_ROW,
    cells: cells ?? [],
    position: positionText('0000000000000001', i),
    at: i,
    commitAt: i,
    roles: 1,
  };
});

async function nanosecondsARow(lists: Lists): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const state = new PartitionState(rules);
    const ms = await milliseconds(() => {
      for (let from = 0; from < ROWS; from += BATCH)
        fold(rules, state, {
          rows: rows.slice(from, from + BATCH),
          watermarks: [from],
          commitAt: from,
          lists,
        });
    });
    times.push((ms * 1e6) / ROWS);
  }
  return Math.round(median(times));
}

const postgres = await startPostgres({ version: 18, settings: { max_wal_size: '4GB' } });
const client = new Client(postgres.url);
const pool = openPool({ url: postgres.url, slot: 'bench' });
try {
  await client.connect();
  await migrate(client);
  const edit = { name: 'l', make: true, note: null, action: 'add' } as const;
  const editMs = await milliseconds(() => editList(client, { ...edit, values: users() }));
  const ack = { lsn: 1n as Lsn, rules: '', lists: 2, times: { commitAt: 0, events: {} } };
  const identity = { systemIdentifier: '', timeline: 1, database: '', slot: 'bench', publications: {} };
  await createInstance(client, identity, { partitions: 1, ack });
  const before = bytesUsed();
  const sets = new ListSets(openLists(pool, 'bench'));
  let lists: Lists = [];
  const loadMs = await milliseconds(async () => {
    lists = await sets.at(rules, 2);
  });
  const bytes = bytesUsed() - before;
  const [list] = lists;
  if (list === undefined) throw new Error('there is no list');
  const lookUp = await nanosecondsALookUp(list);
  const small = new Set(['1']);
  const [bigList, smallList] = [await nanosecondsARow(lists), await nanosecondsARow([small])];
  await client.query("insert into weir.list_entries (list_name, value) values ('l', 'one more')");
  const nextMs = await milliseconds(async () => {
    lists = await sets.at(rules, 3);
  });
  const report = {
    node: process.version,
    entries: ENTRIES,
    editMs: Math.round(editMs),
    loadMs: Math.round(loadMs),
    nextEditMs: Math.round(nextMs * 10) / 10,
    bytesAnEntry: global.gc === undefined ? null : Math.round(bytes / ENTRIES),
    nanosecondsALookUp: lookUp,
    nanosecondsInASet: await nanosecondsALookUp(new Set(Array.from({ length: ENTRIES }, (_, i) => user(i)))),
    nanosecondsALookUpAfterEdit: await nanosecondsALookUp(lists[0] ?? small),
    nanosecondsARow: { list: bigList, listOfOne: smallList },
  };
  console.log(JSON.stringify(report, null, 2));
} finally {
  await client.end();
  await pool.end();
  await postgres.close();
}
