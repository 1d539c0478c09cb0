import { describe, expect, test } from 'vitest';
import { replay } from '../../../../src/rules/testing/replay.ts';
import { planOf } from '../fixtures.ts';

const COLUMNS = '{ id: int8, user_id: int8, amount: numeric, country: text, lat: float8, lon: float8 }';

/** What one window is, row by row of one user. */
async function values(window: string, rows: readonly object[]): Promise<unknown[]> {
  const plan = planOf(`version: 1
events:
  pay: { table: pay, columns: ${COLUMNS} }
rules:
  - { id: r, event: pay, let: { w: ${window} } }
`);
  const lines = rows.map((row, id) => JSON.stringify({ event: 'pay', id, user_id: 1, ...row }));
  const found: unknown[] = [];
  for await (const output of replay(plan, lines, { file: 'events.jsonl' }))
    if (output.kind === 'hit') found.push(output.let['w']);
  return found;
}

const at = (second: number, more: object = {}) => ({ at: second * 1000, ...more });
const of = (over: string) => `{ count: pay, by: user_id, over: ${over} }`;

describe('over', () => {
  const times = [0, 30, 59, 60, 61, 119, 125, 130];
  test.each([
    ['1m', [1, 2, 3, 3, 4, 3, 2, 3]],
    ['{ tumbling: 1m }', [1, 2, 3, 1, 2, 3, 1, 2]],
    // Of the two windows that hold a row the older counts: up to 1:00 the one from -1:00, up to 2:00 that from 0:00.
    ['{ hopping: 2m, every: 1m }', [1, 2, 3, 4, 5, 6, 4, 5]],
    ['{ session: 30s }', [1, 1, 2, 3, 4, 1, 2, 3]],
    ['{ session: 31s, within: 35s }', [1, 2, 2, 3, 4, 1, 2, 3]],
    ['{ rows: 3 }', [1, 2, 3, 3, 3, 3, 3, 3]],
    ['{ rows: 3, within: 10s }', [1, 1, 1, 2, 3, 1, 2, 2]],
  ])('%s', async (over, counts) => {
    expect(
      await values(
        of(over),
        times.map((second) => at(second)),
      ),
    ).toEqual(counts);
  });

  test('rows without the row itself are as many others', async () => {
    const rows = [1, 2, 3, 4].map((amount) => at(amount, { amount }));
    const window = '{ list: amount, by: user_id, over: { rows: 2 }, current: false }';
    expect(await values(window, rows)).toEqual([null, [1], [1, 2], [2, 3]]);
  });
});

describe('a window', () => {
  const amounts = ['10', '20', null, '30', '40'].map((amount, i) => at(i, { amount }));
  test.each([
    ['{ stddev: amount, by: user_id, over: 1m }', [null, 7.0710678118654755, 7.0710678118654755, 10]],
    ['{ percentile: [amount, 50], by: user_id, over: 1m }', [10, 15, 15, 20]],
    ['{ percentile: [amount, 95], by: user_id, over: 1m }', [10, 19.5, 19.5, 29]],
    ['{ list: amount, by: user_id, over: 1m }', [[10], [10, 20], [10, 20], [10, 20, 30]]],
  ])('%s', async (window, expected) => {
    expect(await values(window, amounts.slice(0, 4))).toEqual(expected);
  });

  test('knows a small deviation of great numbers', async () => {
    const great = ['1000000000000000000000000.1', '1000000000000000000000000.3'];
    const rows = great.map((amount, i) => at(i, { amount }));
    const [, deviation] = await values('{ stddev: amount, by: user_id, over: 1m }', rows);
    expect(deviation).toBe(Math.SQRT2 / 10);
  });

  test('knows what its key never showed; of nothing it cannot say', async () => {
    const rows = ['DE', 'DE', 'FR', null, 'DE'].map((country, i) => at(i * 10, { country }));
    const window = '{ first_seen: country, by: user_id, over: 30s }';
    expect(await values(window, rows)).toEqual([true, false, true, null, true]);
  });

  test('knows how fast its key moved', async () => {
    const berlin = { lat: 52.52, lon: 13.405 };
    const paris = { lat: 48.8566, lon: 2.3522 };
    const rows = [
      at(0, berlin),
      at(3600, paris),
      at(3600, berlin),
      at(3600, berlin),
      at(3700),
      at(3800, paris),
    ];
    const window = '{ speed_kmh: [lat, lon], by: user_id, over: 1d }';
    const found = await values(window, rows);
    expect(found[1]).toBeCloseTo(877.46, 1);
    expect([found[0], ...found.slice(2)]).toEqual([null, 'Infinity', 0, null, null]);
  });

  test('lists the newest thousand values', async () => {
    const rows = Array.from({ length: 1002 }, (_, i) => at(i, { amount: i }));
    const found = await values('{ list: amount, by: user_id, over: 1d }', rows);
    const last = found.at(-1) as number[];
    expect([last.length, last[0], last.at(-1)]).toEqual([1000, 2, 1001]);
  });
});

describe('conditions', () => {
  test('ask a list as any other', async () => {
    const plan = planOf(`version: 1
events:
  pay: { table: pay, columns: ${COLUMNS} }
rules:
  - id: abroad
    event: pay
    let:
      seen: { list: country, by: user_id, over: { rows: 3 }, current: false }
      fresh: { first_seen: country, by: user_id, over: 1d }
    when: fresh && size(seen) == 3 && !(country in seen)
    message: "{country} after {seen}"
`);
    const lines = ['DE', 'FR', 'DE', 'PL', 'US'].map((country, i) =>
      JSON.stringify({ event: 'pay', at: i, id: i, user_id: 1, country }),
    );
    const found: unknown[] = [];
    for await (const output of replay(plan, lines, { file: 'events.jsonl' }))
      if (output.kind === 'hit') found.push([output.line, output.let]);
    expect(found).toEqual([
      [3, { seen: ['DE', 'FR', 'DE'], fresh: true }],
      [4, { seen: ['FR', 'DE', 'PL'], fresh: true }],
    ]);
  });
});
