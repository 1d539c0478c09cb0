import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fold } from '../../../src/engine/fold.ts';
import { PartitionState } from '../../../src/engine/partition-state.ts';
import { positionText } from '../../../src/events/position.ts';
import { NO_ROW, type Row } from '../../../src/events/row.ts';
import { compileRules } from '../../../src/rules/compile-rules.ts';
import type { Plan } from '../../../src/rules/plan.ts';

const RULES = `
version: 1
events: { e: { table: e, columns: { user_id: int8, name: text } } }
patterns:
  - id: pair
    by: user_id
    within: 20ms
    after_match: no_skip
    on_timeout: {}
    steps:
      - a: { event: e, when: name == "a" }
      - b: { event: e, when: name == "b" }
`;

interface Event {
  readonly user: number;
  readonly name: string;
  /** A batch ends after it. */
  readonly ends: boolean;
}

const events = fc.array(
  fc.record({ user: fc.nat(5), name: fc.constantFrom('a', 'b', 'x'), ends: fc.boolean() }),
  { maxLength: 60 },
);

function planOf(): Plan {
  const { plan } = compileRules([{ name: 'hot.yaml', text: RULES }], null);
  if (plan === null) throw new Error('the rules have mistakes');
  return plan;
}

/** What comes of the events, and what is left, where so many lanes stay objects. */
function lifeOf(plan: Plan, all: readonly Event[], hotLanes: number): object {
  const state = new PartitionState(plan, { hotLanes });
  const columns = plan.tables[0]?.columns.map(({ name }) => name) ?? [];
  const ended: object[] = [];
  let rows: Row[] = [];
  const flush = (at: number): void => {
    for (const bucket of state.neededBuckets(rows)) state.install(bucket, null, []);
    const { outputs } = fold(plan, state, { rows, watermarks: [at - 1], commitAt: at });
    ended.push(...outputs.matches);
    rows = [];
  };
  for (const [i, { user, name, ends }] of all.entries()) {
    const at = (i + 1) * 1_000;
    const cells: Record<string, string> = { user_id: String(user), name };
    rows.push({
      ...NO_ROW,
      cells: columns.map((column) => cells[column] ?? null),
      position: positionText('0000000000000001', i),
      at,
      commitAt: at,
      watermark: at - 1,
      roles: 3,
    });
    if (ends) flush(at);
  }
  flush((all.length + 1) * 1_000);
  const left = Array.from({ length: 1024 }, (_, bucket) =>
    state.isEvictable(bucket) ? null : state.snapshot(bucket),
  );
  const { keys, entries, partials } = state.stats();
  return { ended, left, keys, entries, partials };
}

describe('lanes that stay objects between batches', () => {
  const plan = planOf();

  it('change nothing, however few they are', () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 4 }), (all, hotLanes) => {
        expect(lifeOf(plan, all, hotLanes)).toEqual(lifeOf(plan, all, 1_000));
      }),
      { numRuns: 300 },
    );
  });
});
