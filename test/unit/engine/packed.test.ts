import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Entries } from '../../../src/engine/windows/entries.ts';
import { pack, packedFirst, packedSize, unpack } from '../../../src/engine/windows/packed.ts';

const cell = fc.oneof(
  fc.constant(null),
  fc.constantFrom('', '\u0001', '\u0001\u0001x', ',', '1,2', '12.50', 'é', '😀'),
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
);
const time = fc.oneof(
  fc.integer({ min: 0, max: 9_000 }),
  fc.constantFrom(-5, 0, 1_790_000_000_000_000, -Infinity, Infinity),
);

describe('entries of a key, packed', () => {
  it('are the same when unpacked', () => {
    const entries = fc.integer({ min: 0, max: 3 }).chain((width) => {
      const cells = fc.array(cell, { minLength: width, maxLength: width });
      const rows = fc.array(fc.record({ time, cells }), { minLength: 1, maxLength: 7 });
      return rows.map((all) => ({ width, rows: all.sort((a, b) => (a.time < b.time ? -1 : 1)) }));
    });
    fc.assert(
      fc.property(entries, fc.nat(6), ({ width, rows }, forgotten) => {
        const made = new Entries(width);
        for (const row of rows) made.insert(row.time, row.cells);
        const bound = rows[forgotten]?.time ?? -Infinity;
        const kept = rows.filter((row) => row.time > bound);
        made.forget(bound);
        if (made.size === 0) return;
        const text = pack(made);
        const read = unpack(text, width);
        const found = Array.from({ length: read.size }, (_, i) => ({
          time: read.times[i],
          cells: Array.from({ length: width }, (_, value) => read.cell(i, value)),
        }));
        expect(found).toEqual(kept);
        expect(packedSize(text)).toBe(kept.length);
        expect(packedFirst(text)).toBe(kept[0]?.time);
        expect(read.bytes).toBe(made.bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});
