import fc from 'fast-check';
import type { Cell } from '../../../../src/events/row.ts';
import type { Plan } from '../../../../src/rules/plan.ts';
import type { Frame } from '../../../../src/rules/plan-parts.ts';
import { PlanBuilder, type WindowSpec } from './plan-builder.ts';
import type { Arrival } from './stream.ts';

const amount = ({ row }: Frame): number | null =>
  typeof row.cells[3] === 'string' ? Number(row.cells[3]) : null;

/** Two tables, a view, keys by user and by device, cooldowns, shadow, scoring: all that the laws are about. */
export function fraudPlan(version = 'test', options: { readonly withDevices?: boolean } = {}): Plan {
  const builder = new PlanBuilder()
    .table('transaction', {
      columns: { id: 'int8', user_id: 'int4', device: 'text', amount: 'numeric' },
      lateness: 3,
      views: { large: (frame) => ((value) => (value === null ? null : value > 5))(amount(frame)) },
    })
    .table('login', { columns: { id: 'int8', uid: 'int4', city: 'text' }, lateness: 1 })
    .rule({
      id: 'often',
      event: 'transaction',
      key: ['user_id'],
      lets: {
        n: { fn: 'count', by: ['user_id'], over: 8 },
        total: { fn: 'sum', of: 'amount', by: ['user_id'], over: 12 },
        city: { fn: 'last', of: 'city', event: 'login', by: ['user_id'], theirBy: ['uid'], over: 20 },
      },
      when: ({ lets }) => (typeof lets[0] === 'number' ? lets[0] > 1 : null),
      score: 0.1,
      actions: [{ kind: 'alert' }, { kind: 'flag' }],
      cooldown: { by: ['user_id'], forMicros: 6 },
    })
    .rule({ id: 'large', event: 'large', score: 0.2, actions: [{ kind: 'alert' }] })
    .rule({
      id: 'login_after_money',
      event: 'login',
      key: ['uid'],
      lets: {
        spent: { fn: 'max', of: 'amount', event: 'large', by: ['uid'], theirBy: ['user_id'], over: 15 },
      },
      when: ({ lets }) => (lets[0] === null ? null : true),
      actions: [{ kind: 'alert' }],
    })
    .rule({ id: 'habits', event: 'login', key: ['uid'], lets: habits(), when: () => true, score: 0.1 })
    .scoring({
      event: 'transaction',
      combine: 'sum',
      bands: [
        { name: 'flag', above: 0.2, actions: [{ kind: 'alert' }] },
        { name: 'block', above: 0.3, actions: [{ kind: 'alert' }, { kind: 'block' }] },
      ],
      block: { by: { names: ['user_id'], columns: [1] }, forMicros: 100 },
      shadow: true,
    });
  if (options.withDevices !== false) {
    builder.rule({
      id: 'devices',
      event: 'transaction',
      key: ['device'],
      lets: {
        users: { fn: 'distinct', of: 'user_id', by: ['device'], over: 10, current: false },
        newest: { fn: 'max', of: 'amount', by: ['device'], over: { kind: 'rows', rows: 2, within: 30 } },
      },
      when: ({ lets }) => (typeof lets[0] === 'number' ? lets[0] > 0 : null),
      score: 0.05,
      actions: [{ kind: 'alert' }, { kind: 'block' }],
      block: { by: ['device'], forMicros: 50 },
      cooldown: { by: ['device'], forMicros: 4 },
      mode: 'shadow',
    });
  }
  return builder.build(version);
}

/** Of each kind, over rows of the table itself and of another, which share a store with windows by time. */
function habits(): Record<string, WindowSpec> {
  const money = { of: 'amount', event: 'transaction', by: ['uid'], theirBy: ['user_id'] };
  return {
    last: { fn: 'list', ...money, over: { kind: 'rows', rows: 3, within: 25 } },
    deviation: { fn: 'stddev', ...money, over: { kind: 'hopping', size: 6, every: 2 } },
    spent: { fn: 'sum', ...money, over: { kind: 'hopping', size: 9, every: 3 }, panes: true },
    most: { fn: 'max', ...money, over: { kind: 'hopping', size: 6, every: 3 }, panes: true },
    spread: { fn: 'stddev', ...money, over: { kind: 'hopping', size: 12, every: 12 }, panes: true },
    mean: {
      fn: 'avg',
      ...money,
      over: { kind: 'hopping', size: 12, every: 12 },
      panes: true,
      current: false,
    },
    usual: { fn: 'percentile', ...money, percent: 75, over: { kind: 'session', gap: 3, within: 15 } },
    moved: { fn: 'first_seen', of: 'city', by: ['uid'], over: { kind: 'rows', rows: 2, within: 18 } },
    today: { fn: 'distinct', of: 'city', by: ['uid'], over: { kind: 'hopping', size: 10, every: 10 } },
  };
}

const steps = fc.record({
  event: fc.constantFrom('transaction', 'transaction', 'transaction', 'login'),
  forward: fc.constantFrom(0, 0, 1, 2, 9),
  back: fc.constantFrom(0, 0, 0, 1, 3, 5, 12),
  user: fc.constantFrom('1', '2', '3', null),
  device: fc.constantFrom('x', 'y', 'z', null),
  amount: fc.constantFrom('1', '6.5', '7', '100', null),
});

/** Arrivals for `fraudPlan`. */
export const fraudStreams = fc.array(steps, { maxLength: 40, size: 'max' }).map((all) => {
  let now = 1000;
  return all.map((step, i): Arrival => {
    now += step.forward;
    const transaction: Cell[] = [String(i), step.user, step.device, step.amount];
    const cells = step.event === 'login' ? [String(i), step.user, step.device] : transaction;
    return { event: step.event, cells, at: now - step.back, commitAt: now };
  });
});
