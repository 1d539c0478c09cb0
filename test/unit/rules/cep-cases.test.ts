import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile } from './fixtures.ts';

/** A megabyte of cases made with Flink, which stand beside the repository. */
const CASES = process.env['WEIR_CEP_CASES'] ?? '/work/shared/cep-cases';

interface Case {
  readonly id: string;
  readonly rules: string;
  readonly error?: string;
}

/** Words of Flink's refusal, and of ours. */
const REFUSALS: readonly (readonly [flink: RegExp, ours: RegExp])[] = [
  [/window cannot be larger/, /"within" of step "\w+" is longer than that of the whole/],
  [/last step needs a within/, /is the last, and an absence: without "within"/],
  [/names must be unique/, /a name means one thing/],
  [/named by the skip strategy does not exist/, /there is no step "midd"/],
  [/quantifier is not applicable to a NOT/, /"times" on step "not": an absence takes nothing/],
  [/times must be greater than 0/, /times counts from 1/],
  [/until is only applicable to looping/, /"until" ends a loop without an upper bound/],
  [/optional step right after a greedy/, /is optional, right after "\w+", which is greedy/],
  [/NOT step right after an optional/, /is an absence right after "\w+", which is optional/],
];

describe.skipIf(!existsSync(CASES))('the rules of the cases made with Flink', () => {
  test.each(['suite', 'generated'])('of %s.json load, or are refused for the same reason', (file) => {
    const cases = JSON.parse(readFileSync(`${CASES}/${file}.json`, 'utf8')) as Case[];
    expect(cases.length).toBeGreaterThan(100);
    for (const { id, rules, error } of cases) {
      const { plan, problems } = compile(rules);
      const told = problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
      if (error === undefined) expect([id, told]).toEqual([id, []]);
      else {
        const [, ours = /^$/] = REFUSALS.find(([flink]) => flink.test(error)) ?? [];
        expect([id, plan, told.some((message) => ours.test(message))]).toEqual([id, null, true]);
      }
    }
  });
});
