import { describe, expect, test } from 'vitest';
import { eventsOf, FLINK_CASES, type FlinkCase, matchText } from '../../../support/cep/cases.ts';
import { compiled } from '../../../support/cep/compiled.ts';
import { type Match, oracleMatches } from '../../../support/cep/oracle.ts';
import { rowsOf } from '../../../support/cep/rows.ts';

const judged = FLINK_CASES.filter(({ expected, oddity }) => expected !== undefined && oddity !== true);

describe('the oracle of the engine', () => {
  test('is measured by enough of Flink’s cases', () => {
    expect(judged.length).toBeGreaterThan(600);
  });

  test.each(judged.map((one) => [one.id, one] as const))('finds what Flink finds: %s', (_, one) => {
    expect(found(one)).toEqual(new Set(one.expected?.map(matchText)));
  });
});

function found(one: FlinkCase): ReadonlySet<string> {
  const { plan, pattern } = compiled(one.rules);
  const { lines, numbers, watermarks } = eventsOf(one);
  const rows = rowsOf(plan, lines, watermarks);
  const text = ({ takes }: Match) => {
    const steps: Record<string, number[]> = {};
    for (const { step, row } of takes) {
      const name = pattern.steps[step]?.name ?? '?';
      steps[name] = [...(steps[name] ?? []), numbers[row] ?? -1];
    }
    return matchText(steps);
  };
  const matches = oracleMatches(pattern, rows, { tables: plan.tables, flush: one.flush });
  const late = rows.flatMap((row, index) => (row.late ? [numbers[index]] : []));
  if (one.late !== undefined) expect(late).toEqual(one.late);
  return new Set(matches.map(text));
}
