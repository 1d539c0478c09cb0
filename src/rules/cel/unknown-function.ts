import { nearest } from '../nearest.ts';
import type { CelProblem } from './result.ts';
import { SIGNATURES } from './signatures.ts';
import { MACROS } from './term.ts';

/** Names that other languages have, and what they are here. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['length', 'size'],
  ['len', 'size'],
  ['lower', 'lowerAscii'],
  ['upper', 'upperAscii'],
  ['regex', 're2'],
  ['regexp', 're2'],
  ['is_not_null', 'has'],
]);

type Complaint = Omit<CelProblem, 'offset'>;

const FUNCTIONS = new Set(['is_null', 'has', ...namesOf(false)]);
const METHODS = new Set([...MACROS, ...namesOf(true)]);

function namesOf(methods: boolean): string[] {
  return SIGNATURES.filter(({ receiver }) => (receiver !== null) === methods).map(({ name }) => name);
}

/** null: there is such a function (`x.name(…)` when `method`), whatever its arguments. */
export function unknownFunction(name: string, method: boolean, count: number): Complaint | null {
  if (name === 'matches') {
    return {
      message: 'matches() is refused: its patterns can take unbounded time',
      hint: 'use re2(text, pattern)',
    };
  }
  const known: ReadonlySet<string> = method ? METHODS : FUNCTIONS;
  if (known.has(name)) return wrongCount(name, method, count);
  const shown = method ? `.${name}()` : `${name}()`;
  if (method && FUNCTIONS.has(name))
    return { message: `${name}() is a function`, hint: `write ${name}(x, …)` };
  if (!method && METHODS.has(name)) return { message: `${name}() is a method`, hint: `write x.${name}(…)` };
  const near = nearest(name, [...known, ...FUNCTIONS, ...METHODS, ...ELSEWHERE.keys()]);
  const found = ELSEWHERE.get(near ?? '') ?? near;
  const meant = found !== null && METHODS.has(found) ? `x.${found}` : found;
  return { message: `unknown function ${shown}`, hint: `did you mean ${meant}()?` };
}

function wrongCount(name: string, method: boolean, count: number): Complaint | null {
  const macro = MACROS.find((candidate) => candidate === name);
  if (method && macro !== undefined) {
    return { message: `${name}() needs a variable and a condition`, hint: `list.${name}(x, x > 1)` };
  }
  const all = signaturesOf(name, method);
  if (all.some(({ args }) => args.length === count)) return null;
  return { message: `${name}() takes other arguments than ${count}`, hint: describe(name, method) };
}

function signaturesOf(name: string, method: boolean): typeof SIGNATURES {
  return SIGNATURES.filter((one) => one.name === name && (one.receiver !== null) === method);
}

/** The ways to call a function, as a hint shows them. */
export function describe(name: string, method: boolean): string {
  const texts = signaturesOf(name, method).map(({ text }) => text);
  return texts.length <= 4 ? texts.join('; ') : `${texts.slice(0, 3).join('; ')}; …`;
}
