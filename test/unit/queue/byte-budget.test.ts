import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { positionText } from '../../../src/events/position.ts';
import { ByteBudget } from '../../../src/queue/byte-budget.ts';

const at = (n: number) => positionText('0'.repeat(16), n);

describe('ByteBudget', () => {
  test('is full from its limit on, and reads again at half of it', () => {
    const budget = new ByteBudget(100);
    budget.acquire(0, at(1), 49);
    budget.acquire(0, at(2), 50);
    expect(budget.full).toBe(false);
    budget.acquire(0, at(3), 1);
    expect(budget.full).toBe(true);
    expect(budget.release(0, at(1))).toBe(49);
    expect([budget.outstanding, budget.full]).toEqual([51, true]);
    budget.release(0, at(3));
    expect([budget.outstanding, budget.full]).toEqual([0, false]);
  });

  test('a batch that is bigger than the budget is taken, and the budget empties when it is committed', () => {
    const budget = new ByteBudget(10);
    budget.acquire(3, at(1), 1_000);
    expect(budget.full).toBe(true);
    budget.release(3, at(1));
    expect([budget.outstanding, budget.full]).toEqual([0, false]);
  });

  test('a commit inside a batch does not release it', () => {
    const budget = new ByteBudget(100);
    budget.acquire(0, at(10), 60);
    expect(budget.release(0, at(9))).toBe(0);
    expect(budget.release(0, at(10))).toBe(60);
    expect(budget.release(0, at(10))).toBe(0);
  });

  test('a new epoch forgets everything', () => {
    const budget = new ByteBudget(100);
    budget.acquire(0, at(10), 600);
    budget.clear();
    expect([budget.outstanding, budget.full, budget.release(0, at(10))]).toEqual([0, false, 0]);
  });

  test('a limit that nothing fits under is refused', () => {
    expect(() => new ByteBudget(0)).toThrow('above 0, not 0');
  });

  const step = fc.oneof(
    fc.record({
      kind: fc.constant('acquire' as const),
      partition: fc.nat(3),
      bytes: fc.nat(500),
      advance: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({ kind: fc.constant('release' as const), partition: fc.nat(3), position: fc.nat(200) }),
  );

  test('outstanding is what a list of all uncommitted batches adds up to, and full follows it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 2_000 }), (steps, limit) => {
        const budget = new ByteBudget(limit);
        let held: { partition: number; to: string; bytes: number }[] = [];
        let full = false;
        const heads = [0, 0, 0, 0];
        for (const s of steps) {
          if (s.kind === 'acquire') {
            const to = (heads[s.partition] ?? 0) + s.advance;
            heads[s.partition] = to;
            held.push({ partition: s.partition, to: at(to), bytes: s.bytes });
            budget.acquire(s.partition, at(to), s.bytes);
          } else {
            held = held.filter((b) => b.partition !== s.partition || b.to > at(s.position));
            budget.release(s.partition, at(s.position));
          }
          const sum = held.reduce((total, b) => total + b.bytes, 0);
          if (sum >= limit) full = true;
          else if (sum <= limit / 2) full = false;
          expect([budget.outstanding, budget.full]).toEqual([sum, full]);
        }
      }),
    );
  });

  test('whatever was acquired, committing all of it makes room', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ partition: fc.nat(3), bytes: fc.nat(10_000) })), (batches) => {
        const budget = new ByteBudget(100);
        batches.forEach((b, i) => {
          budget.acquire(b.partition, at(i + 1), b.bytes);
        });
        for (const partition of [0, 1, 2, 3]) budget.release(partition, at(batches.length));
        expect([budget.outstanding, budget.full]).toEqual([0, false]);
      }),
    );
  });
});
