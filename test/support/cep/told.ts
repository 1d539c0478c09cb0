import type { Compiled } from './compiled.ts';
import type { Match } from './oracle.ts';
import type { Line } from './rows.ts';

/**
 * Matches as texts, `k: s1:0 s2:1 s2:2`, to be compared and read: key by key, those of a key in the order in which they
 * came out. `lines` are the events that the rows were made of; a match names them by `number`, else by their index.
 */
export function told(
  { pattern }: Compiled,
  { matches, lines }: { readonly matches: readonly Match[]; readonly lines: readonly Line[] },
  number: (line: Line, index: number) => number = (_, index) => index,
): readonly string[] {
  const all = matches.map(({ takes }) => {
    const key = pattern.by === null ? '' : String(lines[takes[0]?.row ?? -1]?.['key']);
    const parts = takes.map(({ step, row }) => {
      const line = lines[row];
      if (line === undefined) throw new Error(`there is no event ${row}`);
      return `${pattern.steps[step]?.name ?? '?'}:${number(line, row)}`;
    });
    return { key, text: `${key}: ${parts.join(' ')}` };
  });
  return all.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ text }) => text);
}
