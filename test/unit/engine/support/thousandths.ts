export const SPECIAL = { nan: 'NaN', above: 'Infinity', below: '-Infinity' };

/** Exact, for at most three decimals; a special value stands for itself. */
export function thousandths(cell: string): bigint | string {
  if (Object.values(SPECIAL).includes(cell)) return cell;
  const negative = cell.startsWith('-');
  const [whole = '0', part = ''] = cell.replace('-', '').split('.');
  const amount = BigInt(whole) * 1000n + BigInt(part.padEnd(3, '0'));
  return negative ? -amount : amount;
}

/** The sum of values of which some are NaN or infinite; null: none is. */
export function special(cells: readonly string[]): number | null {
  const found = new Set(cells);
  if (found.has(SPECIAL.nan) || (found.has(SPECIAL.above) && found.has(SPECIAL.below))) return NaN;
  if (found.has(SPECIAL.above)) return Infinity;
  return found.has(SPECIAL.below) ? -Infinity : null;
}

export function sumOf(cells: readonly string[]): bigint {
  return cells.map(thousandths).reduce<bigint>((sum, amount) => sum + (amount as bigint), 0n);
}

/** Of a sample, by its definition: each value less the mean, squared. 40 decimals of the root. */
export function deviation(cells: readonly string[]): number | null {
  const n = BigInt(cells.length);
  if (n < 2n) return null;
  if (special(cells) !== null) return NaN;
  // n times each difference, so that there is no fraction: the squares are n * n times as much.
  const mean = sumOf(cells);
  const squares = cells.map((cell) => (n * (thousandths(cell) as bigint) - mean) ** 2n);
  const sum = squares.reduce((all, square) => all + square, 0n);
  return Number(`${root((sum * 10n ** 80n) / (n * n * (n - 1n)))}e-43`);
}

/** By halving. */
function root(value: bigint): bigint {
  let [low, high] = [0n, value + 1n];
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle * middle <= value) low = middle;
    else high = middle;
  }
  return low;
}
