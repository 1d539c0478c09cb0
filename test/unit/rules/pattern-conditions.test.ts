import { describe, expect, test } from 'vitest';
import { messageText } from '../../../src/engine/message.ts';
import type { Value } from '../../../src/rules/plan-parts.ts';
import { planOf } from './fixtures.ts';
import { matchOf, patternPlan, rowOf, type Taken, wholeFrame } from './pattern-frame.ts';

const STEPS = `    by: { l: uid, t: user_id }
    steps:
      - l: { event: login, optional: true }
      - t: { event: transfer, times: 1+ }
`;
const LOGIN: Taken = { uid: '7', kind: 'login', country: 'DE', at: 1_000_000 };
const TRANSFERS: readonly Taken[] = [
  { user_id: '7', amount: '10.50', country: 'DE', at: 2_000_000 },
  { user_id: '7', amount: '5.00', country: 'BR', at: 4_000_000 },
];

/** The value of CEL over a whole match. */
function evaluated(source: string, taken: Readonly<Record<string, readonly Taken[]>>): Value {
  const made = patternPlan(`${STEPS}    let: { x: ${JSON.stringify(source)} }\n`);
  const [x] = made.pattern.lets;
  if (x?.kind !== 'cel') throw new Error('x is not CEL');
  return x.value(wholeFrame(matchOf(made, taken)));
}

describe('a condition over a match', () => {
  test.each<[string, Value]>([
    ['l.country', 'DE'],
    ['l.first.country', 'DE'],
    ['t.first.country', 'DE'],
    ['t.last.country', 'BR'],
    ['t.first["country"] + t.last["country"]', 'DEBR'],
    ['t.last.at - l.at', 3_000_000],
    ['t.last.at - l.at > duration("2s")', true],
    ['count(t)', 2],
    ['count(l) + 1', 2],
    ['sum(t.amount)', 15.5],
    ['sum(t.amount) > 15 && t.last.country != l.country', true],
    ['avg(t.amount)', 7.75],
    ['min(t.amount)', 5],
    ['max(t.amount)', 10.5],
    ['max(min(t.amount), 6)', 6],
    ['distinct(t.country)', 2],
    ['uid', 7],
    ['uid in lists.trusted', false],
    ['l.uid == t.first.user_id', true],
    ['["DE", "BR"].all(c, c == t.first.country || c == t.last.country)', true],
    ['t.first.receiver_id == 1', null],
    ['is_null(t.first.receiver_id)', true],
  ])('%s', (source, value) => {
    expect(evaluated(source, { l: [LOGIN], t: TRANSFERS })).toEqual(value);
  });

  test.each<[string, Value]>([
    ['count(l)', 0],
    ['sum(l.uid)', 0],
    ['l.country', null],
    ['l.at', null],
    ['l.country == "DE"', null],
    ['is_null(l.first.at)', true],
    ['max(l.uid)', null],
    ['uid', 7],
  ])('of a step that took nothing: %s', (source, value) => {
    expect(evaluated(source, { t: TRANSFERS })).toEqual(value);
  });
});

describe('a let', () => {
  test('is an aggregate, a change, or CEL over both, each aggregate kept once', () => {
    const made = patternPlan(`${STEPS}    let:
      twice: total * 2
      total: { sum: t.amount }
      moved: { changed: country }
      n: { count: t }
    when: sum(t.amount) > 1 && moved && twice > total
`);
    const { pattern } = made;
    expect(pattern.lets.map(({ name, type }) => [name, type])).toEqual([
      ['total', 'double'],
      ['moved', 'bool'],
      ['n', 'double'],
      ['twice', 'double'],
    ]);
    expect(pattern.aggregates).toEqual([
      { fn: 'sum', step: 1, column: expect.any(Number), type: 'double', pgType: 'numeric' },
    ]);
    const frame = (lets: readonly Value[]) => wholeFrame(matchOf(made, { t: TRANSFERS }), lets);
    const [, moved, , twice] = pattern.lets;
    expect(twice?.kind === 'cel' && twice.value(frame([15.5, true, 2]))).toBe(31);
    expect(moved).toMatchObject({ kind: 'changed', columns: [expect.any(Number), expect.any(Number)] });
    expect(pattern.when?.(frame([15.5, true, 2, 31]))).toBe(true);
    expect(pattern.when?.(frame([15.5, null, 2, 31]))).toBeNull();
  });

  test('that is a change leaves out steps without the column', () => {
    const { plan, pattern } = patternPlan(`${STEPS}    let: { moved: { changed: receiver_id } }\n`);
    const [moved] = pattern.lets;
    const index = plan.tables[0]?.columns.findIndex(({ name }) => name === 'receiver_id');
    expect(moved).toMatchObject({ kind: 'changed', columns: [null, index] });
  });
});

describe('a condition of a step', () => {
  const when = (condition: string) =>
    patternPlan(`    by: { l: uid, t: user_id, u: user_id }
    steps:
      - l: { event: login }
      - t: { event: transfer, times: 1+, when: ${JSON.stringify(condition)} }
      - u: { event: transaction, when: '!(country == "DE") && l.country == country && amount > 1' }
`);

  test('is taken apart: what looks at the row alone, and what looks back', () => {
    const made = when('amount > 5 && l.country != country && (amount < 9 || country == "DE")');
    const [, t] = made.pattern.steps;
    const taken = matchOf(made, { l: [LOGIN], t: TRANSFERS });
    const frame = (cells: Taken) => ({ row: rowOf(made.plan, 0, cells), lets: [], lists: [], match: taken });
    expect(t?.rowWhen?.(frame({ amount: '6', country: 'BR' }))).toBe(true);
    expect(t?.rowWhen?.(frame({ amount: '9', country: 'BR' }))).toBe(false);
    expect(t?.rowWhen?.(frame({ amount: null, country: 'BR' }))).toBeNull();
    expect(t?.matchWhen?.(frame({ amount: '9', country: 'BR' }))).toBe(true);
    expect(t?.matchWhen?.(frame({ amount: '9', country: 'DE' }))).toBe(false);
  });

  test('sees what its own step has taken so far', () => {
    const made = when('sum(t.amount) + amount < 20 && count(t) < 3');
    const [, t] = made.pattern.steps;
    const row = rowOf(made.plan, 0, { amount: '4', country: 'DE' });
    const asked = (taken: readonly Taken[]) =>
      t?.matchWhen?.({ row, lets: [], lists: [], match: matchOf(made, { t: taken }) });
    expect(t?.rowWhen).toBeNull();
    expect(asked([])).toBe(true);
    expect(asked(TRANSFERS)).toBe(true);
    expect(asked([...TRANSFERS, ...TRANSFERS])).toBe(false);
  });

  test('that looks at the row alone has one part, and true has none', () => {
    const [, alone] = when('amount > 5 || country == "DE"').pattern.steps;
    expect([alone?.rowWhen === null, alone?.matchWhen]).toEqual([false, null]);
    const [, always] = when('true').pattern.steps;
    expect([always?.rowWhen, always?.matchWhen]).toEqual([null, null]);
  });

  test('that can fail on the row is silenced by what looks back, as in CEL', () => {
    const made = when('country.substring(3) == "x" && l.country == "FR"');
    const [, t] = made.pattern.steps;
    const row = rowOf(made.plan, 0, { country: 'DE' });
    expect(t?.rowWhen).toBeNull();
    expect(t?.matchWhen?.({ row, lets: [], lists: [], match: matchOf(made, { l: [LOGIN] }) })).toBe(false);
  });

  test('that is equal on the same table is the same closure, in all patterns', () => {
    const text = `    steps:
      - a: { event: transaction, when: amount > 5 }
      - b: { event: transfer, when: amount > 5 && a.country == country }
      - c: { event: transaction, when: amount > 6 }
  - id: q
    steps:
      - d: { event: transaction, when: amount > 5 }
`;
    const { plan } = patternPlan(text);
    const [a, b, c, d] = plan.patterns.flatMap(({ steps }) => steps.map(({ rowWhen }) => rowWhen));
    expect(a).toBeTypeOf('function');
    expect([b === a, c === a, d === a]).toEqual([true, false, true]);
  });
});

describe('the message of a pattern', () => {
  test('has lets, columns of the key, and what steps took, as PostgreSQL wrote it', () => {
    const made = patternPlan(`${STEPS}    let: { total: { sum: t.amount } }
    message: "{total} by {uid} from { l.country } to {t.last.country}: {t.first.amount}, {count(t)} in {t.last.at - l.at} {{}} {l.kind}"
`);
    const { message, lets: plans } = made.pattern;
    const match = matchOf(made, { l: [{ ...LOGIN, kind: null }], t: TRANSFERS });
    expect(messageText(message ?? [], wholeFrame(match), { plans, values: [15.5] })).toBe(
      '15.5 by 7 from DE to BR: 10.50, 2 in 3s {} null',
    );
  });

  test('has columns of the key whatever their names', () => {
    const plan = planOf(`version: 1
events:
  t: { table: t, columns: { id: int8, "odd name": text } }
patterns:
  - { id: p, by: "odd name", steps: [{ a: { event: t } }], message: "of {odd name}" }
`);
    const [pattern] = plan.patterns;
    if (pattern === undefined) throw new Error('there is no pattern');
    const match = matchOf({ plan, pattern }, { a: [{ 'odd name': 'x' }] });
    expect(messageText(pattern.message ?? [], wholeFrame(match), { plans: [], values: [] })).toBe('of x');
  });

  test('a block and a cooldown are by the key, and by the last row that has the column', () => {
    const made = patternPlan(`${STEPS}    actions: [block]
    block: { by: [uid, country, receiver_id], for: 1h }
    cooldown: { by: uid, for: 5m }
`);
    const { block, cooldown } = made.pattern;
    const frame = wholeFrame(matchOf(made, { l: [LOGIN], t: TRANSFERS }));
    expect(block?.names).toEqual(['uid', 'country', 'receiver_id']);
    expect(block?.values.map((value) => value(frame))).toEqual(['7', 'BR', null]);
    expect([block?.forMicros, cooldown?.forMicros]).toEqual([3_600_000_000, 300_000_000]);
    expect(cooldown?.values.map((value) => value(frame))).toEqual(['7']);
  });
});
