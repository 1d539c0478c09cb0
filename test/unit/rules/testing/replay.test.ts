import { describe, expect, test } from 'vitest';
import { WeirError } from '../../../../src/errors.ts';
import { type ReplayOptions, replay } from '../../../../src/rules/testing/replay.ts';
import { EVENTS, planOf } from '../fixtures.ts';

const RULES = `${EVENTS}rules:
  - id: z_large
    event: transaction
    when: amount > 100
    score: 60
  - id: a_often
    event: transaction
    let:
      n: { count: transaction, by: user_id, over: 1m }
      before: { previous: created_at, by: user_id, over: 1m }
    when: n > 1
    score: 50
`;

async function outputs(
  rules: string,
  lines: readonly (object | string)[],
  options: Partial<ReplayOptions> = {},
) {
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  const found: unknown[] = [];
  for await (const output of replay(planOf(rules), texts, { file: 'events.jsonl', ...options }))
    found.push(output);
  return found;
}

async function failure(lines: readonly (object | string)[]): Promise<string> {
  try {
    await outputs(RULES, lines);
  } catch (error) {
    if (error instanceof WeirError) return error.message;
    throw error;
  }
  throw new Error('no error');
}

const tx = (at: number | string, more: object = {}) => ({
  event: 'transaction',
  at,
  user_id: 1,
  id: 7,
  ...more,
});

describe('a replay', () => {
  test('prints hits by line and rule, then the decision of the line', async () => {
    const lines = [
      tx('2026-01-01T00:00:00Z', { amount: '12.50' }),
      '',
      tx('2026-01-01T00:00:30Z', { amount: 100.5 }),
    ];
    expect(await outputs(RULES, lines)).toEqual([
      { kind: 'hit', rule: 'a_often', line: 2, score: 50, let: { n: 2, before: null } },
      { kind: 'hit', rule: 'z_large', line: 2, score: 60, let: {} },
      {
        kind: 'decision',
        event: 'transaction',
        id: '7',
        line: 2,
        score: 110,
        band: 'block',
        reasons: [
          { rule: 'a_often', score: 50 },
          { rule: 'z_large', score: 60 },
        ],
      },
    ]);
  });

  test('tells a shadow decision only of a line that a shadow rule hit', async () => {
    const rules = RULES.replace('id: z_large', 'id: z_large\n    mode: shadow');
    const found = await outputs(rules, [tx(0), tx(1000), tx(2000, { amount: 500 })]);
    const told = found.map((output) => {
      const { kind, line, mode = 'live' } = output as { kind: string; line: number; mode?: string };
      return [line, kind, mode].join(' ');
    });
    expect(told).toEqual([
      '1 hit live',
      '1 decision live',
      '2 hit live',
      '2 hit shadow',
      '2 decision live',
      '2 decision shadow',
    ]);
  });

  test('takes milliseconds as a number, and windows end exactly at their edge', async () => {
    expect(await outputs(RULES, [tx(1000), tx(61_000)])).toEqual([]);
    expect(await outputs(RULES, [tx(1000), tx(60_999)])).toHaveLength(2);
  });

  test('keeps the digits of keys', async () => {
    const lines = ['9007199254740993', '9007199254740992'].map(
      (id) => `{"event":"transaction","at":1000,"user_id":${id}}`,
    );
    expect(await outputs(RULES, lines)).toEqual([]);
  });

  test('passes over operations that are not captured, and columns that no rule uses', async () => {
    expect(await outputs(RULES, [tx(1, { op: 'delete', amount: 500 }), tx(2, { nonsense: [1] })])).toEqual(
      [],
    );
  });

  test('warns of a column whose name is nearly that of one which rules use and no event has', async () => {
    const warned = async (...lines: readonly object[]) => {
      const warnings: string[] = [];
      await outputs(RULES, lines, { warn: (warning) => warnings.push(warning) });
      return warnings;
    };
    expect(await warned(tx(1, { amuont: 5 }), tx(2, { amuont: 5 }))).toEqual([
      'no line gives "amount" of event "transaction", which rules use, and "amuont" is passed over: did you mean amount?',
    ]);
    expect(await warned(tx(1, { amuont: 5 }), tx(2, { amount: 5 }))).toEqual([]);
    expect(await warned({ event: 'transaction', at: 1, ip: 1, user: 1, amount: 1, useless: 1 })).toEqual([]);
    expect(await warned()).toEqual([]);
  });

  test('tells late rows and judges them all the same', async () => {
    const timed = RULES.replace('    columns:', '    time: created_at\n    lateness: 5s\n    columns:');
    const lines = [tx(100_000), tx(94_999, { user_id: 2, amount: 500 }), tx(95_000, { user_id: 3 })];
    expect(await outputs(timed, lines)).toEqual([
      { kind: 'hit', rule: 'z_large', line: 1, score: 60, let: {} },
      expect.objectContaining({ kind: 'decision', line: 1, score: 60, band: 'flag' }),
      { kind: 'late', line: 1 },
    ]);
  });

  test('moves time by a watermark line', async () => {
    const timed = RULES.replace('    columns:', '    time: created_at\n    lateness: 5s\n    columns:');
    const rows = (watermark: number) => [tx(100_000), { watermark }, tx(99_000)];
    expect(await outputs(timed, rows(98_999))).not.toContainEqual({ kind: 'late', line: 2 });
    expect(await outputs(timed, rows(99_000))).toContainEqual({ kind: 'late', line: 2 });
  });

  test('names the file and the line of each bad line', async () => {
    expect(await failure([tx(1), '{"event":'])).toMatch(/^events\.jsonl:2: not JSON: /);
    const lines = [
      ['[1]', 'not an event: a line is an object'],
      [{ at: 1 }, '"event" is missing'],
      [{ event: 'transactoin', at: 1 }, 'there is no event "transactoin" (did you mean transaction?)'],
      [{ event: 'transaction' }, '"at" is missing'],
      [
        { event: 'transaction', at: 'noon' },
        '"at" is a time (ISO 8601, or milliseconds as a number), not "noon"',
      ],
      [tx(1, { amount: 'lots' }), 'column "amount" is numeric, and "lots" is not a number'],
      [tx(1, { op: 'upsert' }), '"op" is one of insert, update, delete, truncate, not "upsert"'],
      [{ watermark: 'soon' }, '"watermark" is a time'],
    ] as const;
    const told = await failure(lines.map(([line]) => line));
    expect(told).toMatch(/^8 bad lines:\n/);
    lines.forEach(([, message], index) => {
      expect(told).toContain(`events.jsonl:${index + 1}: ${message}`);
    });
  });
});

test('an update is judged with its old row', async () => {
  const rules = `${EVENTS.replace('    columns:', '    ops: [update]\n    columns:')}rules:
  - id: raised
    event: transaction
    when: amount > old.amount * 2
    score: 10
`;
  const change = (amount: number) => tx(1, { op: 'update', amount, old: { amount: 10 } });
  expect(await outputs(rules, [change(20), change(21)])).toEqual([
    { kind: 'hit', rule: 'raised', line: 1, score: 10, let: {} },
    expect.objectContaining({ kind: 'decision', line: 1, score: 10, band: null }),
  ]);
});
