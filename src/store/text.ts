/**
 * PostgreSQL's text has no NUL, and its UTF-8 no lone surrogates: both become U+FFFD. (The lone surrogates of plain
 * text become it on the wire, where Node encodes it.)
 */
export function cleanText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text;
}

/** The same for the escapes in JSON text, which jsonb refuses; everything else keeps its exact form. */
export function cleanJson(json: string): string {
  return json.includes('\\u') ? json.replace(ESCAPES, replaceEscape) : json;
}

/** A surrogate pair, any other \\u escape, or a two-character escape: matched whole, so that `\\\\u0000` stays. */
const ESCAPES = /\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|u[0-9a-f]{4}|.)/gis;

function replaceEscape(sequence: string): string {
  return /^\\u(?:0000|d[89a-f][0-9a-f]{2})$/i.test(sequence) ? '\\ufffd' : sequence;
}

/** What any server encoding can hold; for the dead letter of a dead letter. */
export function asciiText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

/** At most so many code points, never half of one. */
export function cutText(text: string, codePoints: number): string {
  if (text.length <= codePoints) return text;
  const cut = Array.from(text.slice(0, codePoints * 2))
    .slice(0, codePoints)
    .join('');
  return cut.length === text.length ? text : `${cut}…`;
}
