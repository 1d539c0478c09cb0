import type { Value } from '../../rules/plan-parts.ts';

const SURROGATES = 0xd800;

/** PostgreSQL's order in the C collation of UTF-8, which is that of code points; JS compares UTF-16 units. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for what is above U+FFFF, so they go after U+E000 to U+FFFF. */
function rank(unit: number): number {
  if (unit < SURROGATES) return unit;
  return unit >= 0xe000 ? unit - 0x0800 : unit + 0x2000;
}

/** The order of min and max: numbers with NaN above all, as in PostgreSQL; text by code point; false below true. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b);
  const x = Number(a);
  const y = Number(b);
  if (x < y) return -1;
  if (x > y) return 1;
  if (x === y) return 0;
  return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
}
