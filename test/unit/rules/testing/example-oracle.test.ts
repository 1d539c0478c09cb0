import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileRules } from '../../../../src/rules/compile-rules.ts';
import { readRuleFiles } from '../../../../src/rules/source-files.ts';
import { replay } from '../../../../src/rules/testing/replay.ts';

interface Transaction {
  /** Milliseconds. */
  readonly at: number;
  readonly user_id: number | null;
  readonly amount: string | null;
  readonly country: string | null;
}

const MINUTE = 60_000;

/** The example rules, written again without the engines: the score of each row, by rule. */
function expected(rows: readonly Transaction[]): Record<string, number>[] {
  return rows.map((row, index) => {
    const own = rows.slice(0, index).filter(({ user_id }) => user_id !== null && user_id === row.user_id);
    const minute = own.filter(({ at }) => at > row.at - MINUTE).length + 1;
    const before = own.filter(({ at }) => at > row.at - 60 * MINUTE).at(-1)?.country ?? null;
    return {
      ...(row.user_id !== null && minute > 10 ? { frequent_transactions: 60 } : {}),
      ...(row.amount !== null && Number(row.amount) > 10_000 ? { large_amount: 80 } : {}),
      ...(before !== null && row.country !== null && before !== row.country ? { location_change: 70 } : {}),
    };
  });
}

function bandOf(score: number): string | null {
  return score > 100 ? 'block' : score > 50 ? 'flag' : null;
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 8_000 }) },
  fc.integer({ max: 70 * MINUTE, min: 0 }),
  fc.constant(60 * MINUTE),
  fc.constant(MINUTE),
);
const transactions = fc
  .array(
    fc.record({
      step,
      user_id: fc.constantFrom(1, 1, 1, 2, null),
      amount: fc.constantFrom('5.00', '10000.00', '10000.01', 'NaN', null),
      country: fc.constantFrom('DE', 'DE', 'DE', 'BR', null),
    }),
    { minLength: 1, maxLength: 80 },
  )
  .map((rows) => {
    let at = 1_700_000_000_000;
    return rows.map(({ step: after, ...row }): Transaction => {
      at += after;
      return { at, ...row };
    });
  });

test('the example rules give on any transactions what plain arithmetic gives', async () => {
  const { plan } = compileRules(readRuleFiles('rules'), null);
  if (plan === null) throw new Error('the example rules have mistakes');
  let fired = 0;
  await fc.assert(
    fc.asyncProperty(transactions, async (rows) => {
      const lines = rows.map((row) => JSON.stringify({ event: 'transaction', ...row }));
      const scores = rows.map((): Record<string, number> => ({}));
      const decided = new Map<number, unknown>();
      for await (const output of replay(plan, lines, { file: 'x' })) {
        if (output.kind === 'hit') (scores[output.line] ?? {})[output.rule] = output.score;
        else if (output.kind === 'decision') decided.set(output.line, [output.score, output.band]);
        else throw new Error(`unexpected ${JSON.stringify(output)}`);
      }
      const wanted = expected(rows);
      expect(scores).toEqual(wanted);
      wanted.forEach((rules, line) => {
        const sum = Object.values(rules).reduce((total, score) => total + score, 0);
        expect(decided.get(line)).toEqual(sum === 0 ? undefined : [sum, bandOf(sum)]);
        fired += Object.keys(rules).length;
      });
    }),
    { numRuns: 100 },
  );
  expect(fired).toBeGreaterThan(100);
});
