import { Environment } from '@marcbachmann/cel-js';
import { describe, expect, it } from 'vitest';
import { checkedType, interceptCheck, parseCel, valueTypeFrom } from '../../../../src/rules/cel/cel-js.ts';

/** What Weir relies on inside cel-js; a new version that changes it fails here first. */
describe('cel-js', () => {
  it('asks each node for its type through check(), and keeps the answer', () => {
    const parsed = parseCel('a + 1.0 > 2.0');
    if ('summary' in parsed) throw new Error(parsed.summary);
    const { root } = parsed;
    if (root.op !== '>' || root.args[0].op !== '+') throw new Error(`not the tree of before: ${root.op}`);
    const a = root.args[0].args[0];
    interceptCheck(a, () => (checker) => checker.getType('double'));
    parsed.check();
    expect([root, root.args[0], a].map((node) => checkedType(node)?.name)).toEqual([
      'bool',
      'double',
      'double',
    ]);
  });

  it('keeps the places of names, fields and literals as UTF-16 offsets', () => {
    const parsed = parseCel('"😀" == row.name');
    if ('summary' in parsed || parsed.root.op !== '==') throw new Error('not the tree of before');
    expect(parsed.root.args.map(({ pos, start, end }) => [pos, start, end])).toEqual([
      [0, 0, 4],
      [12, 8, 16],
    ]);
  });

  it('is what calls duration + timestamp a duration, which we put right', () => {
    const environment = new Environment().registerVariable('t', 'google.protobuf.Timestamp');
    expect(environment.check('duration("1h") + t').type).toBe('google.protobuf.Duration');
  });

  it('has no type of ours for null, bytes and maps', () => {
    for (const source of ['null', 'b"a"', '{"a": 1}']) {
      const parsed = parseCel(source);
      if ('summary' in parsed) throw new Error(parsed.summary);
      parsed.check();
      const type = checkedType(parsed.root);
      expect(type && valueTypeFrom(type)).toBe(null);
    }
  });
});
