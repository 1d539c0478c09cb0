import { type Micros, NO_ROW } from '../../events/row.ts';
import type { PatternPlan } from '../../rules/pattern-plan.ts';
import { AskedRow } from './asked-row.ts';
import { Automaton } from './automaton.ts';
import { MatchSoFar } from './match-so-far.ts';
import { Summing } from './sums.ts';

/** A pattern, compiled once: everything but state. */
export interface Definition {
  readonly plan: PatternPlan;
  readonly automaton: Automaton;
  readonly summing: Summing;
  /** Infinity: no limit. */
  readonly within: Micros;
  /** What conditions are asked with; pointed at the row, the lists and the partial match at hand. */
  readonly asked: AskedRow;
  readonly match: MatchSoFar;
}

const definitions = new WeakMap<PatternPlan, Definition>();

export function definitionOf(plan: PatternPlan): Definition {
  let definition = definitions.get(plan);
  if (definition === undefined) {
    definition = compile(plan);
    definitions.set(plan, definition);
  }
  return definition;
}

function compile(plan: PatternPlan): Definition {
  const automaton = new Automaton(plan);
  const summing = new Summing(plan.aggregates, plan.steps.length);
  const match = new MatchSoFar(summing, automaton.comesAgain);
  const asked = new AskedRow(automaton.atoms, match, NO_ROW);
  return { plan, automaton, summing, within: plan.within ?? Number.POSITIVE_INFINITY, asked, match };
}
