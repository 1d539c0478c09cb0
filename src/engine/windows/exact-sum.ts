import { parseNumeric } from '../../events/cell.ts';
import { ratio } from './ratio.ts';

/** The powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Mantissas of this many digits, and what adds up below 2^53, stay plain numbers. */
const SMALL_DIGITS = 15;
/** Decimal numbers of so many digits come back from a double as they were. */
const SURE = 10 ** SMALL_DIGITS;
/** Below it a square is a safe integer. */
const SQUARES_FIT = 94_906_265;

/** What `scanSmall` has read: two results without an object a value. */
let scannedMantissa = 0;
let scannedScale = 0;

/** Reads `-12.50` as mantissa -1250 and scale 2; false when it is not plain digits, or too many of them. */
function scanSmall(text: string): boolean {
  const negative = text.charCodeAt(0) === 0x2d;
  const start = negative ? 1 : 0;
  let mantissa = 0;
  let point = -1;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x30 && code <= 0x39) mantissa = mantissa * 10 + (code - 0x30);
    else if (code === 0x2e && point < 0) point = i;
    else return false;
  }
  const digits = text.length - start - (point < 0 ? 0 : 1);
  if (digits === 0 || digits > SMALL_DIGITS) return false;
  scannedMantissa = negative ? -mantissa : mantissa;
  scannedScale = point < 0 ? 0 : text.length - point - 1;
  return true;
}

/**
 * The exact sum of numbers in PostgreSQL's text, which values may enter and leave in any order: an integer at a
 * scale, a plain number while it is safe and a BigInt beyond. NaN and the infinities are counted beside it, so
 * that the sum recovers when they leave.
 */
export class ExactSum {
  /** Values in the sum. */
  count = 0;
  readonly #squares: boolean;
  #scale = 0;
  #small = 0;
  #big: bigint | null = null;
  #nan = 0;
  #positive = 0;
  #negative = 0;

  /** `squares`: the sum is of the values' squares. */
  constructor({ squares }: { readonly squares: boolean } = { squares: false }) {
    this.#squares = squares;
  }

  add(text: string): void {
    this.count += 1;
    this.#apply(text, 1);
  }

  remove(text: string): void {
    this.count -= 1;
    if (this.count === 0) this.clear();
    else this.#apply(text, -1);
  }

  copy(): ExactSum {
    const copy = new ExactSum({ squares: this.#squares });
    copy.count = this.count;
    copy.#scale = this.#scale;
    copy.#small = this.#small;
    copy.#big = this.#big;
    copy.#nan = this.#nan;
    copy.#positive = this.#positive;
    copy.#negative = this.#negative;
    return copy;
  }

  clear(): void {
    this.count = 0;
    this.#scale = 0;
    this.#small = 0;
    this.#big = null;
    this.#nan = 0;
    this.#positive = 0;
    this.#negative = 0;
  }

  /** Correctly rounded; as PostgreSQL has it where NaN or an infinity is among the values. */
  total(): number {
    const special = this.#special();
    if (special !== null) return special;
    if (this.#big === null && this.#scale < POWERS.length) return this.#small / this.#power(this.#scale);
    return Number(`${this.#big ?? this.#small}e-${this.#scale}`);
  }

  /** Whether `total` is sure to hold every digit: most sums, known without writing one. */
  get fitsDouble(): boolean {
    return this.#big === null && this.#scale < POWERS.length && Math.abs(this.#small) < SURE;
  }

  /** The sum as `units` / 10^`scale`; null: NaN or an infinity is among its values. */
  exact(): { readonly units: bigint; readonly scale: number } | null {
    if (this.#special() !== null) return null;
    return { units: this.#big ?? BigInt(this.#small), scale: this.#scale };
  }

  /** All digits, at the greatest scale among its values; null: NaN or an infinity is among them. */
  text(): string | null {
    if (this.#special() !== null) return null;
    const units = this.#big ?? BigInt(this.#small);
    const digits = (units < 0n ? -units : units).toString().padStart(this.#scale + 1, '0');
    const point = digits.length - this.#scale;
    const part = this.#scale === 0 ? '' : `.${digits.slice(point)}`;
    return `${units < 0n ? '-' : ''}${digits.slice(0, point)}${part}`;
  }

  /** Of so many values. Correctly rounded; null without values. */
  average(count = this.count): number | null {
    if (count === 0) return null;
    const special = this.#special();
    if (special !== null) return special;
    if (this.#big === null && this.#scale < POWERS.length) {
      const divisor = this.#power(this.#scale) * count;
      if (Number.isSafeInteger(divisor)) return this.#small / divisor;
    }
    return ratio(this.#big ?? BigInt(this.#small), 10n ** BigInt(this.#scale) * BigInt(count));
  }

  #special(): number | null {
    if (this.#nan > 0 || (this.#positive > 0 && this.#negative > 0)) return NaN;
    if (this.#positive > 0) return Infinity;
    return this.#negative > 0 ? -Infinity : null;
  }

  #apply(text: string, sign: 1 | -1): void {
    if (!scanSmall(text)) this.#applyNumeric(text, sign);
    else if (!this.#squares) this.#applySmall(sign * scannedMantissa, scannedScale);
    else if (Math.abs(scannedMantissa) < SQUARES_FIT)
      this.#applySmall(sign * scannedMantissa * scannedMantissa, scannedScale * 2);
    else this.#applyBig(BigInt(sign) * BigInt(scannedMantissa) ** 2n, scannedScale * 2);
  }

  #applyNumeric(text: string, sign: 1 | -1): void {
    const numeric = parseNumeric(text);
    if (numeric.kind === 'finite') {
      const power = this.#squares ? 2 : 1;
      this.#applyBig(BigInt(sign) * numeric.unscaled ** BigInt(power), numeric.scale * power);
    } else if (numeric.kind === 'nan') this.#nan += sign;
    else if (numeric.sign === 1) this.#positive += sign;
    else this.#negative += sign;
  }

  #applySmall(mantissa: number, scale: number): void {
    if (this.#big === null && this.#rescale(scale)) {
      const term = mantissa * this.#power(this.#scale - scale);
      if (Number.isSafeInteger(term) && Number.isSafeInteger(this.#small + term)) {
        this.#small += term;
        return;
      }
    }
    this.#applyBig(BigInt(mantissa), scale);
  }

  /** Whether the plain number is at a scale of at least `scale` now. */
  #rescale(scale: number): boolean {
    if (scale <= this.#scale) return this.#scale - scale < POWERS.length;
    const scaled = this.#small * this.#power(scale - this.#scale);
    if (!Number.isSafeInteger(scaled)) return false;
    this.#small = scaled;
    this.#scale = scale;
    return true;
  }

  #applyBig(mantissa: bigint, scale: number): void {
    let big = this.#big ?? BigInt(this.#small);
    if (scale > this.#scale) {
      big *= 10n ** BigInt(scale - this.#scale);
      this.#scale = scale;
    }
    this.#big = big + mantissa * 10n ** BigInt(this.#scale - scale);
  }

  #power(exponent: number): number {
    return POWERS[exponent] ?? NaN;
  }
}
