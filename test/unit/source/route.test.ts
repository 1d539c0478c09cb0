import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketOf } from '../../../src/events/keys.ts';
import type { Cell } from '../../../src/events/row.ts';
import { HOME_ROLE, type Projection, project, Router } from '../../../src/source/route.ts';
import { plan, relation, table } from '../source/plans.ts';

const PARTITIONS = 8;
const two = table({
  keys: [
    { dimension: 0, columns: [1] },
    { dimension: 1, columns: [2] },
  ],
});
const router = new Router(plan('v', [two]), PARTITIONS);
const partition = (text: string) => bucketOf(text) % PARTITIONS;

function routed(cells: readonly Cell[], by = router) {
  by.route(0, cells);
  return Array.from({ length: by.count }, (_, i) => [by.targets[i], by.roles[i]]);
}

describe('where a row goes', () => {
  test('home is the partition of its first key, and each key has its role where it hashes to', () => {
    expect(partition('5')).not.toBe(partition('7'));
    expect(routed(['1', '5', '7'])).toEqual([
      [partition('5'), HOME_ROLE | 2],
      [partition('7'), 4],
    ]);
  });

  test('a row goes at most once to a partition', () => {
    expect(routed(['1', '5', '5'])).toEqual([[partition('5'), HOME_ROLE | 2 | 4]]);
  });

  test('a NULL key has no role, and home is the next key', () => {
    expect(routed(['1', null, '7'])).toEqual([[partition('7'), HOME_ROLE | 4]]);
  });

  test('a row without keys lives where its primary key says', () => {
    expect(routed(['11', null, null])).toEqual([[partition('11'), HOME_ROLE]]);
  });

  test('a row without keys and primary key lives where its whole text says, always the same', () => {
    const bare = new Router(plan('v', [table({ keys: [], primaryKey: [] })]), PARTITIONS);
    expect(routed(['1', null, 'x'], bare)).toEqual(routed(['1', null, 'x'], bare));
    expect(routed([], bare)).toEqual([[partition('public.payments'), HOME_ROLE]]);
  });

  test('a lane has every row, and is home to none', () => {
    const lane = { dimension: 1, columns: [] };
    const keyed = new Router(
      plan('v', [table({ keys: [lane, { dimension: 0, columns: [1] }] })]),
      PARTITIONS,
    );
    expect(partition('5')).not.toBe(partition(''));
    expect(routed(['1', '5', null], keyed)).toEqual([
      [partition('5'), HOME_ROLE | 4],
      [partition(''), 2],
    ]);
    expect(partition('11')).not.toBe(partition(''));
    const bare = new Router(plan('v', [table({ keys: [lane] })]), PARTITIONS);
    expect(routed(['11', null, null], bare)).toEqual([
      [partition('11'), HOME_ROLE],
      [partition(''), 2],
    ]);
    const unnamed = new Router(plan('v', [table({ keys: [lane], primaryKey: [] })]), PARTITIONS);
    expect(routed(['x', 'y', null], unnamed)[0]).toEqual([partition('["x","y",null]'), HOME_ROLE]);
  });

  test('every row has one home, every key that is not NULL one role, and no partition twice', () => {
    const cell = fc.option(fc.string({ maxLength: 4 }), { nil: null });
    fc.assert(
      fc.property(fc.tuple(fc.string(), cell, cell), (cells) => {
        const targets = routed(cells);
        expect(new Set(targets.map(([to]) => to)).size).toBe(targets.length);
        const roles = targets.map(([, role]) => role as number);
        expect(roles.filter((role) => (role & HOME_ROLE) !== 0)).toHaveLength(1);
        [1, 2].forEach((column, key) => {
          const bearers = roles.filter((role) => (role & (2 << key)) !== 0);
          expect(bearers).toHaveLength(cells[column] === null ? 0 : 1);
        });
      }),
    );
  });
});

describe('a published row', () => {
  test('becomes the row of the plan, whatever the order of columns', () => {
    const published = relation(1, 'payments', ['at', 'note', 'id', 'user_id']);
    const projection = router.projection(published) as Projection;
    expect(project(projection, ['noon', 'n', '1', '5'])).toEqual(['1', '5', 'noon']);
  });

  test('is taken as it is when the columns are the same', () => {
    const row = ['1', '5', 'noon'];
    const projection = router.projection(relation(1, 'payments', ['id', 'user_id', 'at'])) as Projection;
    expect(project(projection, row)).toBe(row);
  });

  test('of a table that changed is looked at anew', () => {
    router.projection(relation(1, 'payments', ['id', 'user_id', 'at']));
    const projection = router.projection(relation(1, 'payments', ['user_id', 'at', 'id'])) as Projection;
    expect(project(projection, ['5', 'noon', '1'])).toEqual(['1', '5', 'noon']);
  });

  test('of a table that no rule uses is none of ours', () => {
    expect(router.projection(relation(2, 'other', ['id']))).toBeNull();
  });

  test('without a column that rules use stops with the fix', () => {
    expect(() => router.projection(relation(1, 'payments', ['id', 'at']))).toThrow(
      expect.objectContaining({
        code: 'WEIR_COLUMN_NOT_PUBLISHED',
        message: expect.stringContaining('"user_id" of public.payments'),
        hint: expect.stringContaining('weir init --apply'),
      }),
    );
  });
});
