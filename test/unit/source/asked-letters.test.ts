import { describe, expect, test } from 'vitest';
import { bucketOf, partitionOf } from '../../../src/events/keys.ts';
import { closing, formatPosition } from '../../../src/events/position.ts';
import { type Cell, NOT_SENT, placeOf } from '../../../src/events/row.ts';
import type { Plan, RulePlan } from '../../../src/rules/plan.ts';
import { askForLetters } from '../../../src/source/asked-letters.ts';
import { decodeMessage, encodeMessage } from '../../../src/source/message.ts';
import type { StoredLetter } from '../../../src/store/dead-letters.ts';
import { plan, table } from './plans.ts';
import { insert, lsn, message, Stream, T0, transaction } from './stream.ts';

const rule = (id: string, of: number, key: number | null) => ({ id, table: of, key }) as unknown as RulePlan;
const RULES: Plan = {
  ...plan('v1', [table(), table({ name: 'other' })]),
  rules: [rule('by_user', 0, 0), rule('keyless', 0, null), rule('elsewhere', 1, 0)],
  patterns: [{ id: 'sequence' }] as unknown as Plan['patterns'],
};

function letter(
  id: string,
  of: Partial<StoredLetter> & { columns?: Record<string, Cell> } = {},
): StoredLetter {
  const { columns = { id: '7', user_id: '5', at: null } } = of;
  const change = {
    table: 'public.payments',
    op: 'insert',
    at: T0 - 50,
    commitAt: T0 - 40,
    old: null,
  } as const;
  const named = new Map(Object.entries(columns));
  return {
    id,
    rule: 'by_user',
    position: formatPosition(lsn(9), 2),
    change: { ...change, columns: named },
    ...of,
  };
}

const ask = (...ids: string[]) => message('weir/weir', { kind: 'letters', ids });
const START = closing(lsn(50));
const PARTITIONS = 4;

async function read(
  letters: readonly StoredLetter[],
  positions = Array.from({ length: PARTITIONS }, () => START),
) {
  const stream = new Stream({ plan: RULES, positions, acknowledged: lsn(50), letters });
  const asked = ask(...letters.map(({ id }) => id));
  await stream.read(transaction(100, [insert(1, '5'), asked, insert(2, '5')]));
  stream.batcher.flush();
  return stream;
}

describe('a message that asks for dead letters', () => {
  test('has their rows come again in its place: late, as they were, to their rule', async () => {
    const stream = await read([letter('12')]);
    const [before, again, after] = stream.rows();
    expect([before, after].map((row) => [row?.position, row?.letter])).toEqual([
      [formatPosition(lsn(100), 1), undefined],
      [formatPosition(lsn(100), 3), undefined],
    ]);
    expect(again).toMatchObject({
      ...{
        position: formatPosition(lsn(9), 2),
        at: T0 - 50,
        commitAt: T0 - 40,
        watermark: T0 + 99,
        late: true,
      },
      ...{ op: 'insert', cells: ['7', '5', null], old: null, roles: 2 },
      letter: { id: '12', rule: 'by_user', asked: formatPosition(lsn(100), 2) },
    });
  });

  test('sends each to the one partition that judges it', async () => {
    const stream = await read([
      letter('1'),
      letter('2', { rule: 'keyless' }),
      letter('3', { columns: { id: '7', user_id: null, at: null } }),
    ]);
    const sent = stream.rows().filter((row) => row.letter !== undefined);
    const at = (key: string) => partitionOf(bucketOf(key), PARTITIONS);
    expect(sent.map((row) => [row.letter?.id, row.partition, row.roles]).sort()).toEqual([
      ['1', at('5'), 2],
      ['2', at('5'), 1],
      ['3', at('7'), 1],
    ]);
  });

  test('asks again after a crash, and not where that was committed', async () => {
    const asked = formatPosition(lsn(100), 2);
    const here = partitionOf(bucketOf('5'), PARTITIONS);
    const at = (position: string) =>
      read(
        [letter('1')],
        Array.from({ length: PARTITIONS }, () => position),
      );
    const count = async (position: string) =>
      (await at(position)).rows().filter((row) => row.letter !== undefined && placeOf(row) > position).length;
    expect(await count(formatPosition(lsn(100), 1))).toBe(1);
    expect(await count(asked)).toBe(0);
    expect((await at(asked)).rows().map((row) => [row.partition, row.position])).toEqual([
      [here, formatPosition(lsn(100), 3)],
    ]);
  });

  test('is in the batches that end with it or after it, however small they are', async () => {
    const letters = [letter('1'), letter('2'), letter('3', { columns: { id: '8', user_id: '6', at: null } })];
    const stream = new Stream({ plan: RULES, positions: [START], acknowledged: lsn(50), letters, rows: 1 });
    await stream.read(transaction(100, [insert(1, '5'), ask('1', '2', '3'), insert(2, '5')]));
    expect(stream.batches.map(({ to, rows }) => [to, rows])).toEqual([
      [formatPosition(lsn(100), 1), 1],
      [formatPosition(lsn(100), 2), 3],
      [formatPosition(lsn(100), 3), 1],
    ]);
  });

  test.each([
    ['its rule is not in force', { rule: 'gone' }],
    ['of a pattern: its sequence has gone on without the row', { rule: 'sequence' }],
    ['an output that PostgreSQL refused: there is no row to judge again', { change: null }],
    [
      'its row, of public.payments, was for a window: the rule judges rows of public.other',
      { rule: 'elsewhere' },
    ],
  ])('passes over one: %s', async (why, of) => {
    const stream = await read([letter('1', of), letter('2')]);
    expect(stream.passedOver).toEqual([why]);
    expect(stream.rows().flatMap((row) => row.letter?.id ?? [])).toEqual(['2']);
  });

  test('that nobody knows changes nothing', async () => {
    const stream = new Stream({ plan: RULES, positions: [START], acknowledged: lsn(50) });
    await stream.read(transaction(100, [insert(1, '5'), ask('99'), insert(2, '5')]));
    stream.batcher.flush();
    expect(stream.rows().map(({ position }) => position)).toEqual(
      [1, 3].map((ordinal) => formatPosition(lsn(100), ordinal)),
    );
  });

  test('finds columns that were not read then not known', async () => {
    const stream = await read([letter('1', { columns: { user_id: '5' } })]);
    expect(stream.rows().find((row) => row.letter !== undefined)?.cells).toEqual([NOT_SENT, '5', NOT_SENT]);
  });

  test('names no more than are read at once, and ids alone', async () => {
    const sent: string[] = [];
    const query = async (_: string, values: readonly string[]) => void sent.push(values[1] as string);
    const ids = Array.from({ length: 1_001 }, (_, i) => String(i + 1));
    await askForLetters({ query } as never, 'weir', ids);
    const asked = sent.map((content) => decodeMessage(Buffer.from(content)));
    expect(asked.flatMap((one) => (one?.kind === 'letters' ? one.ids : []))).toEqual(ids);
    expect(asked.map((one) => (one?.kind === 'letters' ? one.ids.length : 0))).toEqual([500, 500, 1]);
    const wrong = encodeMessage({ kind: 'letters', ids: ['1; drop'] });
    expect(decodeMessage(Buffer.from(wrong))).toBeNull();
  });
});
