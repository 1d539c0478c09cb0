import type { Micros } from '../../../src/events/row.ts';
import type { Contiguity, ElementPlan, GroupUntil, PatternPlan } from '../../../src/rules/pattern-plan.ts';

/** An event that a step took; `row` is its index among the pattern's events. */
export interface Take {
  readonly step: number;
  readonly row: number;
}

/** What binds a take to the take before it. "Between" is after that take and before this one. */
export interface Link {
  readonly step: number;
  /** Strict: the very next event. Relaxed: no event between satisfies the step. Any: no bond. */
  readonly contiguity: Contiguity;
  /** A later take of its step's loop: then the step's `until` must not have come between. */
  readonly inLoop: boolean;
  /** This take's time - the time of the take before is less: a step's `within`, in its loop its `gap`. */
  readonly within: Micros | null;
  readonly absences: readonly Absence[];
  /** Greedy loops that were left below their maximum: they must have had nothing more to take. */
  readonly greedy: readonly number[];
  /**
   * Of the groups that it is in: none came between, nor is it this event. Unlike a step's, it counts before the group's
   * first take too: chosen as Flink is believed to do, and no case decides.
   */
  readonly untils: readonly GroupUntil[];
}

export interface Absence {
  readonly step: number;
  readonly contiguity: 'strict' | 'relaxed';
  /** Something after it was skipped: it binds the next take, but if none comes it binds nothing. */
  readonly ifTaken?: boolean;
}

/** The takes of a match, the absences at its end, and the greedy loop before them: it binds until they are over. */
export interface Unfolded {
  readonly takes: readonly Take[];
  readonly absences: readonly Absence[];
  readonly greedy: readonly number[];
}

/** All ways in which a link can be taken after `takes`: each with one take more. */
export type Choose = (takes: readonly Take[], link: Link) => Iterable<readonly Take[]>;

/** A way through the first elements of a pattern, and what its next take has to respect besides its own element. */
interface Way {
  readonly takes: readonly Take[];
  /** Absences that it has come by since the last take. */
  readonly absences: readonly Absence[];
  readonly greedy: readonly number[];
  /** Where the last take is; null: there is none. */
  readonly position: Position | null;
}

type Repeated = Exclude<ElementPlan, { kind: 'absence' }>;

/** A take, or a round of a group: which one it is, and what comes after it. */
interface Position {
  readonly element: Repeated;
  readonly count: number;
  readonly rest: readonly ElementPlan[];
  /** The group's round that it is in. */
  readonly outer: Position | null;
}

interface Place extends Pick<Position, 'rest' | 'outer'> {
  /** At the head of a group: how the group follows, or its loop, in place of the first element's own contiguity. */
  readonly arrival: Contiguity | null;
  readonly untils: readonly GroupUntil[];
}

/**
 * All sequences of takes that a pattern's sequence allows: each count of each quantifier makes some of its own.
 * A whole match is never empty.
 */
export function* unfold(plan: PatternPlan, choose: Choose): Generator<Unfolded> {
  const start: Way = { takes: [], absences: [], greedy: [], position: null };
  const all = { arrival: null, rest: plan.sequence, outer: null, untils: [] };
  for (const { takes, absences, greedy } of sequence(all, start)) {
    const atEnd = absences.filter(({ ifTaken }) => ifTaken !== true);
    if (takes.length > 0) yield { takes, absences: atEnd, greedy };
  }

  function* sequence({ arrival, rest: [element, ...rest], ...place }: Place, way: Way): Generator<Way> {
    const behind = { ...place, arrival: null, rest };
    if (element === undefined) yield way;
    else if (element.kind === 'absence') {
      yield* sequence(behind, { ...way, absences: [...way.absences, element] });
    } else {
      for (const next of repeated(element, { ...behind, arrival }, way)) yield* sequence(behind, next);
    }
  }

  function* repeated(element: Repeated, place: Place, way: Way): Generator<Way> {
    const { min, max, skippable } = element.quantifier;
    if (skippable || min === 0) yield leave(element, 0, way);
    let ways: readonly Way[] = [way];
    for (let count = 1; count <= (max ?? Number.POSITIVE_INFINITY) && ways.length > 0; count++) {
      ways = ways.flatMap((before) => [...once(element, { ...place, count }, before)]);
      if (count >= min) for (const after of ways) yield leave(element, count, after);
    }
  }

  function* once(element: Repeated, place: Place & { readonly count: number }, way: Way): Generator<Way> {
    const again = place.count > 1;
    const contiguity = again ? element.quantifier.loop : (place.arrival ?? element.contiguity);
    const position = { element, count: place.count, rest: place.rest, outer: place.outer };
    if (element.kind === 'group') {
      const untils = element.until === null ? place.untils : [...place.untils, element.until];
      const inside = { arrival: contiguity, rest: element.elements, outer: position, untils };
      // Between two rounds, also where the first one ended with steps that were skipped.
      const between = again ? inForce({ ...position, count: place.count - 1 }) : [];
      for (const next of sequence(inside, { ...way, absences: [...way.absences, ...between] })) {
        // The loader refuses a repeated group that can be empty: there is no end to its rounds.
        if (!again || next.takes.length > way.takes.length) yield next;
      }
      return;
    }
    const { step } = element;
    const within = (again ? plan.steps[step]?.gap : plan.steps[step]?.within) ?? null;
    const { untils } = place;
    const absences = [...way.absences, ...inForce(way.position)];
    const link = { step, contiguity, inLoop: again, within, absences, greedy: way.greedy, untils };
    for (const takes of choose(way.takes, link)) yield { takes, absences: [], greedy: [], position };
  }
}

/**
 * The absences that come right after a take: they bind the next one, also where that is of the same loop, or of the
 * next round of a group that ends with it. A relaxed one does even before the loop's minimum is reached
 * (case NotPatternITCase.testTimesWithNotFollowedBy), a strict one does not (fuzz.not.1657). No case has it between the
 * rounds of a group, or in the last loop of one: that is chosen as Flink's compiler reads.
 */
function inForce(position: Position | null, isDone = true): readonly Absence[] {
  if (position === null) return [];
  const { element, count, rest, outer } = position;
  const done = isDone && count >= element.quantifier.min;
  const next = rest.findIndex(({ kind }) => kind !== 'absence');
  const following = next === -1 ? rest : rest.slice(0, next);
  const here = following.flatMap((one) =>
    one.kind === 'absence' && (done || one.contiguity === 'relaxed') ? [one] : [],
  );
  return next === -1 ? [...here, ...inForce(outer, done)] : here;
}

function leave(element: Repeated, count: number, way: Way): Way {
  const absences = count > 0 ? way.absences : way.absences.map((absence) => ({ ...absence, ifTaken: true }));
  return { ...way, absences, greedy: isOpen(element, count) ? [...way.greedy, element.step] : way.greedy };
}

/**
 * A greedy loop that is left below its maximum must have had nothing more to take. With a fixed count (`times: 3`)
 * greedy says nothing, not even where the loop is skipped (Flink; case fuzz.mixed.1150).
 */
function isOpen(element: Repeated, count: number): element is Extract<Repeated, { kind: 'step' }> {
  const { min, max, greedy } = element.quantifier;
  return element.kind === 'step' && greedy && count !== max && min !== max;
}
