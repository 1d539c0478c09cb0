import fc from 'fast-check';

/**
 * Steps as they are drawn: each part on its own, so that fast-check can take away one after the other. What does
 * not go together is left out when they are written as rules (write-steps.ts).
 */
export interface DrawnStep {
  readonly kind: 'step';
  readonly wants: Wants | null;
  readonly event: 'e' | 'cheap';
  readonly looksBack: LooksBack | null;
  readonly contiguity: Bond | null;
  readonly times: number | string | null;
  readonly optional: boolean;
  readonly greedy: boolean;
  readonly loop: Bond | null;
  readonly gap: number | null;
  readonly until: Wants | LooksBack | null;
  readonly within: number | null;
}

export interface DrawnAbsence {
  readonly kind: 'absence';
  readonly wants: Wants;
  readonly looksBack: LooksBack | null;
  readonly contiguity: 'strict' | 'relaxed' | null;
  readonly within: number | null;
}

export interface DrawnGroup {
  readonly kind: 'group';
  readonly elements: readonly Drawn[];
  readonly contiguity: Bond | null;
  readonly times: number | string | null;
  readonly optional: boolean;
  readonly loop: Bond | null;
  readonly until: string | null;
}

/** A name of the event, or its least price. */
export type Wants = string | number;
export type Drawn = DrawnStep | DrawnAbsence | DrawnGroup;
export type Bond = 'strict' | 'relaxed' | 'any';

/** A condition over an earlier step, or the step's own takes so far. `of` counts steps back, 0 is the step itself. */
export interface LooksBack {
  readonly kind: 'sum' | 'count' | 'price' | 'name';
  readonly of: number;
}

/** Once in so many. A counterexample shrinks to null, or false. */
function rarely<T>(value: fc.Arbitrary<T>, freq = 4): fc.Arbitrary<T | null> {
  return fc.oneof({ arbitrary: fc.constant(null), weight: freq - 1 }, value);
}
const flag = (one: number) => fc.integer({ min: 0, max: one }).map((drawn) => drawn === one);
const name = fc.constantFrom('a', 'b', 'c');
const bond = fc.constantFrom<Bond>('relaxed', 'strict', 'any');
const millis = fc.integer({ min: 2, max: 5 });
const times = fc.constantFrom<number | string>('1+', 2, '1..2', '2+', '2..3', 3, '1..3');
const looksBack = fc.record({
  kind: fc.constantFrom<LooksBack['kind']>('sum', 'count', 'price', 'name'),
  of: fc.integer({ min: 0, max: 2 }),
});

const step: fc.Arbitrary<DrawnStep> = fc.record({
  kind: fc.constant('step'),
  wants: fc.oneof({ arbitrary: name, weight: 8 }, fc.integer({ min: 2, max: 4 }), fc.constant(null)),
  event: fc.oneof({ arbitrary: fc.constant('e' as const), weight: 7 }, fc.constant('cheap' as const)),
  looksBack: rarely(looksBack, 6),
  contiguity: rarely(bond, 2),
  times: rarely(times, 2),
  optional: flag(3),
  greedy: flag(3),
  loop: rarely(bond, 2),
  gap: rarely(millis, 6),
  until: rarely(fc.oneof(fc.constantFrom('a', 'b', 'c', 'd'), fc.constant(4), looksBack), 4),
  within: rarely(millis, 6),
});

const absence: fc.Arbitrary<DrawnAbsence> = fc.record({
  kind: fc.constant('absence'),
  wants: fc.oneof({ arbitrary: name, weight: 5 }, fc.integer({ min: 3, max: 5 })),
  looksBack: rarely(looksBack, 8),
  contiguity: rarely(fc.constantFrom<'strict' | 'relaxed'>('relaxed', 'strict'), 2),
  within: rarely(millis, 3),
});

/** One to four elements, groups in groups at most twice. */
export function drawnElements(depth: number): fc.Arbitrary<readonly Drawn[]> {
  const leaves: fc.WeightedArbitrary<Drawn>[] = [
    { arbitrary: step, weight: 6 },
    { arbitrary: absence, weight: 2 },
  ];
  const all = depth === 0 ? leaves : [...leaves, { arbitrary: group(depth - 1), weight: 1 }];
  return fc.array(fc.oneof(...all), { minLength: 1, maxLength: depth === 2 ? 4 : 3 });
}

function group(depth: number): fc.Arbitrary<DrawnGroup> {
  return fc.record({
    kind: fc.constant('group'),
    elements: drawnElements(depth),
    contiguity: rarely(bond, 2),
    times: rarely(times, 2),
    optional: flag(3),
    loop: rarely(bond, 2),
    until: rarely(fc.constantFrom('d', 'a'), 5),
  });
}

/** `group[… loop] times n, not …, step`, perhaps with a group around the loop, and a second absence. */
export function drawnRoundsThenAbsence(): fc.Arbitrary<readonly Drawn[]> {
  const loop = step.map((drawn): Drawn => ({ ...drawn, times: drawn.times ?? '1+', optional: false }));
  const few = fc.array(step, { maxLength: 1 });
  const end = fc.oneof(loop, rounds(loop.map((one) => [one])));
  const inner = fc.tuple(few, end).map(([before, one]) => [...before, one]);
  const tail = fc.tuple(mostlyStrict, fc.array(mostlyStrict, { maxLength: 1 }), step);
  return fc.tuple(few, rounds(inner), tail).map(([before, repeated, [not, more, after]]) => {
    return [...before, { ...repeated, optional: false }, not, ...more, after];
  });
}

function rounds(elements: fc.Arbitrary<readonly Drawn[]>): fc.Arbitrary<DrawnGroup> {
  return fc
    .tuple(elements, group(0))
    .map(([inner, drawn]) => ({ ...drawn, elements: inner, times: drawn.times ?? 2 }));
}

const mostlyStrict: fc.Arbitrary<DrawnAbsence> = fc
  .tuple(absence, fc.constantFrom<'strict' | 'relaxed'>('strict', 'strict', 'relaxed'))
  .map(([drawn, contiguity]) => ({ ...drawn, contiguity }));
