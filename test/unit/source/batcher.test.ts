import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  closing,
  formatPosition,
  MAX_ORDINAL,
  ORIGIN,
  type PositionText,
} from '../../../src/events/position.ts';
import type { Change } from '../../../src/source/change.ts';
import { plan, table } from './plans.ts';
import { insert, lsn, Stream, transaction } from './stream.ts';

const V1 = plan('v1', [table()]);
const PARTITIONS = 3;
const NOWHERE = Array.from({ length: PARTITIONS }, () => closing(lsn(0)));

describe('batches', () => {
  test('end inside a transaction, and at its end once its commit was read', async () => {
    const stream = new Stream({ plan: V1, positions: [ORIGIN], rows: 2 });
    const rows = Array.from({ length: 5 }, (_, i) => insert(i, '1'));
    await stream.read(transaction(100, rows));
    stream.batcher.flush();
    const at = (ordinal: number) => formatPosition(lsn(100), ordinal);
    expect(stream.batches.map(({ from, to, rows }) => [from, to, rows])).toEqual([
      [ORIGIN, at(2), 2],
      [at(2), at(4), 2],
      [at(4), at(MAX_ORDINAL), 1],
    ]);
  });

  test('end at their limit of bytes', async () => {
    const stream = new Stream({ plan: V1, positions: [ORIGIN], bytes: 80 });
    await stream.read(transaction(100, [insert(1, '1'), insert(2, '1'), insert(3, '1')]));
    stream.batcher.flush();
    expect(stream.batches.map(({ rows, bytes }) => [rows, bytes])).toEqual([
      [2, 84],
      [1, 42],
    ]);
  });

  test('index their transactions', async () => {
    const stream = new Stream({ plan: V1, positions: [ORIGIN] });
    await stream.read([
      ...transaction(100, [insert(1, '1')]),
      ...transaction(200, [insert(2, '1'), insert(3, '1')]),
    ]);
    stream.batcher.flush();
    expect(stream.batches[0]?.transactions.map(([at]) => at)).toEqual([
      '0000000000000064',
      '00000000000000C8',
    ]);
    expect(stream.rows().map(({ position }) => position)).toEqual([
      formatPosition(lsn(100), 1),
      formatPosition(lsn(200), 1),
      formatPosition(lsn(200), 2),
    ]);
  });

  test('of nothing are none', async () => {
    const stream = new Stream({ plan: V1, positions: NOWHERE });
    stream.batcher.flush();
    stream.batcher.closeAll();
    expect(stream.batches).toEqual([]);
  });

  type Transaction = readonly string[];
  const transactions = fc.array(
    fc.array(fc.constantFrom('1', '2', '3', '4', '5', '6'), { minLength: 1, maxLength: 6 }),
    { minLength: 1, maxLength: 12 },
  );
  const changesOf = (all: readonly Transaction[]): readonly Change[] =>
    all.flatMap((users, i) =>
      transaction(
        (i + 1) * 100,
        users.map((user, j) => insert(`${i}.${j}`, user)),
      ),
    );

  /** The stream in pieces, with a flush after some of them. */
  async function run(options: {
    all: readonly Transaction[];
    pieces: readonly number[];
    rows: number;
    positions: readonly PositionText[];
    acknowledged?: number;
  }) {
    const { all, pieces, rows, positions } = options;
    const stream = new Stream({
      ...{ plan: V1, positions, rows },
      acknowledged: lsn(options.acknowledged ?? 0),
    });
    const changes = [...changesOf(all)];
    for (let i = 0; changes.length > 0; i++) {
      await stream.read(changes.splice(0, (pieces[i % pieces.length] as number) + 1));
      if (i % 3 === 0) stream.batcher.flush();
    }
    stream.batcher.closeAll();
    return stream;
  }

  const input = {
    all: transactions,
    pieces: fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 5 }),
    rows: fc.integer({ min: 1, max: 5 }),
  };

  test('are chained, hold every row once between their ends, and end where the stream was read to', async () => {
    await fc.assert(
      fc.asyncProperty(fc.record(input), async (given) => {
        const stream = await run({ ...given, positions: NOWHERE });
        const at = [...NOWHERE];
        for (const batch of stream.batches) {
          expect(batch.from).toBe(at[batch.partition]);
          expect(batch.to > batch.from).toBe(true);
          at[batch.partition] = batch.to;
        }
        const end = closing(lsn(given.all.length * 100));
        expect(at).toEqual(NOWHERE.map(() => end));
        const seen = stream.rows().map(({ position, cells }) => `${position} ${cells[0]}`);
        const expected = given.all.flatMap((users, i) =>
          users.map((_, j) => `${formatPosition(lsn((i + 1) * 100), j + 1)} ${i}.${j}`),
        );
        expect([...seen].sort()).toEqual(expected.sort());
        for (const batch of stream.batches) {
          const own = stream.rows().filter(({ position }) => position > batch.from && position <= batch.to);
          expect(own.filter(({ partition }) => partition === batch.partition)).toHaveLength(batch.rows);
        }
      }),
    );
  });

  test('however the stream is cut, the rows are the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.record(input), fc.record(input), async (one, other) => {
        const rows = async (given: typeof one) =>
          [...(await run({ ...given, all: one.all, positions: NOWHERE })).rows()].sort((a, b) =>
            a.position < b.position ? -1 : 1,
          );
        expect(await rows(one)).toEqual(await rows(other));
      }),
    );
  });

  test('a replay sends each partition what is above its position, and nothing else', async () => {
    const seeds = fc.array(fc.nat(), { minLength: PARTITIONS, maxLength: PARTITIONS });
    await fc.assert(
      fc.asyncProperty(fc.record(input), seeds, async (given, cuts) => {
        const whole = await run({ ...given, positions: NOWHERE });
        // Each partition stands at the end of some batch of its own, or at the start.
        const positions = NOWHERE.map((start, partition) => {
          const own = whole.batches.filter((batch) => batch.partition === partition);
          const cut = (cuts[partition] as number) % (own.length + 1);
          return cut === 0 ? start : (own[cut - 1]?.to ?? start);
        });
        const again = await run({ ...given, positions });
        const text = (stream: Stream, of: (row: { position: string; partition: number }) => boolean) =>
          stream
            .rows()
            .filter(of)
            .map(({ position, partition }) => `${position} ${partition}`)
            .sort();
        expect(text(again, () => true)).toEqual(
          text(whole, ({ position, partition }) => position > (positions[partition] as string)),
        );
        for (const batch of again.batches)
          expect(batch.from >= (positions[batch.partition] as string)).toBe(true);
      }),
    );
  });
});
