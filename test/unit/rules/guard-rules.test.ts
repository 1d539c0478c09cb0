import { describe, expect, test } from 'vitest';
import { compileRules } from '../../../src/rules/compile-rules.ts';
import { EVENTS, mistakes } from './fixtures.ts';

const rule = (lines: string) =>
  `${EVENTS}lists:\n  trusted: { values: ["42"] }\nrules:\n  - id: r\n    event: transaction\n    guard: true\n${lines}`;

function guardOf(lines: string) {
  const { plan, problems } = compileRules([{ name: 'r.yaml', text: rule(lines) }], null);
  if (plan === null) throw new Error(JSON.stringify(problems));
  return plan.rules[0]?.guard;
}

/** What is refused, and what is told of it. */
const REFUSED: readonly (readonly [about: string, lines: string, told: string])[] = [
  [
    'a window',
    '    let: { n: { count: transaction, by: user_id, over: 1m } }\n    when: n > 10\n',
    '"n" is a window: a guard rule may look only at the row and lists',
  ],
  [
    'the time of the row',
    '    when: hour(at, "UTC") < 6\n',
    'at: the time of a row is known once it is committed',
  ],
  ['a regular expression', '    when: re2(type, "^a")\n', 're2() of this has no counterpart'],
  ['what can fail on a row', '    when: double(type) > 1\n', 'double() of this has no counterpart'],
  ['a remainder', '    when: amount % 2 == 1\n', '% has no counterpart that gives the same'],
  ['a list macro', '    when: "[1, 2].exists(x, x == amount)"\n', 'lists of values are not translated'],
  [
    'what is computed, in a list',
    '    when: (amount + 1) in lists.trusted\n',
    'what is computed is looked up by its text',
  ],
  ['the values of a list', '    when: size(lists.trusted) > 1\n', 'the values of a list'],
  ['a mistake in a let', '    let: { x: amount % 2 }\n    when: x == 1\n', '% has no counterpart'],
];

describe('a guard rule', () => {
  test.each(REFUSED)('is refused for %s, with the place', (_, lines, told) => {
    expect(mistakes(rule(lines))).toEqual([expect.stringContaining(told)]);
  });

  test('over an event without inserts is refused', () => {
    const updates = rule('    when: at_home\n').replace('table: public', 'ops: [update]\n    table: public');
    expect(mistakes(updates)).toEqual([expect.stringContaining('a guard judges inserts')]);
  });

  test('is its event, its when and not its unless, in SQL', () => {
    const guard = guardOf(
      '    let: { twice: amount * 2 }\n    when: twice > 100\n    unless: user_id in lists.trusted\n',
    );
    expect(guard).toMatchObject({ columns: ['amount', 'user_id'], lists: ['trusted'], settings: false });
    expect(guard?.when).toMatch(/^\(.*weir\.cel_multiply.*\)$/);
    expect(guard?.unless).toContain('weir.list_entries');
  });

  test('says that a text must be written as Weir reads it', () => {
    expect(guardOf('    when: at_home && type == "a"\n')).toMatchObject({ settings: false });
  });
});
