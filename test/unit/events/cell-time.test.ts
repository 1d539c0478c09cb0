import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInterval, parseTimestamp } from '../../../src/events/cell-time.ts';

const DAY = 86_400_000_000;

describe('timestamps', () => {
  test.each([
    ['1970-01-01 00:00:00+00', 0],
    ['2026-03-01 06:30:00.123456+00', Date.UTC(2026, 2, 1, 6, 30) * 1000 + 123_456],
    ['2026-03-01 12:00:00.5', Date.UTC(2026, 2, 1, 12) * 1000 + 500_000],
    ['2026-03-01 12:00:00.5+05:30', Date.UTC(2026, 2, 1, 6, 30) * 1000 + 500_000],
    ['2026-03-01 12:00:00-03:30', Date.UTC(2026, 2, 1, 15, 30) * 1000],
    ['1930-01-01 00:19:32+00:19:32', Date.UTC(1930, 0, 1) * 1000],
    ['1969-12-31 23:59:59.999999', -1],
    ['2024-02-29', Date.UTC(2024, 1, 29) * 1000],
    ['2000-02-29', Date.UTC(2000, 1, 29) * 1000],
    ['2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1) * 1000],
    ['2026-01-01T00:00:00.001+01:00', Date.UTC(2025, 11, 31, 23) * 1000 + 1_000],
    ['0001-12-31 BC', Date.parse('0000-12-31T00:00:00Z') * 1000],
    ['0044-03-15 12:00:00+00 BC', Date.parse('-000043-03-15T12:00:00Z') * 1000],
    ['12026-03-15 12:00:00+00', Date.parse('+012026-03-15T12:00:00Z') * 1000],
    ['infinity', Infinity],
    ['-infinity', -Infinity],
  ])('%s is exact', (text, micros) => {
    expect(parseTimestamp(text)).toBe(micros);
  });

  test('agree with Date over its years, in every zone, to the microsecond', () => {
    const moments = fc.record({
      ms: fc.integer({ min: Date.parse('0001-01-02T00:00:00Z'), max: Date.parse('2255-01-01T00:00:00Z') }),
      micros: fc.nat(999),
      offset: fc.integer({ min: -15 * 60, max: 15 * 60 }),
    });
    fc.assert(
      fc.property(moments, ({ ms, micros, offset }) => {
        const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1).replace('T', ' ');
        const sign = offset < 0 ? '-' : '+';
        const hours = String(Math.trunc(Math.abs(offset) / 60)).padStart(2, '0');
        const minutes = String(Math.abs(offset) % 60).padStart(2, '0');
        const text = `${local}${String(micros).padStart(3, '0')}${sign}${hours}:${minutes}`;
        expect(parseTimestamp(text)).toBe(ms * 1000 + micros);
      }),
    );
  });

  test.each([
    ...[
      '',
      '2026',
      '2026-01',
      '2026-1-01',
      '2026-01-1',
      '2026-13-01',
      '2026-00-01',
      '2026-01-32',
      '2026-02-29',
    ],
    ...['2026-01-00', '0000-01-01', '26-01-01', '2026/01/01', '01-02-2026', '2026-01-01 ', '2026-01-01 12'],
    ...['2026-01-01 12:00', '2026-01-01 12:00:0', '2026-01-01 12:00:00.', '2026-01-01 12:00:00.1234567'],
    ...['2026-01-01 25:00:00', '2026-01-01 12:60:00', '2026-01-01x12:00:00', '2026-01-01 12:00:00+'],
    ...['2026-01-01 12:00:00+1', '2026-01-01 12:00:00+01:', '2026-01-01 12:00:00+01:00:00:00'],
    ...['2026-01-01 12:00:00 UTC', '2026-01-01 12:00:00Z1', '2026-01-01BC', '2026-01-01 12-00-00', 'now'],
    ...[
      '1900-02-29',
      '-2026-01-01',
      'Infinity',
      '12345678-01-01',
      '2026-01-01 1a:00:00',
      '2026-01-01 12:00:00+0a',
    ],
  ])('%j is none, and the error shows it', (text) => {
    expect(() => parseTimestamp(text)).toThrow(JSON.stringify(text));
  });
});

describe('intervals', () => {
  test.each([
    ['00:00:00', 0],
    ['1 day', DAY],
    ['-1 days +02:03:04', -DAY + 7_384_000_000],
    ['-00:00:00.000001', -1],
    ['1 mon', 30 * DAY],
    ['1 year', 365.25 * DAY],
    ['1 year 2 mons -3 days +04:05:06.789', (365.25 + 60 - 3) * DAY + 14_706_789_000],
    ['-2 years -3 mons', -(730.5 + 90) * DAY],
    ['100:00:00', 360_000_000_000],
    ['infinity', Infinity],
    ['-infinity', -Infinity],
  ])('%s counts as extract(epoch) does', (text, micros) => {
    expect(parseInterval(text)).toBe(micros);
  });

  test.each(['', 'P1D', '1', '1 fortnight', '1:00:00:00', '@ 1 day', '1 day ago', '00:00'])(
    '%j is none',
    (text) => {
      expect(() => parseInterval(text)).toThrow(`not an interval: ${JSON.stringify(text)}`);
    },
  );
});
