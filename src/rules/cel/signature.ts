import type { Expression, Value, ValueType } from '../plan-parts.ts';
import type { Compiled } from './compiled.ts';

/** `list`: a list of whatever. */
export type ParameterType = ValueType | 'any' | 'list';

/** A function or a method, for one row of argument types. */
export interface Signature {
  /** As its users read it. */
  readonly text: string;
  readonly name: string;
  /** The type of `x` in `x.name(…)`; null: a function. */
  readonly receiver: ParameterType | null;
  readonly args: readonly ParameterType[];
  readonly result: ValueType;
  /** cel-js has no such signature: it must be declared for the checker. */
  readonly own: boolean;
  /** Its values can throw. */
  readonly throws: boolean;
  readonly build: Build;
}

/** `parts` holds the receiver first. */
export type Build = (parts: readonly Compiled[]) => Expression;

const SHAPE = /^(?:([\w<>]+)\.)?(\w+)\(([^)]*)\): ([\w<>]+)$/;
const SCALARS: readonly ParameterType[] = [
  'double',
  'string',
  'bool',
  'timestamp',
  'duration',
  'any',
  'list',
];

/** `signature('string.contains(string): bool', …)`. */
export function signature(
  text: string,
  build: Build,
  traits: { readonly own?: true; readonly throws?: true } = {},
): Signature {
  const [, receiver, name = '', args = '', result = ''] = SHAPE.exec(text) ?? [];
  return {
    text,
    name,
    receiver: receiver === undefined ? null : parameterType(receiver),
    args: args === '' ? [] : args.split(', ').map(parameterType),
    result: valueType(result),
    own: traits.own ?? false,
    throws: traits.throws ?? false,
    build,
  };
}

function parameterType(text: string): ParameterType {
  const element = /^list<(.+)>$/.exec(text)?.[1];
  if (element !== undefined) return { list: valueType(element) };
  const scalar = SCALARS.find((name) => name === text);
  if (scalar === undefined) throw new Error(`no such type in a signature: ${text}`);
  return scalar;
}

function valueType(text: string): ValueType {
  const type = parameterType(text);
  if (type === 'any' || type === 'list') throw new Error(`not a type of values: ${text}`);
  return type;
}

/** Any unknown argument makes the result unknown; `apply` sees known values of the declared types. */
export function strict<A extends readonly Value[]>(apply: (...values: A) => Value): Build {
  const call = apply as unknown as (...values: Value[]) => Value;
  return (parts) => {
    const runs = parts.map((part) => part.run);
    const [first, second] = runs;
    if (first !== undefined && runs.length === 1) {
      return (frame) => {
        const value = first(frame);
        return value === null ? null : call(value);
      };
    }
    if (first !== undefined && second !== undefined && runs.length === 2) {
      return (frame) => {
        const a = first(frame);
        if (a === null) return null;
        const b = second(frame);
        return b === null ? null : call(a, b);
      };
    }
    return (frame) => {
      const values = runs.map((run) => run(frame));
      return values.includes(null) ? null : call(...values);
    };
  };
}
