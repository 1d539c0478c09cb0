import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withEveryDigit } from '../../../src/engine/digits.ts';
import { ExactSum } from '../../../src/engine/windows/exact-sum.ts';
import { ratio } from '../../../src/engine/windows/ratio.ts';

function sumOf(texts: readonly string[]): ExactSum {
  const sum = new ExactSum();
  for (const text of texts) sum.add(text);
  return sum;
}

const decimals = fc
  .tuple(
    fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
    fc.constantFrom(1n, 10n ** 8n, 10n ** 16n, 10n ** 25n),
    fc.nat(25),
  )
  .map(([digits, divisor, scale]): { text: string; units: bigint } => {
    const value = digits / divisor;
    const magnitude = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
    const whole = magnitude.slice(0, magnitude.length - scale);
    const text = `${value < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${magnitude.slice(-scale)}`}`;
    return { text, units: value * 10n ** BigInt(25 - scale) };
  });

/** Of 10^-25. */
function unitsOf(text: string): bigint {
  const [, whole = '', part = ''] = /^(-?\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  return BigInt(whole + part.padEnd(25, '0'));
}

describe('an exact sum', () => {
  it('is the decimal sum, correctly rounded, whatever has come and gone', () => {
    fc.assert(
      fc.property(
        fc.array(decimals, { maxLength: 12 }),
        fc.array(decimals, { maxLength: 12 }),
        (stay, go) => {
          const sum = sumOf([...go, ...stay].map(({ text }) => text));
          for (const { text } of go) sum.remove(text);
          const units = stay.reduce((total, value) => total + value.units, 0n);
          expect(sum.total()).toBe(Number(`${units}e-25`));
          const text = sum.text() ?? '';
          expect(unitsOf(text)).toBe(units);
          if (sum.fitsDouble) expect(withEveryDigit(sum.total(), text)).toBe(sum.total());
          expect(sum.count).toBe(stay.length);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each([
    [['0.1', '0.2'], 0.3],
    [['9007199254740993', '-9007199254740992'], 1],
    [['1e-7', '1e+2', '-0'], 100.0000001],
    [['1.7976931348623157e+308', '-1.7976931348623157e+308', '5e-324'], 5e-324],
    [['999999999999999', '0.000000000000001'], 999999999999999],
  ])('of %j is %d', (texts, expected) => {
    expect(sumOf(texts).total()).toBe(expected);
  });

  it.each([
    [['0.10', '0.2'], '0.30'],
    [['9007199254740993', '1'], '9007199254740994'],
    [['-0.05', '0.01'], '-0.04'],
    [['12345678901234567890.5', '-12345678901234567890'], '0.5'],
    [['-1', '1'], '0'],
    [['1e+25', '1e-3'], '10000000000000000000000000.001'],
    [['NaN', '1'], null],
  ])('of %j is %s, digit by digit', (texts, expected) => {
    expect(sumOf(texts).text()).toBe(expected);
  });

  it('is what PostgreSQL says of NaN and the infinities, and recovers when they leave', () => {
    const sum = sumOf(['1', 'Infinity']);
    expect([sum.total(), sum.average()]).toEqual([Infinity, Infinity]);
    sum.add('-Infinity');
    expect([sum.total(), sum.average()]).toEqual([NaN, NaN]);
    sum.remove('Infinity');
    expect(sum.total()).toBe(-Infinity);
    sum.remove('-Infinity');
    sum.add('NaN');
    expect(sum.total()).toBe(NaN);
    sum.remove('NaN');
    expect([sum.total(), sum.average()]).toEqual([1, 1]);
  });

  it('of no values is 0, and their average unknown', () => {
    const sum = sumOf(['5']);
    sum.remove('5');
    expect([sum.total(), sum.average(), sumOf([]).average()]).toEqual([0, null, null]);
  });

  it('refuses what is not a number', () => {
    for (const text of ['', '.', '-', '1.2.3', '12,50', 'e5'])
      expect(() => sumOf([text]), text).toThrow('not a number');
  });
});

describe('an average', () => {
  it('is the nearest double to the quotient: between its neighbours’ midpoints', () => {
    const counts = fc.bigInt({ min: 1n, max: 10n ** 6n });
    fc.assert(
      fc.property(decimals, counts, ({ units }, count) => {
        expect(isNearest(ratio(units, count), units, count)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('of values beyond 2^53 loses no digit before it is rounded', () => {
    expect(sumOf(['9007199254740993', '9007199254740993']).average()).toBe(Number(9007199254740993n));
    expect(sumOf(['0.1', '0.2', '0.3']).average()).toBe(0.2);
    expect(ratio(1n, 3n)).toBe(1 / 3);
    expect(ratio(-(10n ** 400n), 10n ** 399n)).toBe(-10);
    expect(ratio(1n, 10n ** 320n)).toBe(1e-320);
  });
});

/** |value - n/d| is not greater than for the doubles beside it; compared as exact fractions. */
function isNearest(value: number, n: bigint, d: bigint): boolean {
  const error = (candidate: number): bigint => {
    const [m, e] = fraction(candidate);
    const difference = m * d - n * e;
    // Over the same denominator d * 2^1074, so that errors compare.
    return ((difference < 0n ? -difference : difference) * 2n ** 1074n) / e;
  };
  return error(value) <= error(neighbour(value, 1n)) && error(value) <= error(neighbour(value, -1n));
}

function fraction(value: number): readonly [bigint, bigint] {
  let denominator = 1n;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return [BigInt(scaled), denominator];
}

function neighbour(value: number, step: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value === 0 ? Number.MIN_VALUE : value);
  view.setBigInt64(0, view.getBigInt64(0) + step);
  return view.getFloat64(0);
}
