import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type { Bank } from './bank.ts';

export interface Verdict {
  readonly expected: number;
  /** How many of them are alerts, by rule or pattern. */
  readonly alerts: Readonly<Record<string, number>>;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
}

/** A run that expects no alert of one of these has shown nothing of it. */
export const EVERY_KIND = [
  ...['fraud_sequence', 'unanswered', 'purchase', 'convoy', 'watched'],
  ...['tumbling', 'session', 'last_rows', 'first_seen', 'percentile'],
] as const;

const SLOT = 'chaos_oracle';

/** A slot and a publication of the oracle's own, before the first row: they know the order of the commits. */
export async function prepareOracle(client: pg.Client): Promise<void> {
  await client.query(
    `create publication ${SLOT} for table public.transactions, public.sessions, public.list_edits with (publish = 'insert')`,
  );
  await client.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [SLOT]);
  await client.query(
    'create table public.chaos_commits (commit_lsn pg_lsn primary key, committed_at timestamptz, xid bigint)',
  );
}

/** Reads the Begin messages ('B', commit LSN, commit time since 2000, xid) with SQL alone. */
const COMMITS = `
insert into public.chaos_commits
select pg_lsn('0/0') + ('x' || encode(substr(data, 2, 8), 'hex'))::bit(64)::bigint::numeric,
       timestamptz '2000-01-01 00:00:00+00'
         + ('x' || encode(substr(data, 10, 8), 'hex'))::bit(64)::bigint * interval '1 microsecond',
       ('x' || encode(substr(data, 18, 4), 'hex'))::bit(32)::bigint
from pg_logical_slot_get_binary_changes($1::name, null, null,
  'proto_version', '1', 'publication_names', $1::text, 'messages', 'true')
where get_byte(data, 0) = 66`;

const DIFFERENCES: Readonly<Record<string, { expected: string; actual: string }>> = {
  alert: {
    expected: 'select rule_id, evidence from expected_alerts',
    actual: `select rule_id,
               (select array_agg(coalesce(e ->> 'step' || ' ', '') || (e -> 'columns' ->> 'id') order by n)
                from jsonb_array_elements(events) with ordinality as x (e, n))
             from weir.alerts where mode = 'live'`,
  },
  decision: {
    expected: 'select entity_id, score, band, rules from expected_decisions',
    actual: `select entity_id, score, band,
               (select array_agg(r ->> 'rule' order by r ->> 'rule') from jsonb_array_elements(reasons) r)
             from weir.decisions where mode = 'live' and event = 'transaction'`,
  },
  aggregate: {
    expected: 'select aggregate_id, bucket_start, key, measures from expected_aggregates',
    actual: 'select aggregate_id, bucket_start, key, measures from weir.aggregates',
  },
  block: {
    expected: 'select subject_value, until from expected_blocks',
    actual: `select subject_value, until from weir.blocks where subject_key = 'user_id'`,
  },
};

/** Only where the receiver's part is asked for: `Bank.record` has written down what it was told. */
const TOLD = {
  expected: "select rule_id, evidence from expected_alerts where rule_id = 'large_amount'",
  actual: 'select rule_id, evidence from told',
};

/** The commit LSN of the last transaction that wrote a row. */
export async function lastCommit(client: pg.Client): Promise<string> {
  await client.query(COMMITS, [SLOT]);
  const read = await client.query(
    `select c.commit_lsn::text as lsn from public.chaos_commits c
     where exists (select from public.transactions t where c.xid = (t.txid & 4294967295))
        or exists (select from public.sessions s where c.xid = (s.txid & 4294967295))
     order by c.commit_lsn desc limit 1`,
  );
  const [row] = read.rows as { lsn: string }[];
  if (row === undefined) throw new Error('no transaction has written a row yet');
  return row.lsn;
}

/** Compares what must exist with what does, both ways, as multisets; `bank`: and what was told to it. */
export async function judge(client: pg.Client, bank: Bank | null = null): Promise<Verdict> {
  await client.query(COMMITS, [SLOT]);
  await client.query(await readFile(join(import.meta.dirname, 'oracle.sql'), 'utf8'));
  const missing: string[] = [];
  const extra: string[] = [];
  let expected = 0;
  await bank?.record(client);
  const sides = bank === null ? DIFFERENCES : { ...DIFFERENCES, webhook: TOLD };
  for (const [what, side] of Object.entries(sides)) {
    missing.push(...(await except(client, what, side.expected, side.actual)));
    extra.push(...(await except(client, what, side.actual, side.expected)));
    const counted = await client.query(`select count(*)::int as n from (${side.expected}) e`);
    expected += (counted.rows as { n: number }[])[0]?.n ?? 0;
  }
  const told = await client.query(
    "select coalesce(json_object_agg(rule_id, n), '{}') as alerts from (select rule_id, count(*)::int as n from expected_alerts group by 1) a",
  );
  const [row] = told.rows as Pick<Verdict, 'alerts'>[];
  return { expected, alerts: row?.alerts ?? {}, missing, extra };
}

async function except(client: pg.Client, what: string, a: string, b: string): Promise<string[]> {
  const found = await client.query(`select row_to_json(x)::text as text from (${a} except all ${b}) x`);
  return (found.rows as { text: string }[]).map((row) => `${what} ${row.text}`);
}
