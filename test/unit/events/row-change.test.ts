import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Batch, decodeRow, encodeLetter } from '../../../src/events/batch.ts';
import { positionText } from '../../../src/events/position.ts';
import { type Cell, NOT_SENT, OPS, placeOf, type Row, UNCHANGED } from '../../../src/events/row.ts';
import { cellsOf, decodeRowChange, encodeRowChange } from '../../../src/events/row-change.ts';

const TABLE = { schema: 'public', name: 'payments', columns: [{ name: 'id' }, { name: 'amount' }] };
const cell: fc.Arbitrary<Cell> = fc.oneof(fc.string(), fc.constantFrom(null, UNCHANGED, NOT_SENT));
const cells = fc.array(cell, { minLength: 2, maxLength: 2 });
const time = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(Infinity, -Infinity));
const rows: fc.Arbitrary<Row> = fc.record({
  ...{ table: fc.nat(5), op: fc.constantFrom(...OPS), cells, old: fc.option(cells), at: time },
  ...{ commitAt: fc.maxSafeInteger(), watermark: time, late: fc.boolean(), roles: fc.nat(255) },
  position: fc.constant(positionText('0'.repeat(15).concat('7'), 3)),
});

test('a row that is kept as JSON is the same row again, to the digit', () => {
  fc.assert(
    fc.property(rows, (row) => {
      const change = decodeRowChange(JSON.parse(encodeRowChange(TABLE, row)));
      const { op, at, commitAt } = row;
      expect(change).toMatchObject({ table: 'public.payments', op, at, commitAt });
      expect(cellsOf(change?.columns ?? new Map(), TABLE.columns)).toEqual(row.cells);
      expect(change?.old && cellsOf(change.old, TABLE.columns)).toEqual(row.old);
    }),
  );
});

test('a column that it was not read with is not known', () => {
  const kept = new Map<string, Cell>([['amount', null]]);
  const columns = [{ name: 'country' }, { name: 'amount' }];
  expect(cellsOf(kept, columns)).toEqual([NOT_SENT, null]);
});

test.each([null, {}, 'text', { table: 't', op: 'merge', at: 1, commitAt: 1, columns: {}, old: null }])(
  '%j is no row',
  (json) => {
    expect(decodeRowChange(json)).toBeNull();
  },
);

test('in a batch it stands where it was asked for, and is what it was', () => {
  const asked = positionText('0'.repeat(15).concat('9'), 4);
  const batch = { transactions: [[asked.slice(0, 16), 5]] } as unknown as Batch;
  fc.assert(
    fc.property(rows, fc.string(), (row, rule) => {
      const { table, late, at, watermark, roles, old, position, commitAt } = row;
      const parts = { table, late, at, watermark, roles, old, cells: row.cells };
      const letter = { id: '12', rule, position, commitAt };
      const op = OPS.indexOf(row.op);
      const encoded = encodeLetter({ ...parts, op, transaction: 0, ordinal: 4 }, letter);
      const decoded = decodeRow(JSON.parse(JSON.stringify(encoded)), batch, () => 2);
      expect(decoded).toEqual({ ...row, letter: { id: '12', rule, asked } });
      expect(placeOf(decoded)).toBe(asked);
    }),
  );
});
