import { Lanes, type Line, type Options, type Steps } from './lanes.ts';

/** Parts of a pattern beside its steps. */
export type Rest = Readonly<Record<string, unknown>>;

/** A step by its name: `{ b: { times: '1+' } }`; it takes the rows of its first letter, unless `when` says otherwise. */
export type Step = Readonly<Record<string, Rest>>;

const EVENTS = {
  e: {
    table: 'e',
    time: 'at',
    columns: { name: 'text', price: 'numeric', key: 'text', id: 'int8' },
    id: 'id',
  },
};

/** A rule file of one pattern over rows that have letters for names. */
export function rulesOf(steps: readonly Step[], { events = EVENTS, ...rest }: Rest = {}): string {
  const pattern = { id: 'p', after_match: 'no_skip', ...rest, steps: steps.map(filled) };
  return JSON.stringify({ version: 1, events, patterns: [pattern] });
}

function filled(step: Step): Step {
  const [[name, parts] = ['', {}]] = Object.entries(step);
  if (Array.isArray(parts['steps']))
    return { [name]: { ...parts, steps: (parts['steps'] as Step[]).map(filled) } };
  return { [name]: { event: 'e', when: `name == "${name.slice(0, 1)}"`, ...parts } };
}

/** `a1 b3/7 c4`: letters with their times in milliseconds, and perhaps a price; `k:a1` is of key k; `@9` moves W. */
export function lettersOf(text: string): Line[] {
  return text.split(' ').map((word): Line => {
    if (word.startsWith('@')) return { watermark: Number(word.slice(1)) };
    const [, key = '', name = '', at = '', price = '1'] =
      /^(?:(\w+):)?([a-z])(\d+)(?:\/(-?[\d.]+))?$/.exec(word) ?? [];
    if (name === '') throw new Error(`no letter: ${word}`);
    return { event: 'e', at: Number(at), name, price, key, id: '1' };
  });
}

export interface Played extends Options {
  readonly flush?: boolean;
}

export function play(rules: string, letters: string, { flush = false, ...options }: Played = {}): Lanes {
  return new Lanes(rules, options).play(lettersOf(letters), { flush });
}

/** What comes of the letters, in the order in which it comes: `a:0 b:1,2`. */
export function matches(rules: string, letters: string, options: Played = {}): string[] {
  return told(play(rules, letters, options).matches);
}

export function told(all: readonly Steps[]): string[] {
  return all.map((steps) =>
    Object.entries(steps)
      .map(([step, lines]) => `${step}:${lines.join()}`)
      .join(' '),
  );
}
