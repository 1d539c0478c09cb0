import type { Value } from '../../plan-parts.ts';
import { CelEvaluationError } from '../compiled.ts';
import { type Signature, signature, strict } from '../signature.ts';

type Text2 = [string, string];

/** Places in a text count code points, as in CEL; one UTF-16 unit each where there is no surrogate. */
function points(text: string): string | readonly string[] {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
}

function size(text: string): number {
  return points(text).length;
}

function substring(text: string, start: number, end: number | null): string {
  const all = points(text);
  const stop = end ?? all.length;
  if (!(start >= 0 && start <= stop && stop <= all.length)) {
    throw new CelEvaluationError(`substring(${start}, ${stop}) of a text of ${all.length} characters`);
  }
  const part = all.slice(start, stop);
  return typeof part === 'string' ? part : part.join('');
}

/** From code points to UTF-16 units, and back. */
function unitsOf(text: string, place: number): number {
  const all = points(text);
  if (!(place >= 0 && place <= all.length)) {
    throw new CelEvaluationError(`place ${place} of a text of ${all.length} characters`);
  }
  return typeof all === 'string' ? place : all.slice(0, place).join('').length;
}

function pointsOf(text: string, unit: number): number {
  return unit < 0 ? -1 : size(text.slice(0, unit));
}

/** `limit` parts at most, the last one with all that is left; below 0: no limit. */
function split(text: string, separator: string, limit: number): readonly string[] {
  const parts = separator === '' ? Array.from(text) : text.split(separator);
  if (limit < 0 || parts.length <= limit) return parts;
  if (limit === 0) return [];
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

function replace(text: string, from: string, ...[to, limit]: [string, number]): string {
  if (limit < 0) return text.replaceAll(from, () => to);
  return split(text, from, limit + 1).join(to);
}

/** A list with an unknown element gives an unknown text. */
function join(list: readonly Value[], separator: string): string | null {
  return list.includes(null) ? null : list.join(separator);
}

const ASCII_UPPER = /[A-Z]+/g;
const ASCII_LOWER = /[a-z]+/g;

export const TEXT_FUNCTIONS: readonly Signature[] = [
  signature('size(string): double', strict(size)),
  signature('string.size(): double', strict(size)),
  signature(
    'size(list): double',
    strict((list: readonly Value[]) => list.length),
  ),
  signature(
    'list.size(): double',
    strict((list: readonly Value[]) => list.length),
  ),
  signature(
    'string.contains(string): bool',
    strict((...[a, b]: Text2) => a.includes(b)),
  ),
  signature(
    'string.startsWith(string): bool',
    strict((...[a, b]: Text2) => a.startsWith(b)),
  ),
  signature(
    'string.endsWith(string): bool',
    strict((...[a, b]: Text2) => a.endsWith(b)),
  ),
  signature(
    'string.lowerAscii(): string',
    strict((a: string) => a.replace(ASCII_UPPER, lower)),
  ),
  signature(
    'string.upperAscii(): string',
    strict((a: string) => a.replace(ASCII_LOWER, upper)),
  ),
  signature(
    'string.trim(): string',
    strict((a: string) => a.trim()),
  ),
  signature(
    'string.indexOf(string): double',
    strict((...[a, b]: Text2) => pointsOf(a, a.indexOf(b))),
  ),
  signature(
    'string.indexOf(string, double): double',
    strict((a: string, b: string, from: number) => pointsOf(a, a.indexOf(b, unitsOf(a, from)))),
    { own: true, throws: true },
  ),
  signature(
    'string.lastIndexOf(string): double',
    strict((...[a, b]: Text2) => pointsOf(a, a.lastIndexOf(b))),
  ),
  signature(
    'string.lastIndexOf(string, double): double',
    strict((a: string, b: string, from: number) => pointsOf(a, a.lastIndexOf(b, unitsOf(a, from)))),
    { own: true, throws: true },
  ),
  signature(
    'string.substring(double): string',
    strict((a: string, start: number) => substring(a, start, null)),
    { own: true, throws: true },
  ),
  signature('string.substring(double, double): string', strict(substring), { own: true, throws: true }),
  signature(
    'string.split(string): list<string>',
    strict((...[a, b]: Text2) => split(a, b, -1)),
  ),
  signature('string.split(string, double): list<string>', strict(split), { own: true }),
  signature(
    'string.replace(string, string): string',
    strict((a: string, from: string, to: string) => replace(a, from, to, -1)),
    { own: true },
  ),
  signature('string.replace(string, string, double): string', strict(replace), { own: true }),
  signature(
    'list<string>.join(): string',
    strict((list: readonly Value[]) => join(list, '')),
  ),
  signature('list<string>.join(string): string', strict(join)),
];

function lower(text: string): string {
  return text.toLowerCase();
}

function upper(text: string): string {
  return text.toUpperCase();
}
