/** Every decimal number of so many digits comes back from a double as it was. */
const SURE_DIGITS = 15;

/** A decimal number as it is told: its double, or where that does not hold every digit of the text, the text. */
export function withEveryDigit(value: number, text: string): number | string {
  return holds(value, text) ? value : text;
}

function holds(value: number, text: string): boolean {
  const [, digits] = /^-?0*(\d*?)0*$/.exec(text.replace('.', '')) ?? [];
  if (digits === undefined || digits === '') return true; // NaN, infinity, or zero
  if (!Number.isFinite(value) || value === 0) return false;
  return digits.length <= SURE_DIGITS || String(value) === withoutZeros(text);
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
