import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCel } from '../../../../src/rules/cel/compile.ts';
import { CelEvaluationError } from '../../../../src/rules/cel/compiled.ts';
import { columns, frame, scope } from './condition.ts';

const WORDS = [
  ...[
    'amount',
    'type',
    'flag',
    'tags',
    'friend_ids',
    'created_at',
    'session',
    'at',
    'row',
    'old',
    'lists',
    'nope',
  ],
  ...[
    'row.type',
    'row["type"]',
    'old.amount',
    'lists.countries',
    'tx_count',
    'x',
    '1',
    '2.5',
    '"a"',
    'true',
    'null',
  ],
  ...[
    '(',
    ')',
    '[',
    ']',
    ',',
    '.',
    '?',
    ':',
    '+',
    '-',
    '*',
    '/',
    '%',
    '==',
    '!=',
    '<',
    '>=',
    '&&',
    '||',
    '!',
    ' in ',
  ],
  ...[
    'size(',
    'abs(',
    'max(',
    'is_null(',
    'has(',
    'foo(',
    'string(',
    'double(',
    'timestamp(',
    'hour(',
    're2(',
  ],
  ...[
    '.exists(x, ',
    '.map(x, ',
    '.filter(x, ',
    '.size()',
    '.contains(',
    '.getHours()',
    '[]',
    '{',
    '}',
    '@',
    '"',
  ],
];

/** Texts that parse more often: terms of words, put together by operators. */
const { term } = fc.letrec<{ term: string }>((tie) => ({
  term: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom(
      'amount',
      'type',
      'flag',
      'tags',
      'at',
      'session',
      'nope',
      '1',
      '"a"',
      'null',
      '[]',
      '[1]',
      'x',
      'lists.countries',
      'old.type',
    ),
    fc
      .tuple(tie('term'), fc.constantFrom('+', '-', '*', '/', '%', '==', '<', '&&', '||', 'in'), tie('term'))
      .map((parts) => parts.join(' ')),
    fc.tuple(tie('term'), tie('term'), tie('term')).map(([c, l, r]) => `(${c} ? ${l} : ${r})`),
    fc
      .tuple(
        fc.constantFrom('size', 'abs', 'is_null', 'has', 'string', 'double', 'int', 'bool', 'duration'),
        tie('term'),
      )
      .map(([f, x]) => `${f}(${x})`),
    fc
      .tuple(tie('term'), fc.constantFrom('exists', 'all', 'map', 'filter', 'exists_one'), tie('term'))
      .map(([l, m, p]) => `(${l}).${m}(x, ${p})`),
    fc.tuple(tie('term'), tie('term')).map(([l, i]) => `(${l})[${i}]`),
    fc.array(tie('term'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc.tuple(fc.constantFrom('!', '-'), tie('term')).map(([op, x]) => `${op}(${x})`),
  ),
}));

/** Mistakes are told, at places of the source; what has none runs, and throws nothing but CEL's errors. */
function holds(source: string): void {
  const result = compileCel(source, scope({ old: false }), 'any');
  if (result.kind === 'error') {
    expect(result.problems.length).toBeGreaterThan(0);
    for (const { offset } of result.problems)
      expect(offset >= 0 && offset <= source.length, source).toBe(true);
    return;
  }
  for (const row of [{}, { amount: null, type: null, tags: null, flag: null }]) {
    try {
      result.run(frame({ row }));
    } catch (error) {
      expect(error, source).toBeInstanceOf(CelEvaluationError);
    }
  }
}

/** A step of the table's rows, and what it takes: nothing. */
const steps = new Map([['login', { name: 'login', step: 0, columns: columns(), single: true }]]);
const match = { steps, keys: [], elsewhere: new Map(), aggregate: () => 0 };
const NOTHING = {
  count: () => 0,
  first: () => null,
  last: () => null,
  aggregate: () => null,
  told: () => null,
};

function holdsInPatterns(source: string): void {
  for (const whole of [true, false]) {
    const result = compileCel(source, { ...scope({ old: false }), match: { ...match, whole } }, 'any');
    if (result.kind === 'ok') {
      try {
        result.run({ ...frame(), match: NOTHING });
      } catch (error) {
        expect(error, source).toBeInstanceOf(CelEvaluationError);
      }
    } else {
      const inside = result.problems.every(({ offset }) => offset >= 0 && offset <= source.length);
      expect([inside, result.problems.length > 0], source).toEqual([true, true]);
    }
  }
}

const STEP_WORDS = [
  ...['login', '.first', '.last', '.amount', '.country', '.at', '["Odd name"]', 'count(', 'sum('],
  ...['avg(', 'distinct(', 'min(', 'login.amount', 'login.last.type', 'sum(login.amount)', ')', '+', '=='],
];

describe('whatever is written as a condition', () => {
  it('is compiled or refused with places, never a crash', () => {
    const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((list) => list.join(' '));
    fc.assert(fc.property(fc.oneof(term, words, fc.string()), holds), { numRuns: 1500 });
  });

  it('is compiled or refused in patterns too, over steps that took nothing', () => {
    const words = fc.array(fc.constantFrom(...STEP_WORDS), { maxLength: 8 });
    const texts = fc.oneof(
      words.map((list) => list.join('')),
      fc.tuple(words, term).map(([list, rest]) => `${list.join('')} ${rest}`),
    );
    fc.assert(fc.property(texts, holdsInPatterns), { numRuns: 1500 });
  });
});
