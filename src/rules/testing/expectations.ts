import type { Alert, Hit } from '../../engine/outputs.ts';
import { formatIso } from '../cel/time.ts';
import { formatDuration } from '../duration.ts';
import type { Mode } from '../plan-parts.ts';
import type { TestSpec } from '../schema.ts';
import type { Effects } from './simulate.ts';
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
  readonly rows: readonly (Effects | null)[];
  /** The rule that the test is beside; null: a scenario of the whole set. */
  readonly rule: { readonly id: string; readonly mode: Mode } | null;
}

export function compare(expect: TestSpec['expect'], observed: Observed): Failure[] {
  const { rows } = observed;
  const failures = [
    ...compareCounts(expect, rows, observed),
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

function compareCounts(
  expected: { readonly hits?: Counts; readonly alerts?: Counts },
  rows: readonly (Effects | null)[],
  { rule }: Observed,
): Failure[] {
  return (['hits', 'alerts'] as const).flatMap((what) => {
    const counts = expected[what];
    if (counts === undefined) return [];
    const found = rows.flatMap((row): (Hit | Alert)[] => [...(row?.[what] ?? [])]);
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

function compareDecision(
  expected: { readonly score?: number | undefined; readonly band?: string | null | undefined },
  row: Effects | null | undefined,
  { rule }: Observed,
): Failure[] {
  const decision = row?.decisions.find(({ mode }) => mode === (rule?.mode ?? 'live'));
  return [
    ...(expected.score === undefined ? [] : differs('score', expected.score, decision?.score ?? 0)),
    ...(expected.band === undefined ? [] : differs('band', expected.band, decision?.band ?? null)),
  ];
}

function compareFirst(expected: string | number, { rows, rule }: Observed): Failure[] {
  const hits = rows.flatMap((row) => row?.hits ?? []);
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
