/** The candidate most like `name`: the fewest edits, and one that begins with it or ends it before all others. */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = unlikeness(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Below this length, that a name holds another says nothing. */
const TELLING = 3;

function unlikeness(name: string, candidate: string): number {
  const edits = levenshtein(name, candidate);
  const telling = Math.min(name.length, candidate.length) >= TELLING;
  return telling && (candidate.includes(name) || name.includes(candidate)) ? Math.min(edits, 1.5) : edits;
}

/** The fewest insertions, deletions and replacements that make `b` of `a`. */
export function levenshtein(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
