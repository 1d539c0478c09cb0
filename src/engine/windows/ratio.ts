/** Bits of the quotient that `Number` rounds from: more than the 53 of a double, and a sticky bit below them. */
const QUOTIENT_BITS = 70;
/** 2^1000 is a double; shifts beyond take two steps. */
const STEP = 1000;

/** numerator / denominator (above 0) as the nearest double, ties to even. */
export function ratio(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const magnitude = numerator < 0n ? -numerator : numerator;
  const shift = QUOTIENT_BITS - (bits(magnitude) - bits(denominator));
  const [dividend, divisor] =
    shift >= 0 ? [magnitude << BigInt(shift), denominator] : [magnitude, denominator << BigInt(-shift)];
  const quotient = dividend / divisor;
  const sticky = quotient * divisor === dividend ? quotient : quotient | 1n;
  const value = scale(Number(sticky), -shift);
  return numerator < 0n ? -value : value;
}

/** The root of numerator / denominator (both not below 0, the latter above) as the nearest double. */
export function rootOfRatio(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const wanted = 2 * QUOTIENT_BITS - (bits(numerator) - bits(denominator));
  const shift = wanted + (wanted & 1);
  const [dividend, divisor] =
    shift >= 0 ? [numerator << BigInt(shift), denominator] : [numerator, denominator << BigInt(-shift)];
  const quotient = dividend / divisor;
  const root = squareRoot(quotient);
  const sticky = root * root * divisor === dividend ? root : root | 1n;
  return scale(Number(sticky), -shift / 2);
}

/** Rounded down. Newton's method from a double, which is right in its 53 bits already. */
function squareRoot(value: bigint): bigint {
  let root = BigInt(Math.floor(Math.sqrt(Number(value))));
  root = (root + value / root) >> 1n;
  while (root * root > value) root -= 1n;
  while ((root + 1n) * (root + 1n) <= value) root += 1n;
  return root;
}

/** Within three of the number of bits: enough, as the quotient has 17 to spare. */
function bits(value: bigint): number {
  return value.toString(16).length * 4;
}

function scale(value: number, exponent: number): number {
  const step = Math.max(-STEP, Math.min(STEP, exponent));
  return value * 2 ** step * 2 ** (exponent - step);
}
