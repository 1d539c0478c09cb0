import type { Value } from '../rules/plan-parts.ts';

const MESSAGE_CODE_POINTS = 2_000;
const UNSTORABLE = /[\0\p{Surrogate}]/gu;

/** PostgreSQL stores neither NUL nor half a surrogate pair: the replacement character stands for them. */
export function cleanText(text: string): string {
  return text.replace(UNSTORABLE, '\ufffd');
}

export function cleanValue(value: Value): Value {
  if (typeof value === 'string') return cleanText(value);
  return typeof value === 'object' && value !== null ? value.map(cleanValue) : value;
}

/** A text that a person reads: clean, and of a bounded length. */
export function cutMessage(text: string): string {
  const clean = cleanText(text);
  if (clean.length <= MESSAGE_CODE_POINTS) return clean;
  let end = 0;
  for (let points = 0; points < MESSAGE_CODE_POINTS && end < clean.length; points++) {
    end += (clean.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return clean.slice(0, end);
}
