import type { Expression, ValueType } from '../plan-parts.ts';

/** A mistake in a condition, at a UTF-16 offset of its source. */
export interface CelProblem {
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

/** A condition that is fit to run, and what it reads. */
export interface CelOk {
  readonly kind: 'ok';
  readonly type: ValueType;
  readonly run: Expression;
  /** Cells of the row, and of the old row. */
  readonly columns: ReadonlySet<number>;
  readonly oldColumns: ReadonlySet<number>;
  /** Indexes of `let` values. */
  readonly lets: ReadonlySet<number>;
  readonly lists: ReadonlySet<string>;
  /** The condition is the literal `true`. */
  readonly literalTrue: boolean;
}

/** All mistakes that could be found at once, in the order of the source. */
export interface CelFailure {
  readonly kind: 'error';
  readonly problems: readonly CelProblem[];
}

/**
 * What `compileCel(source: string, scope: Scope, expected: ValueType | 'any'): CelResult` (compile.ts) gives.
 * With `expected` 'bool', `run` is a `Condition`: it gives true, false or null.
 */
export type CelResult = CelOk | CelFailure;
