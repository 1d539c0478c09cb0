import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUCKETS, bucketOf, keyText, LANE_KEY, partitionOf } from '../../../src/events/keys.ts';
import { NOT_SENT, UNCHANGED } from '../../../src/events/row.ts';

describe('the text of a key', () => {
  test('of one column is that column as PostgreSQL wrote it', () => {
    expect(keyText(['a', '007'], [1])).toBe('007');
    expect(keyText([''], [0])).toBe('');
  });

  test('of several columns tells apart values that join to the same text', () => {
    expect(keyText(['a', 'b'], [0, 1])).toBe('["a","b"]');
    expect(keyText(['a","b', 'c'], [0, 1])).not.toBe(keyText(['a', 'b","c'], [0, 1]));
  });

  test('is null when any of its columns is NULL or unknown', () => {
    for (const cell of [null, UNCHANGED, NOT_SENT] as const) {
      expect(keyText([cell], [0])).toBeNull();
      expect(keyText(['a', cell], [0, 1])).toBeNull();
      expect(keyText([cell, 'a'], [0, 1])).toBeNull();
    }
    expect(keyText([], [3])).toBeNull();
  });

  test('of no columns is the same for all rows: a lane', () => {
    expect(keyText(['a'], [])).toBe(LANE_KEY);
    expect(keyText([null], [])).toBe(LANE_KEY);
  });

  test('stays whole up to 512 bytes of UTF-8 and is a prefix and a hash above', () => {
    expect(keyText(['x'.repeat(512)], [0])).toBe('x'.repeat(512));
    expect(keyText(['é'.repeat(256)], [0])).toBe('é'.repeat(256));
    expect(keyText(['é'.repeat(257)], [0])).toMatch(/^é{64}#[0-9a-f]{64}$/);
    expect(keyText(['x'.repeat(512)], [0])).not.toBe(keyText(['x'.repeat(513)], [0]));
    const long = 'x'.repeat(600);
    expect(keyText([`${long}1`], [0])).not.toBe(keyText([`${long}2`], [0]));
  });

  test('is bounded, and valid UTF-8, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), fc.nat(100), (unit, times) => {
        const text = unit.repeat(times);
        const key = keyText([text], [0]);
        expect(key).not.toBeNull();
        expect(Buffer.byteLength(key as string)).toBeLessThanOrEqual(512);
        expect(Buffer.from(key as string, 'utf8').toString('utf8')).toBe(key);
      }),
    );
  });
});

describe('the bucket of a key', () => {
  test('is that of FNV-1a, 32 bits, by its published vectors', () => {
    expect(bucketOf('')).toBe(0x811c9dc5 & 1023);
    expect(bucketOf('a')).toBe(0xe40c292c & 1023);
    expect(bucketOf('foobar')).toBe(0xbf9cf968 & 1023);
  });

  test('spreads consecutive ids over all partitions', () => {
    const rows = new Array<number>(8).fill(0);
    for (let id = 0; id < 8_000; id++) {
      const partition = partitionOf(bucketOf(String(id)), 8);
      rows[partition] = (rows[partition] ?? 0) + 1;
    }
    for (const count of rows) expect(count).toBeGreaterThan(800);
  });

  test('is in range for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bucket = bucketOf(text);
        expect(Number.isInteger(bucket) && bucket >= 0 && bucket < BUCKETS).toBe(true);
      }),
    );
  });
});
