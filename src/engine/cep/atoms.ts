import type { GroupUntil, PatternPlan } from '../../rules/pattern-plan.ts';
import type { Condition } from '../../rules/plan-parts.ts';
import type { GroupPlace } from './place.ts';

/** What is asked of a row: whether it satisfies a step, or an `until`. */
export interface Atom {
  readonly index: number;
  /** The bit of its step in the row's steps; 0: any row of `table` is asked. */
  readonly bit: number;
  readonly table: number;
  /** Index into `Atoms.conditions`: asked once a row; -1: nothing to ask of the row alone. */
  readonly row: number;
  /** Asked of each partial match for which the rest is true. */
  readonly match: Condition | null;
  /** What errors in it name. */
  readonly name: string;
}

/** The atoms of a pattern, each once. */
export class Atoms {
  readonly all: Atom[] = [];
  /** The conditions on the row alone: equal closures are one. */
  readonly conditions: Condition[] = [];
  readonly #plan: PatternPlan;
  readonly #steps = new Map<number, Atom>();
  readonly #untils = new Map<number | GroupUntil, Atom>();

  constructor(plan: PatternPlan) {
    this.#plan = plan;
  }

  step(step: number): Atom {
    const known = this.#steps.get(step);
    if (known !== undefined) return known;
    const { table, rowWhen, matchWhen, name } = this.#stepPlan(step);
    const atom = this.#add({ bit: 1 << step, table, row: this.#condition(rowWhen), match: matchWhen, name });
    this.#steps.set(step, atom);
    return atom;
  }

  until(step: number): Atom | null {
    const { table, until, untilLooksBack, name } = this.#stepPlan(step);
    if (until === null) return null;
    return this.#until(step, { table, when: until, looksBack: untilLooksBack, name });
  }

  groupUntil({ plan }: GroupPlace): Atom {
    if (plan.kind !== 'group' || plan.until === null)
      throw new Error('a group without until was asked for it');
    return this.#until(plan.until, { ...plan.until, name: 'until' });
  }

  #until(key: number | GroupUntil, { table, when, looksBack, name }: GroupUntil & { name: string }): Atom {
    const known = this.#untils.get(key);
    if (known !== undefined) return known;
    const row = looksBack ? -1 : this.#condition(when);
    const atom = this.#add({ bit: 0, table, row, match: looksBack ? when : null, name });
    this.#untils.set(key, atom);
    return atom;
  }

  #stepPlan(step: number) {
    const plan = this.#plan.steps[step];
    if (plan === undefined) throw new Error(`pattern ${this.#plan.id} has no step ${step}`);
    return plan;
  }

  #condition(condition: Condition | null): number {
    if (condition === null) return -1;
    const known = this.conditions.indexOf(condition);
    return known >= 0 ? known : this.conditions.push(condition) - 1;
  }

  #add(parts: Omit<Atom, 'index'>): Atom {
    const atom = { index: this.all.length, ...parts };
    this.all.push(atom);
    return atom;
  }
}
