import { describe, expect, it } from 'vitest';
import type { Outputs } from '../../../src/engine/outputs.ts';
import { PartitionState } from '../../../src/engine/partition-state.ts';
import { compileRules } from '../../../src/rules/compile-rules.ts';
import type { Plan } from '../../../src/rules/plan.ts';
import { foldInto, joined, rowsOf, SavedBuckets } from './support/stream.ts';

function planOf(pattern: string, lastWhen = 'name == "b"'): Plan {
  const text = `version: 1
events:
  e: { table: e, columns: { id: int8, name: text, amount: "numeric(40,20)", part: float8 } }
scoring: { e: { bands: { flag: 50 } } }
patterns:
  - id: p
    score: 60
    actions: [alert]
    steps:
      - a: { event: e, when: name == "a", times: 1+ }
      - b: { event: e, when: ${JSON.stringify(lastWhen)} }
${pattern}`;
  const { plan, problems } = compileRules([{ name: 'p.yaml', text }], null);
  if (plan === null) throw new Error(problems.map(({ message }) => message).join('\n'));
  return plan;
}

/** Two rows of step a, one of step b, and one of none two hours later: each in a batch and a process of its own. */
function batches(plan: Plan, amounts: readonly [string | null, string | null]): Outputs[] {
  const columns = plan.tables[0]?.columns ?? [];
  const given = [
    ...amounts.map((amount) => ({ name: 'a', amount })),
    { name: 'b', amount: '0' },
    { name: 'x', amount: '0' },
  ];
  const rows = rowsOf(
    plan,
    given.map(({ name, amount }, at) => {
      const cells: Record<string, string | null> = { id: `${at}`, name, amount, part: amount };
      return { at: name === 'x' ? 2 * HOUR : at, cells: columns.map((column) => cells[column.name] ?? null) };
    }),
  );
  const saved = new SavedBuckets();
  return rows.map((_, i) => foldInto(new PartitionState(plan), saved, { rows, from: i, to: i + 1 }).outputs);
}

function played(plan: Plan, amounts: readonly [string | null, string | null]): Outputs {
  return joined(batches(plan, amounts));
}

const HOUR = 3_600_000_000;
const TOTAL = '    let: { total: { sum: a.amount } }\n    message: "{total} of {sum(a.amount)}"';

describe('the sum of a pattern', () => {
  it('is told with the digits that a double lacks: in alerts, reasons and replay', () => {
    const { alerts, matches, decisions } = played(planOf(TOTAL), [
      '12345678901234567890.10',
      '0.0000000000000001',
    ]);
    const total = '12345678901234567890.1000000000000001';
    expect(alerts.map(({ message }) => message)).toEqual([`${total} of ${total}`]);
    expect(JSON.parse(alerts[0]?.detailsJson ?? '')).toMatchObject({ let: { total } });
    expect(matches.map((match) => match.let)).toEqual([{ total }]);
    expect(decisions[0]?.reasons.map((reason) => reason.let)).toEqual([{ total }]);
  });

  it('is told as a number where a double holds every digit', () => {
    const { alerts } = played(planOf(TOTAL), ['0.10', '0.20']);
    expect(alerts[0]?.message).toBe('0.3 of 0.3');
    expect(JSON.parse(alerts[0]?.detailsJson ?? '')).toMatchObject({ let: { total: 0.3 } });
  });

  it('is 0 of nothing but NULLs, and what PostgreSQL says of NaN', () => {
    expect(played(planOf(TOTAL), [null, null]).alerts[0]?.message).toBe('0 of 0');
    expect(played(planOf(TOTAL), ['NaN', '9007199254740993']).alerts[0]?.message).toBe('NaN of NaN');
  });

  it('is a double in conditions, in CEL of other lets, and of floats', () => {
    const rest = `    let: { total: { sum: a.amount }, half: "total / 2.0", parts: { sum: a.part } }
    when: total == 9007199254740992.0
    message: "{total} {half} {parts} {total / 2.0}"`;
    const { alerts } = played(planOf(rest), ['9007199254740992', '0.25']);
    expect(alerts.map(({ message }) => message)).toEqual([
      '9007199254740992.25 4503599627370496 9007199254740992 4503599627370496',
    ]);
  });

  it('has its digits when the match has waited, from process to process', () => {
    const waits = `${TOTAL}\n    emit: in_order\n    within: 1h`;
    // What began with the first row lives on, and the match of the second waits for its end.
    const plan = planOf(waits, 'name == "b" && a.first.id == 1.0');
    const told = batches(plan, ['1', '9007199254740993']).map(({ alerts }) =>
      alerts.map((one) => one.message),
    );
    expect(told).toEqual([[], [], [], ['9007199254740993 of 9007199254740993']]);
  });
});
