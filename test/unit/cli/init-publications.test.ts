import { expect, test } from 'vitest';
import { withThoseInForce } from '../../../src/cli/init-publications.ts';
import type { Op } from '../../../src/events/row.ts';
import type { TablePlan } from '../../../src/rules/plan.ts';

function table(name: string, columns: readonly string[], ops: readonly Op[] = ['insert']): TablePlan {
  return {
    schema: 'public',
    name,
    event: name,
    events: [],
    ops,
    columns: columns.map((column) => ({ name: column, pgType: 'text', type: 'string' })),
    time: null,
    lateness: 0,
    ahead: 0,
    idle: 0,
    id: [],
    primaryKey: [],
    keys: [],
  };
}

function shown(tables: readonly TablePlan[]) {
  return tables.map(
    ({ name, ops, columns }) => `${name} ${ops.join('+')}: ${columns.map((c) => c.name).join()}`,
  );
}

test('until the stream has come to new rules, what the old ones use stays published', () => {
  const now = [table('orders', ['id', 'total']), table('users', ['id'])];
  const old = [table('orders', ['id', 'country'], ['update']), table('logins', ['id', 'ip'])];
  expect(shown(withThoseInForce(now, old))).toEqual([
    'orders insert+update: id,total,country',
    'users insert: id',
    'logins insert: id,ip',
  ]);
});

test('without an instance it is what the rules on disk use', () => {
  const now = [table('orders', ['id', 'total'])];
  expect(withThoseInForce(now, [])).toEqual(now);
});
