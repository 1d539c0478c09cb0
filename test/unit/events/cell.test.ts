import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ArrayItem,
  isKnown,
  parseArray,
  parseBoolean,
  parseBytea,
  parseNumeric,
} from '../../../src/events/cell.ts';
import { NOT_SENT, UNCHANGED } from '../../../src/events/row.ts';

test('what is known of a cell is its text or NULL', () => {
  expect([isKnown('x'), isKnown(''), isKnown(null)]).toEqual([true, true, true]);
  expect([isKnown(UNCHANGED), isKnown(NOT_SENT), isKnown(undefined)]).toEqual([false, false, false]);
});

describe('numbers', () => {
  test('keep every digit and their scale', () => {
    expect(parseNumeric('1234567890123456789012345678901234567890.0120')).toEqual({
      kind: 'finite',
      unscaled: 12345678901234567890123456789012345678900120n,
      scale: 4,
    });
    expect(parseNumeric('-0.05')).toEqual({ kind: 'finite', unscaled: -5n, scale: 2 });
    expect(parseNumeric('9223372036854775807')).toEqual({
      kind: 'finite',
      unscaled: 9223372036854775807n,
      scale: 0,
    });
  });

  test('with exponents, as floats have them, are exact too', () => {
    expect(parseNumeric('1e+20')).toEqual({ kind: 'finite', unscaled: 10n ** 20n, scale: 0 });
    expect(parseNumeric('-1.5e-07')).toEqual({ kind: 'finite', unscaled: -15n, scale: 8 });
    expect(parseNumeric('1.25e1')).toEqual({ kind: 'finite', unscaled: 125n, scale: 1 });
  });

  test('that are none are named as what they are', () => {
    expect(parseNumeric('NaN')).toEqual({ kind: 'nan' });
    expect(parseNumeric('Infinity')).toEqual({ kind: 'infinity', sign: 1 });
    expect(parseNumeric('-Infinity')).toEqual({ kind: 'infinity', sign: -1 });
  });

  test.each(['', '.', '-', 'e5', '1e', '1,5', '0x10', ' 1', '1e999999', '1e9999999'])(
    'are not %j',
    (text) => {
      expect(() => parseNumeric(text)).toThrow(`not a number: ${JSON.stringify(text)}`);
    },
  );
});

test('booleans are t and f, and the words that people write', () => {
  expect(['t', 'true', 'f', 'false'].map(parseBoolean)).toEqual([true, true, false, false]);
  expect(() => parseBoolean('yes')).toThrow('not a boolean: "yes"');
});

test('bytea is hex, whole bytes', () => {
  expect(parseBytea('\\x00fF10')).toEqual(new Uint8Array([0, 255, 16]));
  expect(parseBytea('\\x')).toEqual(new Uint8Array());
  for (const text of ['', '\\x0', '\\x0g', '\\000', 'x00'])
    expect(() => parseBytea(text)).toThrow('not a bytea');
});

describe('arrays', () => {
  test('hold texts, NULL, and the text "NULL"', () => {
    expect(parseArray('{1,NULL,"NULL","",a b}')).toEqual(['1', null, 'NULL', '', 'a b']);
    expect(parseArray('{}')).toEqual([]);
  });

  test('nest, whatever their lower bounds', () => {
    expect(parseArray('[0:1][5:6]={{1,2},{3,NULL}}')).toEqual([
      ['1', '2'],
      ['3', null],
    ]);
    expect(parseArray('[-3:-3]={"[1:2]={x}"}')).toEqual(['[1:2]={x}']);
  });

  test('of boxes are separated by semicolons', () => {
    expect(parseArray('{(1,1),(0,0);(2,2),(1,1)}', ';')).toEqual(['(1,1),(0,0)', '(2,2),(1,1)']);
  });

  test.each([
    ...[
      '',
      '{',
      '}',
      '{1',
      '1}',
      '{1}}',
      '{1,}',
      '{,1}',
      '{"a}',
      '{"a\\',
      '{a"b"}',
      '{1}x',
      '[1:2]{1}',
      '[=]',
    ],
    '{{{{{{{1}}}}}}}',
    '{'.repeat(100_000),
  ])('are not %.20s', (text) => {
    expect(() => parseArray(text)).toThrow('not an array');
  });

  test('are read as they were written, whatever is in them', () => {
    const leaf = fc.option(fc.string({ unit: 'binary' }));
    const nested = fc.array(fc.array(leaf, { minLength: 1 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.oneof(fc.array(leaf), nested), (items) => {
        expect(parseArray(write(items))).toEqual(items);
      }),
    );
  });

  test('are never anything but an array or a clean error', () => {
    const text = fc.string({ unit: fc.constantFrom(...'{}",\\[]:=NULa1 ') });
    fc.assert(
      fc.property(text, (text) => {
        try {
          parseArray(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'WEIR_VALUE' });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

/** As array_out quotes. */
function write(items: readonly ArrayItem[]): string {
  const parts = items.map((item) => {
    if (item === null) return 'NULL';
    return typeof item === 'string' ? `"${item.replace(/["\\]/g, '\\$&')}"` : write(item);
  });
  return `{${parts.join(',')}}`;
}
