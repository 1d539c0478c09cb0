import { unknownEvent, type World } from './check-events.ts';
import { parseDuration } from './duration.ts';
import { parseInstant } from './instant.ts';
import { nearest } from './nearest.ts';
import { didYouMean, type Problems } from './problem.ts';
import type { Part, RuleSet } from './rule-set.ts';
import type { TestSpec } from './schema.ts';
import type { StepEntry } from './schema-patterns.ts';
import type { Spot } from './yaml-document.ts';

/** The tests in rule files name events, columns and rules that exist, and times that are times. */
export function checkTests(set: RuleSet, world: World, problems: Problems): void {
  const patterns = set.patterns.map(({ name }) => name);
  const rules = [...set.rules.map(({ name }) => name), ...patterns];
  const names = { event: null, rules, patterns, world, problems };
  for (const rule of set.rules) {
    (rule.spec.tests ?? []).forEach((spec, index) => {
      const spot = rule.spot.in('tests', index);
      checkTest({ name: spec.name, spec, spot }, { ...names, event: rule.spec.event });
      if (typeof spec.expect.timeouts !== 'number') return;
      problems.error(spot.in('expect', 'timeouts').key, 'a rule has no timeouts: they are of patterns');
    });
  }
  for (const pattern of set.patterns) {
    const { spec: asked } = pattern;
    const event = oneEvent(asked.steps, world);
    (asked.tests ?? []).forEach((spec, index) => {
      const spot = pattern.spot.in('tests', index);
      checkTest({ name: spec.name, spec, spot }, { ...names, event });
      if (typeof spec.expect.timeouts !== 'number' || asked.on_timeout !== undefined) return;
      const message = `pattern "${pattern.name}" has no on_timeout: what runs out of time is not told`;
      problems.error(spot.in('expect', 'timeouts').key, message, 'write on_timeout: {}');
    });
  }
  for (const test of set.tests) checkTest(test, names);
}

/** The event that rows of a pattern's tests are of where they do not say; null: its steps are over several tables. */
export function oneEvent(steps: readonly StepEntry[], { events }: Pick<World, 'events'>): string | null {
  const names = eventsOf(steps).map((name) => events.get(name)?.table.event ?? name);
  return new Set(names).size === 1 ? (names[0] ?? null) : null;
}

export function eventsOf(steps: readonly StepEntry[]): string[] {
  return steps.flatMap((entry) =>
    Object.values(entry).flatMap(({ event, steps: inner }) => [
      ...(event === undefined ? [] : [event]),
      ...eventsOf(inner ?? []),
    ]),
  );
}

interface TestNames {
  /** The event of the rule that the test is beside. */
  readonly event: string | null;
  /** Patterns too. */
  readonly rules: readonly string[];
  readonly patterns: readonly string[];
  readonly world: World;
  readonly problems: Problems;
}

/** What a row of a test may say beside its columns. */
export const ROW_KEYS: readonly string[] = ['event', 'at', 'repeat', 'every', 'op', 'old'];

function checkTest({ spec, spot }: Part<TestSpec>, names: TestNames): void {
  for (const list of Object.keys(spec.lists ?? {})) {
    const { lists, incomplete } = names.world;
    if (lists.has(list) || incomplete) continue;
    const near = didYouMean(nearest(list, lists.keys()));
    names.problems.error(spot.in('lists', list).key, `there is no list "${list}"`, near);
  }
  const standard = spec.event ?? names.event;
  spec.events.forEach((row, index) => {
    const at = spot.in('events', index);
    if (row.at !== undefined) checkInstant(row.at, at.in('at'), names.problems);
    const event = row.event ?? standard;
    if (event === null) {
      names.problems.error(
        at.place,
        'this row does not say its event',
        'write event: NAME in the row or in the test',
      );
      return;
    }
    checkRow(row, event, {
      ...names,
      at,
      named: row.event === undefined ? spot.in('event') : at.in('event'),
    });
  });
  if (spec.expect.first_at !== undefined)
    checkInstant(spec.expect.first_at, spot.in('expect', 'first_at'), names.problems);
  checkRules(spec.expect, spot.in('expect'), names);
  for (const [row, expected] of Object.entries(spec.expect.at ?? {})) {
    checkRules(expected, spot.in('expect', 'at', row), names);
  }
}

function checkRow(
  row: Readonly<Record<string, unknown>>,
  name: string,
  { world, problems, at, named }: TestNames & { readonly at: Spot; readonly named: Spot },
): void {
  const event = world.events.get(name);
  if (event === undefined) {
    unknownEvent(name, named.place, { ...world, problems });
    return;
  }
  const { columns, schema, name: table, ops } = event.table;
  const op = row['op'];
  if (op !== undefined && !ops.some((known) => known === op)) {
    problems.error(at.in('op').place, `event "${event.table.event}" captures ${ops.join(', ')} only`);
  }
  for (const key of Object.keys(row)) {
    if (ROW_KEYS.includes(key) || columns.has(key)) continue;
    const near = nearest(key, [...columns.keys(), ...ROW_KEYS]);
    problems.error(at.in(key).key, `table "${schema}.${table}" has no column "${key}"`, didYouMean(near));
  }
}

function checkInstant(value: string | number, spot: Spot, problems: Problems): void {
  if (typeof value === 'string' && (parseDuration(value) !== null || parseInstant(value) !== null)) return;
  problems.error(
    spot.place,
    `${JSON.stringify(value)} is not a time`,
    'write an offset (20s) or a timestamp (2026-01-01T00:00:00Z)',
  );
}

function checkRules(
  expected: { readonly hits?: unknown; readonly alerts?: unknown; readonly timeouts?: unknown },
  spot: Spot,
  { rules, patterns, problems }: TestNames,
): void {
  for (const key of ['hits', 'alerts', 'timeouts'] as const) {
    const counts = expected[key];
    if (typeof counts !== 'object' || counts === null) continue;
    const known = key === 'timeouts' ? patterns : rules;
    for (const rule of Object.keys(counts)) {
      if (known.includes(rule)) continue;
      const what = key === 'timeouts' ? 'pattern' : 'rule';
      problems.error(
        spot.in(key, rule).key,
        `there is no ${what} "${rule}"`,
        didYouMean(nearest(rule, known)),
      );
    }
  }
}
