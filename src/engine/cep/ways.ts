import type { Micros } from '../../events/row.ts';
import type { Contiguity, PatternPlan } from '../../rules/pattern-plan.ts';
import type { Atom, Atoms } from './atoms.ts';
import { type AbsencePlace, absencesInForce, type GroupPlace, type Place, type StepPlace } from './place.ts';

/** Where a partial match is after a take: the step, and how often each group around it and the step itself were taken. */
export interface Spot {
  readonly place: StepPlace;
  readonly counts: readonly number[];
  /** `step.counts…`: the same in every process. */
  readonly key: string;
}

/** One way on from a spot: it takes an event, or (`target` null) waits for a trailing absence. */
export interface Way {
  readonly target: Spot | null;
  /** The event satisfies the step; null: none is taken. */
  readonly take: Atom | null;
  readonly link: Contiguity;
  /** The event may not be taken, and where the way goes on in a loop it ends. */
  readonly until: Atom | null;
  readonly begins: boolean;
  /** The event ends the way. */
  readonly groupUntils: readonly Atom[];
  readonly absences: readonly Atom[];
  /** Of the event right after the last take only. */
  readonly strictAbsences: readonly Atom[];
  readonly greedy: readonly Greed[];
  /** The way ends, or its trailing absence has held, at last take + limit. */
  readonly limit: Micros | null;
}

/** A greedy loop that was left before its maximum: an event that it could take ends the way, unless `until` came. */
export interface Greed {
  readonly loop: Atom;
  readonly until: Atom | null;
}

export interface WaysOn {
  readonly ways: readonly Way[];
  /** Nothing more has to come. */
  readonly accepts: boolean;
}

/** What lies between the last take and the next one. */
interface Passed {
  readonly absences: readonly AbsencePlace[];
  /** Those after which no step has been passed over. */
  readonly trailing: readonly AbsencePlace[];
  readonly greedy: readonly Greed[];
}

const NOTHING: Passed = { absences: [], trailing: [], greedy: [] };

interface Entry {
  readonly link: Contiguity;
  /** The first take of the step's loop. */
  readonly begins: boolean;
  readonly counts: readonly number[];
  readonly passed: Passed;
}

export function spotAt(place: StepPlace, counts: readonly number[]): Spot {
  return { place, counts, key: [place.step, ...counts].join('.') };
}

/** Follows the sequence from where a partial match is to everything that may be taken next. */
export class WayFinder {
  readonly #plan: PatternPlan;
  readonly #atoms: Atoms;
  readonly #ways: Way[] = [];
  #accepts = false;

  constructor(plan: PatternPlan, atoms: Atoms) {
    this.#plan = plan;
    this.#atoms = atoms;
  }

  fromStart(root: GroupPlace): WaysOn {
    this.#enter(root, { link: 'any', begins: true, counts: [1], passed: NOTHING });
    return { ways: this.#ways, accepts: false };
  }

  from({ place, counts }: Spot): WaysOn {
    this.#leave(place, counts, NOTHING);
    return { ways: this.#ways, accepts: this.#accepts };
  }

  /** One time through `place` is complete: again, or on. */
  #leave(place: StepPlace | GroupPlace, counts: readonly number[], passed: Passed): void {
    const count = counts[place.depth] ?? 1;
    const before = counts.slice(0, place.depth);
    if (count < place.max) {
      const inForce = absencesInForce(place, counts);
      const next = Math.min(count + 1, place.max === Number.POSITIVE_INFINITY ? place.min : place.max);
      this.#enter(place, {
        link: place.plan.quantifier.loop,
        begins: place.kind === 'group',
        counts: [...before, next],
        passed: { ...passed, absences: [...passed.absences, ...inForce] },
      });
    }
    if (count < place.min) return;
    this.#follow(place, before, count < place.max ? this.#withGreed(passed, place) : passed);
  }

  #follow(place: StepPlace | GroupPlace, counts: readonly number[], passed: Passed): void {
    const { group } = place;
    if (group === null) {
      this.#accept(passed);
      return;
    }
    const rest = this.#enterAll(group.elements.slice(place.index + 1), { counts, passed });
    if (rest !== null) this.#leave(group, counts, rest);
  }

  /** Up to the first element that must take; what was passed, if all may take nothing. */
  #enterAll(
    elements: readonly Place[],
    { counts, passed, link }: { counts: readonly number[]; passed: Passed; link?: Contiguity },
  ): Passed | null {
    let soFar = passed;
    for (const [index, element] of elements.entries()) {
      if (element.kind === 'absence') {
        soFar = withAbsence(soFar, element);
        continue;
      }
      const past = this.#enter(element, {
        link: index === 0 && link !== undefined ? link : element.plan.contiguity,
        begins: true,
        counts: [...counts, 1],
        passed: soFar,
      });
      if (past === null) return null;
      soFar = past;
    }
    return soFar;
  }

  /** What was passed, if it takes nothing; null: it must take. */
  #enter(place: StepPlace | GroupPlace, entry: Entry): Passed | null {
    let through: Passed | null = null;
    if (place.kind === 'step') this.#ways.push(this.#way(place, entry));
    else through = this.#enterAll(place.elements, entry);
    if (!place.plan.quantifier.skippable) return through;
    // A group that is passed over binds less than one that is gone through and takes nothing: the one stands for both.
    return { ...this.#withGreed(entry.passed, place), trailing: [] };
  }

  #way(place: StepPlace, { link, begins, counts, passed }: Entry): Way {
    const step = this.#plan.steps[place.step];
    return {
      ...this.#conditions(passed),
      target: spotAt(place, counts),
      take: this.#atoms.step(place.step),
      link,
      begins,
      until: this.#atoms.until(place.step),
      groupUntils: this.#groupUntils(place.group),
      limit: (begins ? step?.within : step?.gap) ?? null,
    };
  }

  /** Nothing more has to be taken: only what must not come may still be in the way. */
  #accept(passed: Passed): void {
    if (passed.trailing.length === 0) {
      this.#accepts = true;
      return;
    }
    const limits = passed.trailing.map(({ step }) => this.#plan.steps[step]?.within ?? null);
    const finite = limits.filter((limit) => limit !== null);
    this.#ways.push({
      ...this.#conditions({ ...passed, absences: passed.trailing }),
      target: null,
      take: null,
      link: passed.trailing.every(({ strict }) => strict) ? 'strict' : 'any',
      begins: true,
      until: null,
      groupUntils: [],
      limit: finite.length === 0 ? null : Math.max(...finite),
    });
  }

  #conditions({ absences, greedy }: Passed): Pick<Way, 'absences' | 'strictAbsences' | 'greedy'> {
    const atomsOf = (strict: boolean) => [
      ...new Set(
        absences.filter((absence) => absence.strict === strict).map(({ step }) => this.#atoms.step(step)),
      ),
    ];
    return { absences: atomsOf(false), strictAbsences: atomsOf(true), greedy };
  }

  #withGreed(passed: Passed, place: StepPlace | GroupPlace): Passed {
    if (place.kind === 'group' || !place.plan.quantifier.greedy || place.min === place.max) return passed;
    const greed = { loop: this.#atoms.step(place.step), until: this.#atoms.until(place.step) };
    return { ...passed, greedy: [...passed.greedy, greed] };
  }

  #groupUntils(group: GroupPlace | null): Atom[] {
    if (group === null) return [];
    const own = group.plan.kind === 'group' && group.plan.until !== null;
    return [...(own ? [this.#atoms.groupUntil(group)] : []), ...this.#groupUntils(group.group)];
  }
}

function withAbsence(passed: Passed, absence: AbsencePlace): Passed {
  return {
    ...passed,
    absences: [...passed.absences, absence],
    trailing: [...passed.trailing, absence],
  };
}
