import { expect, it } from 'vitest';
import { keyText } from '../../../src/events/keys.ts';
import { planOf } from '../rules/fixtures.ts';
import { foldAll, rowsOf } from './support/stream.ts';

const plan = planOf(`version: 1
events: { e: { table: public.e, columns: { id: int8, who: text, what: text } } }
patterns:
  - id: p
    by: who
    steps: [{ a: { event: e, when: what == "a" } }, { b: { event: e, when: what == "b" } }]
    actions: [block]
    block: { by: who, for: 1h }
`);

it('a pattern blocks a long key under the name that the guard looks for', () => {
  const who = 'x'.repeat(5_000);
  const given = ['a', 'b'].map((what, at) => ({ cells: [`${at}`, who, what], at }));
  const { blocks } = foldAll(plan, rowsOf(plan, given));
  expect(blocks.map(({ value }) => value)).toEqual([keyText([who], [0])]);
  expect(blocks[0]?.value.length).toBeLessThan(200);
});
