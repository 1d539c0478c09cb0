import fc from 'fast-check';
import { type Drawn, drawnElements, drawnRoundsThenAbsence } from './drawn-steps.ts';
import { writeSteps } from './write-steps.ts';

/** An event as a replay file has it; `at` in milliseconds. */
export type Letter = {
  readonly at: number;
  readonly name: string;
  readonly price: number;
  readonly key: string;
};

/** A pattern as a rule file has it. */
export type PatternText = Readonly<Record<string, unknown>>;

export interface PatternOptions {
  /** No event that satisfies nothing makes a difference: nothing is strict, and no step takes just anything. */
  readonly selective?: boolean;
  /** All have what is rare among them: rounds that end with a loop, and right after them an absence. */
  readonly roundsThenAbsence?: boolean;
}

/** The text of a rule file (JSON is YAML) with one pattern; `cheap` is a second name of some rows. */
export function ruleFile(pattern: PatternText, latenessMs = 0): string {
  const columns = { id: 'int8', name: 'text', price: 'double', key: 'text' };
  const events = {
    e: { table: 'e', time: 'at', lateness: `${latenessMs}ms`, columns },
    cheap: { from: 'e', when: 'price < 3.0' },
  };
  return JSON.stringify({ version: 1, events, patterns: [pattern] }, null, 1);
}

interface DrawnPattern {
  readonly elements: readonly Drawn[];
  readonly within: number | null;
  readonly afterMatch: string;
  readonly named: number;
  readonly emit: 'at_once' | 'in_order';
  readonly by: boolean;
  readonly wide: boolean;
  readonly when: string | null;
}

const drawnRest: fc.Arbitrary<Omit<DrawnPattern, 'elements'>> = fc.record({
  within: fc.oneof(fc.constant(null), fc.integer({ min: 3, max: 12 })),
  afterMatch: fc.constantFrom(
    'no_skip',
    'no_skip',
    'skip_past_last',
    'skip_to_next',
    'skip_to_first',
    'skip_to_last',
  ),
  named: fc.nat(5),
  emit: fc.constantFrom('at_once', 'in_order'),
  by: fc.boolean(),
  wide: fc.boolean(),
  when: fc.oneof(
    { arbitrary: fc.constant(null), weight: 5 },
    fc.constantFrom('total > 4.0', 'total < 6.0', 'differ', 'total / 2.0 > 1.0 && !differ'),
  ),
});

/** Patterns that the loader accepts, over all that steps, groups, absences and `after_match` can say. */
export function patternText({
  selective: only = false,
  roundsThenAbsence = false,
}: PatternOptions = {}): fc.Arbitrary<PatternText> {
  const elements = roundsThenAbsence ? drawnRoundsThenAbsence() : drawnElements(2);
  return fc
    .tuple(elements, drawnRest)
    .map(([drawn, rest]) => written({ ...rest, elements: only ? drawn.map(selective) : drawn }))
    .filter((pattern) => pattern !== null);
}

function written(drawn: DrawnPattern): PatternText | null {
  const { steps, names, needsWithin } = writeSteps(drawn.elements, drawn.within);
  if (names.length === 0) return null;
  const within = drawn.within ?? (needsWithin ? 6 : null);
  const step = names[drawn.named % names.length];
  const to = drawn.afterMatch.startsWith('skip_to_') && drawn.afterMatch !== 'skip_to_next';
  const lets = { total: `sum(${step}.price)`, differ: { changed: 'name' } };
  return {
    id: 'p',
    ...(drawn.by ? { by: 'key' } : {}),
    steps,
    ...(drawn.wide ? { input: ['e', 'cheap'] } : {}),
    ...(within === null ? {} : { within: `${within}ms` }),
    ...(drawn.when === null ? {} : { let: lets, when: drawn.when }),
    after_match: to ? { [drawn.afterMatch]: step } : drawn.afterMatch,
    emit: drawn.emit,
  };
}

function selective(element: Drawn): Drawn {
  if (element.kind === 'absence') return { ...element, contiguity: null };
  const contiguity = element.contiguity === 'strict' ? null : element.contiguity;
  const loop = element.loop === 'strict' ? null : element.loop;
  if (element.kind === 'group')
    return { ...element, contiguity, loop, elements: element.elements.map(selective) };
  // A loop that has taken enough is ended by any event.
  const until = typeof element.until === 'object' ? null : element.until;
  return { ...element, contiguity, loop, until, wants: element.wants ?? 'a' };
}

/** Steps want the first three; the others break what is strict. */
const NAMES = ['a', 'b', 'c', 'd', 'x'];

/** Up to eight events, in order. Unless `distinct`, a few are at the same time. */
export function letters({
  distinct = false,
  maxLength = 8,
  minLength = 1,
  names = NAMES,
} = {}): fc.Arbitrary<readonly Letter[]> {
  const letter = fc.record({
    after: distinct ? fc.constantFrom(1, 2, 3) : fc.constantFrom(1, 0, 2, 3),
    name: fc.constantFrom(...names),
    price: fc.integer({ min: 1, max: 5 }),
    key: fc.constantFrom('k', 'k', 'k', 'l'),
  });
  return fc.array(letter, { minLength, maxLength, size: 'max' }).map((drawn) => {
    let at = 0;
    return drawn.map(({ after, ...rest }) => {
      at += after;
      return { at, ...rest };
    });
  });
}
