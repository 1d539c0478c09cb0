import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { commitBatch } from '../../../src/store/commit.ts';
import { classify } from '../../../src/store/fault.ts';
import {
  alertOf,
  closingOf,
  commitOf,
  contributionOf,
  outputs,
  rowAt,
  START,
  StoreFixture,
  writer,
} from './fixture.ts';
import { random } from './random.ts';

function shuffled<T>(items: readonly T[], next: () => number): T[] {
  return items
    .map((item) => ({ item, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

describe.each([14, 18] as const)('rows that several partitions write, on PostgreSQL %i', (version) => {
  let store: StoreFixture;
  let clients: Client[];
  beforeAll(async () => {
    store = await StoreFixture.start(version);
    clients = await Promise.all([0, 1, 2, 3].map(() => store.client()));
  });
  afterAll(() => store.close());
  beforeEach(() => store.reset());

  const client = (i: number): Client => clients[i] as Client;
  const decisions = () =>
    store.rows<{ position: string; score: string; band: string | null; rules: string[] }>(
      `select position, score::text, band, jsonb_path_query_array(reasons, '$[*].rule') as rules
       from weir.decisions order by position`,
    );

  it('adds the parts of one decision, each once, in whatever order they are committed', async () => {
    await commitBatch(
      client(0),
      [commitOf(2, { outputs: outputs({ decisions: [contributionOf('c', 40.1)] }) })],
      writer('0'),
    );
    const parts = [
      commitOf(0, { outputs: outputs({ decisions: [contributionOf('a', 30.2)] }) }),
      commitOf(1, { outputs: outputs({ decisions: [contributionOf('b', 30)] }) }),
    ];
    const outcome = await commitBatch(client(1), parts, writer('1'));
    expect(await decisions()).toEqual([
      { position: rowAt(1), score: '100.3', band: 'block', rules: ['a', 'b', 'c'] },
    ]);
    expect(outcome.get(1)).toEqual({
      kind: 'committed',
      alerts: 1,
      bandAlerts: [expect.objectContaining({ rule: 'scoring.transaction.block', partition: 1 })],
      deadLetters: 0,
    });
    expect(await store.rows('select rule_id, subject, commit_lsn::text from weir.alerts')).toEqual([
      { rule_id: 'scoring.transaction.block', subject: { user_id: '1' }, commit_lsn: '0/110' },
    ]);
    expect(await store.rows('select subject_value, reason, scored_by from weir.blocks')).toEqual([
      { subject_value: '1', reason: 'scoring.transaction.block', scored_by: 'a + b + c' },
    ]);
  });

  it('adds nothing when the same commit is asked for twice', async () => {
    const commit = commitOf(0, { outputs: outputs({ decisions: [contributionOf('a', 60)] }) });
    await commitBatch(client(0), [commit], writer('0'));
    await commitBatch(client(0), [commit], writer('0'));
    expect((await decisions()).map((row) => row.score)).toEqual(['60']);
  });

  it('lets four sessions write the same new rows in any order: exact sums, each band once, no deadlock', async () => {
    const rounds = version === 18 ? 200 : 60;
    // Who waits for a decision meets nobody after it: so that each table's own order is tried, some rounds have
    // alerts and blocks only, or blocks only.
    const has = (round: number) => ({ decisions: round % 3 === 0, alerts: round % 3 < 2 });
    const roundsWith = (kind: 'decisions' | 'alerts') =>
      Array.from({ length: rounds }, (_, i) => has(i + 1)).filter((round) => round[kind]).length;
    const next = random(version);
    const seen: string[] = [];
    for (let round = 1; round <= rounds; round++) {
      const move = { expected: round === 1 ? START : closingOf(round - 1), to: closingOf(round) };
      await Promise.all(
        clients.map((session, partition) => {
          const ordinals = shuffled([0, 1, 2, 3, 4, 5, 6, 7], next);
          const written = outputs({
            decisions: (has(round).decisions ? ordinals : []).map((ordinal) =>
              contributionOf(`rule ${partition}`, 30, {
                position: rowAt(round, ordinal),
                entityId: `${ordinal}`,
              }),
            ),
            alerts: (has(round).alerts ? ordinals : []).map((ordinal) => alertOf(`${round} ${ordinal}`)),
            blocks: ordinals.map((ordinal) => ({
              key: 'user_id',
              value: `${ordinal}`,
              reason: `round ${round}`,
              until: 1_700_000_000_000_000 + round,
            })),
          });
          return commitBatch(
            session,
            [commitOf(partition, { ...move, outputs: written })],
            writer(`${partition}`),
          );
        }),
      ).catch((error) => seen.push(classify(error).code));
    }
    expect(seen).toEqual([]);
    const all = await decisions();
    expect(all).toHaveLength(roundsWith('decisions') * 8);
    expect(new Set(all.map((row) => `${row.score} ${row.band} ${row.rules.join()}`))).toEqual(
      new Set(['120 block rule 0,rule 1,rule 2,rule 3']),
    );
    expect(
      await store.rows(`select kind, count(*)::int as n from weir.alerts group by kind order by kind`),
    ).toEqual([
      { kind: 'decision', n: roundsWith('decisions') * 8 },
      { kind: 'rule', n: roundsWith('alerts') * 8 },
    ]);
    const deadlocks = await store.rows<{ n: number }>(
      'select deadlocks::int as n from pg_stat_database where datname = current_database()',
    );
    expect(deadlocks).toEqual([{ n: 0 }]);
  });
});
