import type { Micros } from '../../events/row.ts';
import { formatIso } from '../cel/time.ts';
import { formatDuration } from '../duration.ts';
import type { Mode } from '../plan-parts.ts';
import type { TestSpec } from '../schema.ts';
import type { Effects, RowEffects } from './simulate.ts';
import { instantOf, TEST_START } from './test-rows.ts';

/** A difference between what a test expects and what came. */
export interface Failure {
  /** `hits`, `at 2: band`, … */
  readonly what: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

export interface Observed {
  /** By row; null: its operation is not captured. */
  readonly rows: readonly (RowEffects | null)[];
  /** What came once time had moved on behind the last row. */
  readonly after: Effects;
  /** The rule that the test is beside; null: a scenario of the whole set. */
  readonly rule: { readonly id: string; readonly mode: Mode } | null;
}

export function compare(expect: TestSpec['expect'], observed: Observed): Failure[] {
  const { rows } = observed;
  const failures = [
    ...compareCounts(expect, [...rows, observed.after], observed),
    ...compareDecision(expect, rows.at(-1), observed),
  ];
  if (expect.first_at !== undefined) failures.push(...compareFirst(expect.first_at, observed));
  for (const [number, expected] of Object.entries(expect.at ?? {})) {
    const row = rows[Number(number) - 1];
    const found =
      row === undefined
        ? [{ what: 'row', expected: `a row ${number}`, actual: `${rows.length} rows` }]
        : [...compareCounts(expected, [row], observed), ...compareDecision(expected, row, observed)];
    failures.push(...found.map((failure) => ({ ...failure, what: `at ${number}: ${failure.what}` })));
  }
  return failures;
}

type Counts = number | Readonly<Record<string, number>> | undefined;

interface ExpectedCounts {
  readonly hits?: Counts;
  readonly alerts?: Counts;
  readonly timeouts?: Counts;
}

function compareCounts(
  expected: ExpectedCounts,
  effects: readonly (Effects | null)[],
  { rule }: Observed,
): Failure[] {
  return (['hits', 'alerts', 'timeouts'] as const).flatMap((what) => {
    const counts = expected[what];
    if (counts === undefined) return [];
    const found = effects.flatMap((one) => (one === null ? [] : countedOf(one, what)));
    if (typeof counts !== 'number') {
      return Object.entries(counts).flatMap(([id, count]) =>
        differs(`${what} of ${id}`, count, found.filter((one) => one.rule === id).length),
      );
    }
    const own =
      rule === null
        ? found.filter(({ mode }) => mode === 'live')
        : found.filter((one) => one.rule === rule.id);
    return differs(what, counts, own.length);
  });
}

interface Counted {
  readonly rule: string;
  readonly mode: Mode;
  readonly at: Micros;
}

/** A match is the hit of a pattern. */
function countedOf(effects: Effects, what: 'hits' | 'alerts' | 'timeouts'): Counted[] {
  if (what === 'alerts') return [...effects.alerts];
  const kind = what === 'hits' ? 'match' : 'timeout';
  const ended = effects.matches.filter((match) => match.kind === kind);
  const patterns = ended.map(({ pattern, mode, at }) => ({ rule: pattern, mode, at }));
  return what === 'hits' ? [...effects.hits, ...patterns] : patterns;
}

function compareDecision(
  expected: { readonly score?: number | undefined; readonly band?: string | null | undefined },
  row: RowEffects | null | undefined,
  { rows, after, rule }: Observed,
): Failure[] {
  // A pattern may have added to it later.
  const decision = [...rows, after]
    .flatMap((effects) => effects?.decisions ?? [])
    .findLast(({ mode, position }) => mode === (rule?.mode ?? 'live') && position === row?.row.position);
  return [
    ...(expected.score === undefined ? [] : differs('score', expected.score, decision?.score ?? 0)),
    ...(expected.band === undefined ? [] : differs('band', expected.band, decision?.band ?? null)),
  ];
}

function compareFirst(expected: string | number, { rows, after, rule }: Observed): Failure[] {
  const hits = [...rows, after].flatMap((one) => (one === null ? [] : countedOf(one, 'hits')));
  const first = hits.find((hit) => rule === null || hit.rule === rule.id);
  if (first?.at === instantOf(expected)) return [];
  const actual =
    first === undefined
      ? 'no hit'
      : first.at < TEST_START
        ? formatIso(first.at)
        : formatDuration(first.at - TEST_START);
  return [{ what: 'first_at', expected, actual }];
}

function differs(what: string, expected: unknown, actual: unknown): Failure[] {
  return expected === actual ? [] : [{ what, expected, actual }];
}
