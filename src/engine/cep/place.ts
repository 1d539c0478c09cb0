import type { ElementPlan, PatternPlan } from '../../rules/pattern-plan.ts';

/** An element of the sequence, with its place in it. */
export type Place = StepPlace | GroupPlace | AbsencePlace;

interface PlaceParts {
  /** null: the sequence itself. */
  readonly group: GroupPlace | null;
  /** Among its siblings. */
  readonly index: number;
  /** How many groups it is in: its own count stands there among a configuration's counts. */
  readonly depth: number;
}

interface Repeats extends PlaceParts {
  readonly plan: Exclude<ElementPlan, { kind: 'absence' }>;
  readonly min: number;
  readonly max: number;
}

export interface StepPlace extends Repeats {
  readonly kind: 'step';
  readonly step: number;
}

export interface GroupPlace extends Repeats {
  readonly kind: 'group';
  readonly elements: readonly Place[];
}

export interface AbsencePlace extends PlaceParts {
  readonly kind: 'absence';
  readonly step: number;
  readonly strict: boolean;
}

/** The whole sequence as one group that is gone through once. */
export function rootOf(plan: PatternPlan): GroupPlace {
  const once = { min: 1, max: 1, skippable: false, greedy: false, loop: 'relaxed' } as const;
  const root: ElementPlan = {
    kind: 'group',
    elements: plan.sequence,
    until: null,
    contiguity: 'any',
    quantifier: once,
  };
  return placeOf(root, { group: null, index: 0, depth: 0 }) as GroupPlace;
}

function placeOf(plan: ElementPlan, at: PlaceParts): Place {
  if (plan.kind === 'absence') {
    return { kind: 'absence', ...at, step: plan.step, strict: plan.contiguity === 'strict' };
  }
  const { min, max } = plan.quantifier;
  const parts = {
    ...at,
    min: Math.max(1, min),
    max: max ?? Number.POSITIVE_INFINITY,
  };
  if (plan.kind === 'step') return { kind: 'step', ...parts, plan, step: plan.step };
  const elements: Place[] = [];
  const group = { kind: 'group', ...parts, plan, elements } as const;
  for (const [index, element] of plan.elements.entries()) {
    elements.push(placeOf(element, { group, index, depth: at.depth + 1 }));
  }
  return group;
}

/** By step: its place. */
export function stepPlaces(root: GroupPlace, places = new Map<number, StepPlace>()): Map<number, StepPlace> {
  for (const element of root.elements) {
    if (element.kind === 'step') places.set(element.step, element);
    if (element.kind === 'group') stepPlaces(element, places);
  }
  return places;
}

/** Whether its takes may stand apart in a match: it is in a group that may be gone through again. */
export function comesAgain(place: Place): boolean {
  for (let group = place.group; group !== null; group = group.group) if (group.max > 1) return true;
  return false;
}

/**
 * The absences that follow at once; those after its group as well, where it is the last of it. A strict one waits
 * until the loop before it, and each group that ends there, has been taken often enough. `counts`: as a `Spot` has them.
 */
export function absencesInForce(
  place: StepPlace | GroupPlace,
  counts: readonly number[],
  isDone = true,
): AbsencePlace[] {
  const { group } = place;
  if (group === null) return [];
  const done = isDone && (counts[place.depth] ?? 1) >= place.min;
  const inForce: AbsencePlace[] = [];
  for (const element of group.elements.slice(place.index + 1)) {
    if (element.kind !== 'absence') return inForce;
    if (done || !element.strict) inForce.push(element);
  }
  return [...inForce, ...absencesInForce(group, counts, done)];
}
