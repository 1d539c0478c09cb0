import type { Expression, ValueType } from '../plan-parts.ts';

/** A mistake in a condition, at a UTF-16 offset of its source. */
export interface CelProblem {
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

/** A step of a match that is read, and the column of its rows; null: their number or times. */
export interface Look {
  readonly step: number;
  readonly column: number | null;
}

/** A condition that is fit to run, and what it reads. */
export interface CelOk extends Reads {
  readonly kind: 'ok';
  readonly type: ValueType;
  readonly run: Expression;
  /** The exact text where it is a column, as PostgreSQL wrote it; else null. */
  readonly text: Expression | null;
  /** How it is told where that is not what `run` gives: a sum with every digit; else null. */
  readonly told: Expression | null;
  /** The condition is the literal `true`. */
  readonly literalTrue: boolean;
}

export interface Reads {
  /** Cells of the row, and of the old row. */
  readonly columns: ReadonlySet<number>;
  readonly oldColumns: ReadonlySet<number>;
  /** Indexes of `let` values. */
  readonly lets: ReadonlySet<number>;
  readonly lists: ReadonlySet<string>;
  /** Of the match; empty: it looks at the row alone. */
  readonly looks: readonly Look[];
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
