import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cellToJson, rowToJson } from '../../../src/events/cell-json.ts';
import { NOT_SENT, UNCHANGED } from '../../../src/events/row.ts';
import type { ColumnPlan } from '../../../src/rules/plan.ts';

describe('a cell as JSON', () => {
  test.each([
    ['int8', '9223372036854775807', '9223372036854775807'],
    [
      'numeric',
      '1234567890123456789012345678901234567890.0120',
      '1234567890123456789012345678901234567890.0120',
    ],
    ['numeric(12,2)', '-0.50', '-0.50'],
    ['float8', '1e+20', '1e+20'],
    ['float4', '1.5e-07', '1.5e-07'],
    ['float8', '-0', '-0'],
    ['double', '2.5', '2.5'],
    ['numeric', 'NaN', '"NaN"'],
    ['float8', '-Infinity', '"-Infinity"'],
    ['bool', 't', 'true'],
    ['bool', 'f', 'false'],
    ['jsonb', '{"a": 1.10}', '{"a": 1.10}'],
    ['json', '{"a":\n1}', '{"a": 1}'],
    ['text', 'say "hi"\n', '"say \\"hi\\"\\n"'],
    ['text', '', '""'],
    ['timestamptz', '2026-03-01 06:30:00.123456+00', '"2026-03-01 06:30:00.123456+00"'],
    ['bytea', '\\x00ff', '"\\\\x00ff"'],
    ['uuid', '6f1e0e2c-5f6f-4c58-9b8f-0123456789ab', '"6f1e0e2c-5f6f-4c58-9b8f-0123456789ab"'],
    ['int4[]', '{1,NULL,3}', '[1,null,3]'],
    ['int4[]', '[0:1][5:6]={{1,2},{3,4}}', '[[1,2],[3,4]]'],
    ['numeric(9,2)[]', '{1.10,NaN}', '[1.10,"NaN"]'],
    ['text[]', '{"a,b",NULL,"NULL"}', '["a,b",null,"NULL"]'],
    ['bool[]', '{t,f}', '[true,false]'],
    ['jsonb[]', '{"{\\"a\\": 1}"}', '[{"a": 1}]'],
    ['box[]', '{(1,1),(0,0);(2,2),(1,1)}', '["(1,1),(0,0)","(2,2),(1,1)"]'],
  ])('of %s %s keeps every digit', (pgType, cell, json) => {
    expect(cellToJson(pgType, cell)).toBe(json);
    expect(() => JSON.parse(json)).not.toThrow();
  });

  test('that a person wrote is made valid', () => {
    const numbers = ['5.', '.5', '+5', '007', '00.50', '-.5e3', '0'].map((cell) =>
      cellToJson('numeric', cell),
    );
    expect(numbers).toEqual(['5', '0.5', '5', '7', '0.50', '-0.5e3', '0']);
    expect(cellToJson('int4', 'five')).toBe('"five"');
    expect(cellToJson('int4', '.')).toBe('"."');
    expect(cellToJson('bool', 'yes')).toBe('"yes"');
    expect(cellToJson('jsonb', '{a: 1}')).toBe('"{a: 1}"');
    expect(cellToJson('int4[]', '1, 2')).toBe('"1, 2"');
  });

  test('is null where nothing is known', () => {
    expect([null, UNCHANGED, NOT_SENT].map((cell) => cellToJson('int4', cell as null))).toEqual([
      'null',
      'null',
      'null',
    ]);
  });

  test('is valid JSON, whatever the type and the text', () => {
    const type = fc.constantFrom(
      'int4',
      'numeric',
      'bool',
      'jsonb',
      'json',
      'text',
      'int4[]',
      'jsonb[]',
      'text[]',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'0123.-+eE{}",NUL') }),
    );
    fc.assert(
      fc.property(type, text, (pgType, cell) => {
        JSON.parse(cellToJson(pgType, cell));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a row as JSON', () => {
  const columns: ColumnPlan[] = [
    { name: 'id', pgType: 'int8', type: 'double' },
    { name: 'the "word"', pgType: 'text', type: 'string' },
    { name: 'long', pgType: 'text', type: 'string' },
    { name: '__proto__', pgType: 'bool', type: 'bool' },
  ];

  test('has the cells that are known, NULL among them', () => {
    expect(rowToJson(columns, ['1', null, UNCHANGED, 't'])).toBe(
      '{"id":1,"the \\"word\\"":null,"__proto__":true}',
    );
    expect(rowToJson(columns, [NOT_SENT, 'x', null])).toBe('{"the \\"word\\"":"x","long":null}');
    expect(rowToJson(columns, [])).toBe('{}');
  });
});
