import { describe, expect, test } from 'vitest';
import { seeded } from '../../../src/demo/random.ts';
import { Stories, type Story } from '../../../src/demo/stories.ts';
import { compileRules } from '../../../src/rules/compile-rules.ts';
import type { Plan } from '../../../src/rules/plan.ts';
import { readRuleFiles } from '../../../src/rules/source-files.ts';
import { replay } from '../../../src/rules/testing/replay.ts';

const plan = compileRules(readRuleFiles('rules'), null).plan as Plan;
const LENGTH_MS = { most: 12_000, least: 2_000 } as const;

/** Its rows, as lines of `weir replay`, each visit when it is made. */
function linesOf(story: Story): string[] {
  let at = Date.UTC(2026, 0, 1);
  return story.flatMap(({ afterMs, visit: { behaviors = [], devices = [], payments = [] } }) => {
    at += afterMs;
    const rows = [
      ...behaviors.map(({ user, kind, country }) => ({
        ...{ event: 'behavior', user_id: user, behavior_type: kind, country },
      })),
      ...devices.map(({ user, device }) => ({ event: 'device', user_id: user, device_id: device })),
      ...payments.map(({ user, amount, type, country, device, status = 'approved', receiver = null }) => ({
        ...{ event: 'transaction', user_id: user, amount: amount.toFixed(2), type, country, status },
        ...{ device_id: device, receiver_id: receiver },
      })),
    ];
    return rows.map((row, id) => JSON.stringify({ at, id: at * 10 + id, ...row }));
  });
}

/** Which patterns find how many matches, each row in one line of the file. */
async function foundIn(lines: readonly string[]): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for await (const output of replay(plan, lines, { file: 'x' }))
    if (output.kind === 'match') found[output.rule] = (found[output.rule] ?? 0) + 1;
  return found;
}

describe('the stories of the demo', () => {
  test.each([1, 2, 3])('are found, each once and by the pattern that it is about (seed %i)', async (seed) => {
    const stories = new Stories(seeded(seed), 200);
    expect(await foundIn(linesOf(stories.fraudSequence()))).toEqual({ fraud_sequence: 1 });
    expect(await foundIn(linesOf(stories.other()))).toEqual({ card_testing: 1 });
    expect(await foundIn(linesOf(stories.other()))).toEqual({ account_takeover: 1 });
    expect(await foundIn(linesOf(stories.other()))).toEqual({ mule_account: 1 });
  });

  test('of stolen cards is scored by user and by device, and blocked before the thief is at its end', async () => {
    const lines = linesOf(new Stories(seeded(1), 200).stolenCards());
    const decisions = [];
    for await (const output of replay(plan, lines, { file: 'x' }))
      if (output.kind === 'decision') decisions.push(output);
    expect(decisions.slice(0, 1)).toMatchObject([
      {
        line: lines.length - 2,
        band: 'block',
        reasons: [{ rule: 'location_change' }, { rule: 'shared_device' }],
      },
    ]);
  });

  test('take some seconds each, as they are to be looked at', () => {
    const stories = new Stories(seeded(1), 200);
    for (const story of [
      stories.fraudSequence(),
      stories.stolenCards(),
      stories.other(),
      stories.other(),
      stories.other(),
    ]) {
      const ms = story.reduce((sum, { afterMs }) => sum + afterMs, 0);
      expect(ms).toBeGreaterThanOrEqual(LENGTH_MS.least);
      expect(ms).toBeLessThanOrEqual(LENGTH_MS.most);
    }
  });
});
