import type { z } from 'zod';
import { nearest } from './nearest.ts';
import { didYouMean, type Problems } from './problem.ts';
import type { Spot } from './yaml-document.ts';

/**
 * Checks data against its schema and tells every mistake at its place. What is wrong is then taken out and the rest
 * tried again, so that the checks that follow find the other mistakes too. null: what is left is not enough.
 */
export function accept<T>(schema: z.ZodType<T>, data: unknown, spot: Spot, problems: Problems): T | null {
  const rest = structuredClone(data);
  const replaced = new Set<string>();
  for (;;) {
    const result = schema.safeParse(rest);
    if (result.success) return result.data;
    let mended = false;
    for (const mistake of result.error.issues.flatMap((issue) => mistakes(issue, rest))) {
      // What is missing because it was taken out is told already, and so is what has a stand-in.
      const taken = mistake.missing === true && valueAt(data, mistake.path) !== undefined;
      const path = JSON.stringify(mistake.path);
      if (!taken && !replaced.has(path)) report(mistake, spot, problems);
      if (!replaced.has(path) && standIn(rest, mistake)) replaced.add(path);
      else if (!remove(rest, mistake.path)) continue;
      mended = true;
    }
    if (!mended) return null;
  }
}

/** Durations that their map must have, and that no other check looks at: a wrong one must not hide what is beside it. */
const STAND_INS: Readonly<Record<string, string>> = { over: '1m', for: '1m' };

/** The file is refused for the mistake, so nothing is ever judged by a stand-in. */
function standIn(data: unknown, { path, atKey }: Mistake): boolean {
  const key = path.at(-1);
  const value = typeof key === 'string' ? STAND_INS[key] : undefined;
  const parent = valueAt(data, path.slice(0, -1));
  if (atKey || value === undefined || !isObject(parent)) return false;
  return Reflect.set(parent, key as string, value);
}

interface Mistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string | undefined;
  /** Told at the key, not at its value. */
  readonly atKey: boolean;
  readonly missing?: true;
}

function report(mistake: Mistake, spot: Spot, problems: Problems): void {
  const at = spot.in(...mistake.path);
  problems.error(mistake.atKey ? at.key : at.place, mistake.message, mistake.hint);
}

type Issue = z.core.$ZodIssue;

function mistakes(issue: Issue, data: unknown): Mistake[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const value = valueAt(data, path);
  if (value === undefined && path.length > 0) return [missing(path)];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, issue.message.split(' ')));
    case 'invalid_union':
      return union(issue, path, value);
    case 'invalid_key':
      return [{ path, message: issue.issues[0]?.message ?? issue.message, atKey: true }];
    case 'invalid_value':
      return [invalidValue(issue, path, value)];
    case 'invalid_type':
      return [
        {
          path,
          message: typeMessage(issue, value),
          hint: issue.message.startsWith('Invalid') ? written(path) : undefined,
          atKey: issue.expected === 'never',
        },
      ];
    default:
      return [{ path, message: issue.message, atKey: false }];
  }
}

/** How a key is written, for those that leave it out or write it in another shape. */
const WRITTEN: Readonly<Record<string, string>> = {
  by: 'whose rows: by: user_id',
  over: 'how far back: over: 1m',
  cooldown: 'write cooldown: { by: user_id, for: 10m }',
  block: 'write block: { by: user_id, for: 24h }',
  bands: 'write bands: { flag: 50, block: 100 }',
};

function written(path: readonly (string | number)[]): string | undefined {
  return WRITTEN[String(path.at(-1))];
}

function missing(path: readonly (string | number)[]): Mistake {
  const message = `"${String(path.at(-1))}" is missing`;
  return { path, message, hint: written(path), atKey: false, missing: true };
}

function unknownKey(key: string, path: readonly (string | number)[], known: readonly string[]): Mistake {
  const near = nearest(key, known);
  return {
    path: [...path, key],
    message: `unknown key "${key}"`,
    hint: didYouMean(near) ?? `known here: ${known.join(', ')}`,
    atKey: true,
  };
}

/** The mistakes of the one form that was meant; when that is not clear, what forms there are. */
function union(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: readonly (string | number)[],
  value: unknown,
): Mistake[] {
  const meant = issue.errors.filter(
    (branch) =>
      !branch.some(
        (inner) => inner.path.length === 0 && ['invalid_type', 'invalid_union'].includes(inner.code),
      ),
  );
  const [only] = meant;
  if (only === undefined || meant.length > 1) return [{ path, message: issue.message, atKey: false }];
  return only
    .flatMap((inner) => mistakes(inner, value))
    .map((mistake) => ({ ...mistake, path: [...path, ...mistake.path] }));
}

function invalidValue(
  issue: Extract<Issue, { code: 'invalid_value' }>,
  path: readonly (string | number)[],
  value: unknown,
): Mistake {
  const options = issue.values.map(String);
  const near = typeof value === 'string' ? nearest(value, options) : null;
  const message = issue.message.startsWith('Invalid')
    ? `${JSON.stringify(value)} is not one of ${options.join(', ')}`
    : issue.message;
  return { path, message, hint: didYouMean(near), atKey: false };
}

function typeMessage(issue: Extract<Issue, { code: 'invalid_type' }>, value: unknown): string {
  if (!issue.message.startsWith('Invalid')) return issue.message;
  return `expected ${TYPES[issue.expected] ?? issue.expected}, found ${found(value)}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  record: 'a map',
  object: 'a map',
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
};

function found(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : JSON.stringify(value);
}

function valueAt(data: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, step) => (isObject(value) ? value[step] : undefined), data);
}

/**
 * Takes out the nearest map entry at or above the path that is there: of a missing key, what it is missing in. A list
 * goes as a whole, so that the places of its entries hold.
 */
function remove(data: unknown, path: readonly (string | number)[]): boolean {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = valueAt(data, path.slice(0, length - 1));
    const key = path[length - 1];
    if (!isObject(parent) || Array.isArray(parent) || key === undefined) continue;
    if (!Object.hasOwn(parent, key)) continue;
    return Reflect.deleteProperty(parent, key);
  }
  return false;
}

function isObject(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}
