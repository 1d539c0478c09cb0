/** A pattern's next piece: any run, any character, or a character. */
interface Piece {
  readonly kind: 'run' | 'any' | 'char';
  readonly char: string;
}

let lastPattern = '';
let lastPieces: readonly Piece[] = [];

/** Patterns are nearly always the same one, row after row. */
function piecesOf(pattern: string): readonly Piece[] {
  if (pattern === lastPattern) return lastPieces;
  const pieces: Piece[] = [];
  let escaped = false;
  for (const char of pattern) {
    if (escaped) pieces.push({ kind: 'char', char });
    else if (char === '%') pieces.push({ kind: 'run', char });
    else if (char === '_') pieces.push({ kind: 'any', char });
    else if (char !== '\\') pieces.push({ kind: 'char', char });
    escaped = !escaped && char === '\\';
  }
  if (escaped) pieces.push({ kind: 'char', char: '\\' });
  [lastPattern, lastPieces] = [pattern, pieces];
  return pieces;
}

/**
 * SQL's LIKE: `%` any run, `_` one character, `\` makes the next one plain. No regular expression: when a piece
 * fails, the last `%` takes one character more, so the time is at most length times pattern.
 */
export function like(text: string, pattern: string): boolean {
  const pieces = piecesOf(pattern);
  const chars = /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
  let [at, piece, run, runAt] = [0, 0, -1, 0];
  while (at < chars.length) {
    const next = pieces[piece];
    if (next?.kind === 'run') {
      [run, runAt] = [piece, at];
      piece += 1;
    } else if (next !== undefined && (next.kind === 'any' || next.char === chars[at])) {
      at += 1;
      piece += 1;
    } else if (run >= 0) {
      runAt += 1;
      [at, piece] = [runAt, run + 1];
    } else return false;
  }
  while (pieces[piece]?.kind === 'run') piece += 1;
  return piece === pieces.length;
}
