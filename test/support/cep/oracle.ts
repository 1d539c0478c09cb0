import type { Micros, Row } from '../../../src/events/row.ts';
import type { PatternPlan } from '../../../src/rules/pattern-plan.ts';
import type { TablePlan } from '../../../src/rules/plan.ts';
import { afterMatch } from './after-match.ts';
import { findAll } from './finished.ts';
import { scenesOf } from './scene.ts';

/** Takes in order; `row` is an index of the rows that the oracle was given. */
export interface Match {
  readonly takes: readonly { readonly step: number; readonly row: number }[];
}

export interface OracleOptions {
  /** The plan's tables: which rows bear which events. */
  readonly tables: readonly TablePlan[];
  /** Time moves to infinity at the end. */
  readonly flush: boolean;
  /** Without `flush`: how far time moves beyond the last row. */
  readonly now?: Micros;
}

/**
 * What a pattern matches, told from the definition: all choices of events that the pattern allows are made and
 * judged one by one. It shares nothing with the engine but the plan, has no state, and takes exponential time.
 *
 * It is also where the semantics are written down: unfold.ts says which takes may follow each other, follows.ts
 * what binds a take to the one before, finished.ts when a match is one, after-match.ts which matches come out.
 * Where shared/cep-cases/README.md leaves a choice, Flink's cases decided, and the comments say what.
 */
export function oracleMatches(plan: PatternPlan, rows: readonly Row[], options: OracleOptions): Match[] {
  const { tables, flush } = options;
  const onTime = rows.filter(({ late }) => !late).map(({ at }) => at);
  const now = flush ? Number.POSITIVE_INFINITY : Math.max(options.now ?? Number.NEGATIVE_INFINITY, ...onTime);
  return scenesOf({ plan, tables, rows, now }).flatMap((scene) =>
    afterMatch(plan, findAll(scene)).map(({ takes }) => ({
      takes: takes.map(({ step, row }) => ({ step, row: scene.events[row]?.index ?? row })),
    })),
  );
}
