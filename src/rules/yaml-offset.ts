import type { Scalar } from 'yaml';

/**
 * Where the character at `offset` of a scalar's value stands in the text. Value and source are walked side by
 * side: escapes count as what they mean, and white space of the source that the value does not have (indentation,
 * folded lines) is passed over.
 */
export function sourceOffset(text: string, scalar: Scalar, offset: number): number {
  const value = typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? '');
  let s = bodyStart(text, scalar);
  let v = 0;
  while (v < offset && s < text.length) {
    const sequence = escapeAt(text, s, scalar.type);
    if (sequence !== null) {
      s += sequence.length;
      v += sequence.gives;
    } else if (text[s] === value[v] || (isSpace(text[s]) && isSpace(value[v]))) {
      s += 1;
      v += 1;
    } else if (isSpace(text[s])) s += 1;
    else break;
  }
  if (v >= value.length) return s;
  for (;;) {
    const sequence = escapeAt(text, s, scalar.type);
    if (sequence?.gives === 0) s += sequence.length;
    else if (isSpace(text[s]) && !isSpace(value[v])) s += 1;
    else return s;
  }
}

function bodyStart(text: string, scalar: Scalar): number {
  const start = scalar.range?.[0] ?? 0;
  switch (scalar.type) {
    case 'QUOTE_DOUBLE':
    case 'QUOTE_SINGLE':
      return start + 1;
    case 'BLOCK_FOLDED':
    case 'BLOCK_LITERAL':
      return text.indexOf('\n', start) + 1;
    default:
      return start;
  }
}

interface Escape {
  /** In the source, and in the value (UTF-16 units). */
  readonly length: number;
  readonly gives: number;
}

function escapeAt(text: string, s: number, type: Scalar['type']): Escape | null {
  if (type === 'QUOTE_SINGLE') return text.startsWith("''", s) ? { length: 2, gives: 1 } : null;
  if (type !== 'QUOTE_DOUBLE' || text[s] !== '\\') return null;
  const next = text[s + 1] ?? '';
  if (next === '\n' || next === '\r') return { length: 2, gives: 0 };
  const digits = { x: 2, u: 4, U: 8 }[next] ?? 0;
  const code = Number.parseInt(text.slice(s + 2, s + 2 + digits), 16);
  return { length: 2 + digits, gives: digits === 8 && code > 0xffff ? 2 : 1 };
}

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\n' || char === '\t' || char === '\r';
}
