import type { ExactSum } from './exact-sum.ts';
import { rootOfRatio } from './ratio.ts';

/**
 * The sample standard deviation of values whose sum, and sum of squares, are exact: so a small one of great values is
 * right too. Correctly rounded; null below two values; NaN, as in PostgreSQL, where NaN or an infinity
 * is among them.
 */
export function deviation(sum: ExactSum, squares: ExactSum, count = sum.count): number | null {
  if (count < 2) return null;
  const [first, second] = [sum.exact(), squares.exact()];
  if (first === null || second === null) return NaN;
  const scale = Math.max(first.scale * 2, second.scale);
  const n = BigInt(count);
  const ofSquares = n * second.units * 10n ** BigInt(scale - second.scale);
  const ofSum = first.units * first.units * 10n ** BigInt(scale - first.scale * 2);
  return rootOfRatio(ofSquares - ofSum, 10n ** BigInt(scale) * n * (n - 1n));
}
