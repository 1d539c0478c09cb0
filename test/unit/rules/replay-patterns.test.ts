import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileRules } from '../../../src/rules/compile-rules.ts';
import { type ReplayOutput, replay } from '../../../src/rules/testing/replay.ts';

interface Case {
  readonly id: string;
  readonly rules: string;
  readonly events: readonly Record<string, unknown>[];
  readonly flush: boolean;
  readonly expected?: readonly Steps[];
  readonly timeouts?: readonly Steps[];
  readonly late?: readonly number[];
  readonly error?: unknown;
  readonly oddity?: unknown;
}
type Steps = Readonly<Record<string, readonly number[]>>;

const CASES = ['suite', 'generated'].flatMap(
  (name) =>
    JSON.parse(
      readFileSync(new URL(`../../fixtures/cep-cases/${name}.json`, import.meta.url), 'utf8'),
    ) as Case[],
);
const JUDGED = CASES.filter((one) => one.error === undefined && one.oddity === undefined);

async function outputsOf({ rules, events, flush }: Case): Promise<ReplayOutput[]> {
  const { plan, problems } = compileRules([{ name: 'case.yaml', text: rules }], null);
  if (plan === null) throw new Error(problems.map(({ message }) => message).join('\n'));
  const lines = events.map((event) => JSON.stringify(event));
  const outputs: ReplayOutput[] = [];
  for await (const output of replay(plan, lines, { file: 'events.jsonl', flush })) outputs.push(output);
  return outputs;
}

function stepsOf(outputs: readonly ReplayOutput[], kind: 'match' | 'timeout'): Steps[] {
  return outputs.flatMap((output) => (output.kind === kind && 'steps' in output ? [output.steps] : []));
}

/** A set: Flink tells a match twice that comes about in two ways, once by a loop and once by the group around it. */
const setOf = (all: readonly Steps[]): Set<string> =>
  new Set(all.map((steps) => JSON.stringify(Object.entries(steps).sort(([a], [b]) => (a < b ? -1 : 1)))));

describe('weir replay', () => {
  it.each(JUDGED.map((one) => [one.id, one] as const))('agrees with Flink on %s', async (_, one) => {
    const outputs = await outputsOf(one);
    expect(setOf(stepsOf(outputs, 'match'))).toEqual(setOf(one.expected ?? []));
    if (one.timeouts !== undefined) expect(setOf(stepsOf(outputs, 'timeout'))).toEqual(setOf(one.timeouts));
    if (one.late !== undefined) {
      const late = outputs.flatMap((output) => (output.kind === 'late' ? [output.line] : []));
      expect(late).toEqual(one.late);
    }
  });
});
