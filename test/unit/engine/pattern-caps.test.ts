import { describe, expect, it } from 'vitest';
import { fold } from '../../../src/engine/fold.ts';
import { PartitionState } from '../../../src/engine/partition-state.ts';
import { positionText } from '../../../src/events/position.ts';
import { NO_ROW, type Row } from '../../../src/events/row.ts';
import { compileRules } from '../../../src/rules/compile-rules.ts';

const RULES = `
version: 1
events: { e: { table: e, columns: { user_id: int8, name: text } } }
patterns:
  - id: pair
    by: user_id
    within: 1h
    after_match: no_skip
    steps:
      - a: { event: e, when: name == "a" }
      - b: { event: e, when: name == "b" }
`;

function folded(names: readonly (readonly [user: string, name: string])[], maxPartials: number) {
  const { plan } = compileRules([{ name: 'caps.yaml', text: RULES }], null);
  if (plan === null) throw new Error('the rules have mistakes');
  const columns = plan.tables[0]?.columns.map(({ name }) => name) ?? [];
  const rows = names.map(([user_id, name], i): Row => {
    const cells: Record<string, string> = { user_id, name };
    const at = 1_000 + i;
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
  const state = new PartitionState(plan, { maxPartials });
  for (const bucket of state.neededBuckets(rows)) state.install(bucket, null, []);
  const { outputs } = fold(plan, state, { rows, watermarks: [2_000], commitAt: 2_000 });
  return { outputs, stats: state.stats() };
}

describe('the cap of a pattern', () => {
  it('drops the oldest partial match of the key at hand, and says so', () => {
    const { outputs, stats } = folded(
      [
        ['1', 'a'],
        ['1', 'a'],
        ['1', 'a'],
        ['1', 'b'],
      ],
      2,
    );
    expect(outputs.matches.map(({ takes }) => takes.length)).toEqual([2, 2]);
    expect(outputs.evicted).toEqual([{ pattern: 'pair', partials: 1 }]);
    expect(stats.partials).toBe(0);
  });

  it('lets no new key begin while it is reached, and costs the others nothing', () => {
    const { outputs, stats } = folded(
      [
        ['1', 'a'],
        ['2', 'a'],
        ['3', 'a'],
        ['3', 'b'],
        ['1', 'b'],
        ['4', 'a'],
      ],
      2,
    );
    expect(outputs.matches.map(({ key }) => key)).toEqual(['1']);
    expect(outputs.evicted).toEqual([{ pattern: 'pair', partials: 1 }]);
    expect(stats.partials).toBe(2);
  });
});
