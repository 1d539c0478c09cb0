import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCel } from '../../../../src/rules/cel/compile.ts';
import { CelEvaluationError } from '../../../../src/rules/cel/compiled.ts';
import { frame, scope } from './condition.ts';

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

describe('whatever is written as a condition', () => {
  it('is compiled or refused with places, never a crash', () => {
    const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((list) => list.join(' '));
    fc.assert(fc.property(fc.oneof(term, words, fc.string()), holds), { numRuns: 1500 });
  });
});
