import type { Expression, Frame, Value, ValueType } from '../plan-parts.ts';

/** A part of a condition, ready to run. */
export interface Compiled {
  readonly type: ValueType;
  readonly run: Expression;
  /** Its value where it is the same for all rows. */
  readonly constant: { readonly value: Value } | null;
  /** Whether `run` can throw: then `&&` and `||` must hear the other side first. */
  readonly throws: boolean;
  /** A column: its exact text. */
  readonly text: ((frame: Frame) => string | null) | null;
  /** A column of whole numbers (or an array of them): equality may compare texts. */
  readonly exact: boolean;
  /** An array column: the exact texts of its elements. */
  readonly texts: ((frame: Frame) => readonly (string | null)[] | null) | null;
}

export function compiled(type: ValueType, run: Expression, throws: boolean): Compiled {
  return { type, run, throws, constant: null, text: null, exact: false, texts: null };
}

export function constant(type: ValueType, value: Value): Compiled {
  return { ...compiled(type, () => value, false), constant: { value } };
}

/** The same closures under the types that the checker has proved. */
export function asNumber(part: Compiled): (frame: Frame) => number | null {
  return part.run as (frame: Frame) => number | null;
}
export function asText(part: Compiled): (frame: Frame) => string | null {
  return part.run as (frame: Frame) => string | null;
}
export function asBool(part: Compiled): (frame: Frame) => boolean | null {
  return part.run as (frame: Frame) => boolean | null;
}
export function asList(part: Compiled): (frame: Frame) => readonly Value[] | null {
  return part.run as (frame: Frame) => readonly Value[] | null;
}

/** A mistake that is found while a condition is compiled, in one of a call's arguments. */
export class ArgumentError extends Error {
  readonly argument: number;
  readonly hint: string | undefined;

  constructor(argument: number, message: string, hint?: string) {
    super(message);
    this.argument = argument;
    this.hint = hint;
  }
}

/** What CEL calls an error: the rule fails on this row. */
export class CelEvaluationError extends Error {}
