import { describe, expect, test } from 'vitest';
import { compileStored } from '../../../src/rules/stored.ts';
import { compile, planOf } from './fixtures.ts';
import { PATTERN_EVENTS, patternPlan } from './pattern-frame.ts';

const name = (plan: ReturnType<typeof patternPlan>['plan'], table: number, columns: readonly number[]) =>
  columns.map((column) => plan.tables[table]?.columns[column]?.name);

/** Of each input: its table's event, the key's columns, the events that enter, the steps. */
function inputsOf({ plan, pattern }: ReturnType<typeof patternPlan>) {
  return pattern.inputs.map(({ table, key, by, events, steps }) => {
    const { event, keys = [], events: known = [] } = plan.tables[table] ?? {};
    expect(keys[key]?.columns).toEqual(by);
    return [event, name(plan, table, by), events.map((index) => known[index]?.name), steps];
  });
}

describe('the rows of a pattern', () => {
  test('enter by table, under the columns of by', () => {
    const made = patternPlan(`    by: country
    steps:
      - a: { event: login }
      - b: { event: large }
      - c: { event: logout }
      - d: { event: transaction }
`);
    expect(inputsOf(made)).toEqual([
      ['behavior', ['country'], ['login', 'logout'], [0, 2]],
      ['transaction', ['country'], ['large', 'transaction'], [1, 3]],
    ]);
    const dimensions = made.plan.tables.map(({ keys }) => keys.map(({ dimension }) => dimension));
    expect(dimensions).toEqual([[0], [0]]);
    expect(made.pattern.by).toEqual(['country']);
  });

  test('enter twice where two steps know them by other columns', () => {
    const made = patternPlan(`    by: { money_in: receiver_id, money_out: user_id }
    steps:
      - money_in: { event: transfer }
      - money_out: { event: transfer }
`);
    expect(inputsOf(made)).toEqual([
      ['transaction', ['receiver_id'], ['transfer'], [0]],
      ['transaction', ['user_id'], ['transfer'], [1]],
    ]);
    expect(made.pattern.by).toEqual(['receiver_id']);
  });

  test('have keys whose columns are in one order for all steps', () => {
    const made = patternPlan(`    by: { a: [user_id, country], b: [uid, kind] }
    steps:
      - a: { event: transaction }
      - b: { event: behavior }
`);
    expect(inputsOf(made).map(([, by]) => by)).toEqual([
      ['country', 'user_id'],
      ['kind', 'uid'],
    ]);
  });

  test('share the routing key of rules over the same columns', () => {
    const { tables, rules, patterns } = planOf(`${PATTERN_EVENTS}rules:
  - { id: r, event: transaction, let: { n: { count: transaction, by: user_id, over: 1m } }, when: n > 1 }
patterns:
  - { id: p, by: user_id, steps: [{ a: { event: transaction } }] }
`);
    expect(tables[0]?.keys).toHaveLength(1);
    expect([rules[0]?.key, patterns[0]?.inputs[0]?.key]).toEqual([0, 0]);
  });

  test('without by are in one lane, of all tables', () => {
    const made = patternPlan('    steps: [{ a: { event: transaction } }, { b: { event: behavior } }]\n');
    expect(made.pattern.by).toBeNull();
    expect(inputsOf(made).map(([, by]) => by)).toEqual([[], []]);
  });

  test('are those of input where it is given', () => {
    const made = patternPlan(`    by: { a: user_id, behavior: uid }
    input: [transfer, behavior]
    steps:
      - a: { event: large }
`);
    expect(inputsOf(made)).toEqual([
      ['transaction', ['user_id'], ['transfer'], [0]],
      ['behavior', ['uid'], ['behavior'], []],
    ]);
  });

  test('carry the columns that the pattern uses, and no others', () => {
    const { plan } = patternPlan(`    by: { a: uid, b: user_id }
    steps:
      - a: { event: login }
      - b: { event: transaction, when: a.country == country }
    let: { total: { sum: b.amount } }
    message: "{b.last.receiver_id}"
`);
    expect(plan.tables.map(({ columns }) => columns.map((column) => column.name))).toEqual([
      ['id', 'user_id', 'receiver_id', 'amount', 'country'],
      ['id', 'uid', 'kind', 'country'],
    ]);
  });
});

describe('the plan of a pattern', () => {
  test('has the defaults of the language', () => {
    const { pattern } = patternPlan(
      '    steps: [{ a: { event: transaction } }, { b: { event: transaction, times: 2+ } }]\n',
    );
    const quantifier = { min: 1, max: 1, skippable: false, greedy: false, loop: 'relaxed' };
    expect(pattern).toMatchObject({
      within: null,
      afterMatch: { kind: 'skip_past_last' },
      emit: 'at_once',
      score: 0,
      scoreOn: [],
      severity: 'warning',
      actions: [],
      onTimeout: null,
      mode: 'live',
      sequence: [
        { kind: 'step', step: 0, contiguity: 'relaxed', quantifier },
        { kind: 'step', step: 1, contiguity: 'relaxed', quantifier: { ...quantifier, min: 2, max: null } },
      ],
    });
  });

  test('numbers steps in file order, groups flattened', () => {
    const { pattern } = patternPlan(`    steps:
      - a: { event: transaction, times: 2..4, optional: true, loop: strict, gap: 5s }
      - g: { times: 1+, until: amount > 9, contiguity: any, loop: any, steps: [{ b: { event: transaction } }, { n: { event: transaction, not: true, contiguity: strict, when: amount > 3 } }] }
      - c: { event: transaction, times: 1+, greedy: true, until: amount > 5 && b.first.amount > 1, within: 3s }
    after_match: { skip_to_last: c }
`);
    expect(pattern.steps.map((step) => step.name)).toEqual(['a', 'b', 'n', 'c']);
    expect(pattern.afterMatch).toEqual({ kind: 'skip_to_last', step: 3 });
    expect(pattern.sequence).toMatchObject([
      { kind: 'step', step: 0, quantifier: { min: 2, max: 4, skippable: true, loop: 'strict' } },
      {
        kind: 'group',
        contiguity: 'any',
        quantifier: { min: 1, max: null, loop: 'any' },
        until: { table: 0, looksBack: false },
        elements: [
          { kind: 'step', step: 1 },
          { kind: 'absence', step: 2, contiguity: 'strict' },
        ],
      },
      { kind: 'step', step: 3, quantifier: { greedy: true } },
    ]);
    expect(pattern.steps[0]?.gap).toBe(5_000_000);
    expect(pattern.steps[3]).toMatchObject({ within: 3_000_000, untilLooksBack: true });
  });

  test('has a within on the first step as that of the whole', () => {
    const steps = (first: string, whole: string) =>
      patternPlan(
        `    steps: [{ a: { event: transaction${first} } }, { b: { event: transaction } }]\n${whole}`,
      ).pattern;
    expect(steps(', within: 5m', '').within).toBe(300_000_000);
    expect(steps('', '    within: 5m\n').within).toBe(300_000_000);
    expect(steps(', within: 5m', '    within: 5m\n').within).toBe(300_000_000);
    expect(steps(', within: 5m', '').steps[0]?.within).toBeNull();
  });

  test('adds its score to the steps whose event has scoring, or to the one it names', () => {
    const score = (more: string) =>
      patternPlan(`    steps:
      - a: { event: login }
      - b: { event: large }
      - n: { event: transaction, not: true, when: amount < 1 }
      - c: { event: transaction }
    score: 80
${more}`).pattern.scoreOn;
    expect(score('')).toEqual([1, 3]);
    expect(score('    score_on: b\n')).toEqual([1]);
  });

  test('tells of what runs out of time, as an alert of the severity of the pattern', () => {
    const { pattern } = patternPlan(`    steps: [{ a: { event: transaction } }]
    within: 5m
    severity: high
    on_timeout: {}
`);
    expect(pattern.onTimeout).toEqual({ severity: 'high', actions: [{ kind: 'alert' }], message: null });
  });

  test('is left out where the pattern is off, and checked all the same', () => {
    const off = `${PATTERN_EVENTS}patterns:\n  - { id: p, mode: off, steps: [{ a: { event: transaction } }] }\n`;
    expect(planOf(off).patterns).toEqual([]);
    expect(compile(off.replace('event: transaction }', 'event: transactoin }')).plan).toBeNull();
  });

  test('in shadow gives its event a shadow decision', () => {
    const shadow = (mode: string) =>
      patternPlan(
        `    steps: [{ a: { event: transaction } }]\n    score: 10\n    mode: ${mode}\n`,
      ).plan.scoring.get('transaction')?.shadow;
    expect([shadow('live'), shadow('shadow')]).toEqual([false, true]);
  });

  test('of the stored rules is the same', () => {
    const text = `${PATTERN_EVENTS}patterns:\n  - { id: p, by: country, steps: [{ a: { event: login } }, { b: { event: large, when: a.country == country } }] }\n`;
    const { plan, content } = compile(text);
    expect(JSON.stringify(compileStored(content))).toBe(JSON.stringify(plan));
  });
});

describe('the state of a pattern', () => {
  const LINES = `    by: user_id
    steps:
      - a: { event: transaction, when: amount > 1 }
      - b: { event: transaction, times: 1+, within: 5s }
    let: { n: { count: b } }
`;
  const state = (lines: string) => patternPlan(lines).pattern.state;

  test.each([
    ['a message', `${LINES}    message: "{n}"\n`],
    ['a score and a severity', `${LINES}    score: 5\n    severity: high\n`],
    ['a when of the whole', `${LINES}    when: n > 1\n`],
    ['the name of a step', LINES.replace('a: { event', 'z: { event')],
  ])('survives a change of %s', (_, lines) => {
    expect(state(lines)).toBe(state(LINES));
  });

  test.each([
    ['the key', LINES.replace('by: user_id', 'by: receiver_id')],
    ['a condition', LINES.replace('amount > 1', 'amount > 2')],
    ['a quantifier', LINES.replace('1+', '2+')],
    ['a contiguity', LINES.replace('times', 'contiguity: strict, times')],
    ['a within', LINES.replace('5s', '6s')],
    ['what is skipped', `${LINES}    after_match: no_skip\n`],
    ['an event', LINES.replace('b: { event: transaction', 'b: { event: transfer')],
    ['how matches come out', `${LINES}    emit: in_order\n`],
    ['the columns that rows carry', `${LINES}    message: "{b.last.type}"\n`],
  ])('does not survive a change of %s', (_, lines) => {
    expect(state(lines)).not.toBe(state(LINES));
  });

  test('does not survive a change of the values with which finished matches wait', () => {
    const waiting = `${LINES}    emit: in_order\n`;
    expect(state(waiting.replace('{ n:', '{ m:'))).not.toBe(state(waiting));
    expect(state(LINES.replace('{ n:', '{ m:'))).toBe(state(LINES));
  });

  test('is its own, though another pattern has the same steps', () => {
    const pattern = (id: string) => `  - id: ${id}\n${LINES}`;
    const { patterns } = planOf(`${PATTERN_EVENTS}patterns:\n${pattern('p')}${pattern('q')}`);
    expect(patterns.map(({ id }) => id)).toEqual(['p', 'q']);
    expect(new Set(patterns.map((plan) => plan.state)).size).toBe(2);
  });
});
