/** A line whose text YAML reads as something else, and the same line quoted. */
export interface Trap {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly why: string;
  readonly quoted: string;
  /** The whole line with the text quoted: what the rest of the check goes on with. */
  readonly healed: string;
}

const CONDITION_KEY = /^(\s*(?:- +)*)(when|unless|message|description)(\s*:\s+)(\S.*)$/;
const LET_KEY = /^(\s*)([A-Za-z_]\w*)(\s*:\s+)(\S.*)$/;
const FLOW_KEY = /([{,]\s*)(when|unless)(\s*:\s+)/g;
/** In a line that goes on with a flow map, also its first key. */
const FLOW_LINE_KEY = /(^\s*|[{,]\s*)(when|unless)(\s*:\s+)/g;
const FLOW_START = /^\s*(?:- +)*(?:[\w-]+\s*:\s+)?[{[]/;
const QUOTED = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')(\s*$|\s+#)/;
const BLOCK_SCALAR = /(?:^|\s)[|>][-+\d]*\s*(?:#.*)?$/;

/**
 * The conditions of a file that must be quoted and are not. Found in the text and not in what YAML made of it,
 * which may be a tag, a list, another key, or half a condition and a comment.
 */
export function findTraps(text: string): Trap[] {
  const traps: Trap[] = [];
  let blockIndent = -1;
  let depth = 0;
  let lets: { readonly indent: number; entries: number | null } | null = null;
  text.split('\n').forEach((source, index) => {
    const line = source.replace(/\r$/, '');
    if (line.trim() === '' || line.trimStart().startsWith('#')) return;
    const indent = line.search(/\S/);
    if (blockIndent >= 0 && indent > blockIndent) return;
    blockIndent = BLOCK_SCALAR.test(line) ? indent : -1;
    if (lets !== null && indent <= lets.indent) lets = null;
    // What is deeper than the entries of a `let` are the keys of a window.
    if (lets !== null) lets.entries ??= indent;
    const inLet = lets?.entries === indent;
    const trap = blockIndent >= 0 ? null : depth > 0 ? flowTrap(line, FLOW_LINE_KEY) : trapIn(line, inLet);
    if (/^\s*(?:- +)*let:\s*(?:#.*)?$/.test(line)) lets = { indent: line.indexOf('let:'), entries: null };
    if (depth > 0 || FLOW_START.test(line)) depth = Math.max(0, depth + opened(line));
    if (trap !== null) traps.push({ line: index + 1, ...trap });
  });
  return traps;
}

/** How many braces and brackets of a flow map or list the line leaves open. */
function opened(line: string): number {
  const bare = withoutQuoted(line).replace(/(^|\s)#.*$/, '');
  return count(bare, '{[') - count(bare, '}]');
}

function withoutQuoted(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '');
}

function count(text: string, chars: string): number {
  return [...text].filter((char) => chars.includes(char)).length;
}

type Found = Omit<Trap, 'line'>;

function trapIn(line: string, inLet: boolean): Found | null {
  const match = CONDITION_KEY.exec(line) ?? (inLet ? LET_KEY.exec(line) : null);
  if (match === null) return flowTrap(line, FLOW_KEY);
  const [, lead = '', key = '', colon = '', value = ''] = match;
  // A window of a `let`: a flow map.
  if (inLet && value.startsWith('{') && key !== 'when') return flowTrap(line, FLOW_KEY);
  const why = blockTrap(value, key);
  if (why === null) return null;
  const start = lead.length + key.length + colon.length;
  return found({ line, start, end: line.trimEnd().length, key, why });
}

/** Why the text after `key: ` in a block is not read as it stands. */
function blockTrap(value: string, key: string): string | null {
  const first = value[0] ?? '';
  if (first === '!') return 'YAML takes a "!" at the start for a tag';
  if (first === '"' || first === "'") {
    if (QUOTED.test(value) || !closes(value)) return null;
    return 'YAML ends a text that begins with a quote at the next quote';
  }
  if (first === '[') return 'YAML takes a "[" at the start for a list';
  if (first === '{') return 'YAML takes a "{" at the start for a map';
  const comment = value.search(/\s#/);
  const plain = comment < 0 ? value : value.slice(0, comment);
  if (comment >= 0 && (key === 'when' || key === 'unless') && !balanced(plain)) {
    return 'YAML takes " #" for the start of a comment';
  }
  return /:(\s|$)/.test(plain) ? 'YAML takes ": " for a key and its value' : null;
}

/** `{ count: transfer, when: type in ["a", "b"] }`: inside braces, commas and brackets belong to YAML. */
function flowTrap(line: string, keys: RegExp): Found | null {
  for (const match of line.matchAll(keys)) {
    // A text that only speaks of a key.
    if (/["']/.test(withoutQuoted(line.slice(0, match.index)))) continue;
    const start = match.index + match[0].length;
    const end = flowEnd(line, start);
    const value = line.slice(start, end);
    if (value === '' || /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')$/.test(value)) continue;
    const why = flowReason(value);
    if (why !== null) return found({ line, start, end, key: match[2] ?? '', why });
  }
  return null;
}

function flowReason(value: string): string | null {
  const block = blockTrap(value, 'when');
  if (block !== null) return block;
  const char = /[,[\]{}]/.exec(value)?.[0];
  return char === undefined ? null : `inside {…} YAML takes the "${char}" for its own`;
}

/** The end of a condition inside braces: the first comma or closing brace that is not its own. */
function flowEnd(line: string, start: number): number {
  const closing: string[] = [];
  let quote: string | null = null;
  for (let i = start; i < line.length; i += 1) {
    const char = line[i] ?? '';
    if (quote !== null) {
      if (char === '\\') i += 1;
      else if (char === quote) quote = null;
    } else if (char === '"' || char === "'") quote = char;
    else if ('([{'.includes(char)) closing.push(char);
    else if (closing.length === 0 && (char === ',' || char === '}')) return trimmedEnd(line, start, i);
    else if (')]}'.includes(char)) closing.pop();
  }
  return line.trimEnd().length;
}

function trimmedEnd(line: string, start: number, end: number): number {
  return start + line.slice(start, end).trimEnd().length;
}

/** Whether the quote that the text begins with ends on this line. */
function closes(value: string): boolean {
  return /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'(?!'))/.test(value);
}

/** Whether no string or bracket of the condition is left open. */
function balanced(condition: string): boolean {
  const bare = withoutQuoted(condition);
  return !/["']/.test(bare) && count(bare, '([{') === count(bare, ')]}');
}

interface Piece {
  readonly line: string;
  readonly start: number;
  readonly end: number;
  readonly key: string;
  readonly why: string;
}

function found({ line, start, end, key, why }: Piece): Found {
  const text = `'${line.slice(start, end).replaceAll("'", "''")}'`;
  const healed = line.slice(0, start) + text + line.slice(end);
  return { column: start + 1, why, quoted: `${key}: ${text}`, healed };
}

/** A column of the healed line, as a column of the line that was written. */
export function writtenColumn({ column, healed }: Trap, col: number): number {
  if (col <= column) return col;
  const inside = healed.slice(column).match(/^(?:[^']|'')*/)?.[0] ?? '';
  const before = inside.slice(0, col - 1 - column);
  const closing = col - 1 - column > inside.length ? 1 : 0;
  return col - 1 - closing - (before.match(/''/g)?.length ?? 0);
}
