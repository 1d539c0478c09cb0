import { WeirError } from '../../errors.ts';
import { listValues } from '../check-events.ts';
import type { CompiledRules } from '../compile-rules.ts';
import type { ElementPlan } from '../pattern-plan.ts';
import type { Plan } from '../plan.ts';
import type { Lists, Mode } from '../plan-parts.ts';
import type { Part } from '../rule-set.ts';
import type { PatternSpec, RuleSpec, TestSpec } from '../schema.ts';
import type { Spot } from '../yaml-document.ts';
import { compare, type Failure } from './expectations.ts';
import { GivenError } from './given.ts';
import { type Effects, type RowEffects, Simulation } from './simulate.ts';
import { testRows } from './test-rows.ts';

export interface TestResult {
  /** null: a scenario of the whole set. */
  readonly rule: string | null;
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** skipped: its rule is off. */
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly failures: readonly Failure[];
  /** A row of the test could not be read, or a rule failed on it: what and why. */
  readonly errors: readonly string[];
  readonly rows: number;
  readonly durationMs: number;
}

export interface RuleCoverage {
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly mode: Mode | 'off';
  /** Tests beside it. */
  readonly tests: number;
  /** Rows of all tests, whatever they are beside, on which it fired and on which it was asked and did not. */
  readonly fired: number;
  readonly silent: number;
  /** Steps of a pattern that took no row in any match. */
  readonly untaken: readonly string[];
}

export interface TestReport {
  readonly results: readonly TestResult[];
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly coverage: readonly RuleCoverage[];
}

interface Case {
  /** A rule or a pattern. */
  readonly rule: Part<RuleSpec | PatternSpec> | null;
  readonly spec: TestSpec;
  readonly spot: Spot;
}

/**
 * Runs the tests in rule files on the engines, each on a state and a clock of its own. `run`: a regular expression
 * over `rule › name`. `now`: milliseconds, for durations only.
 */
export function runTests(
  { plan, set }: CompiledRules,
  {
    run,
    now = () => performance.now(),
  }: { readonly run?: string | undefined; readonly now?: () => number } = {},
): TestReport {
  if (plan === null) throw new Error('rules with errors have no tests to run');
  const wanted = pattern(run);
  const cases: Case[] = [
    ...[...set.rules, ...set.patterns].flatMap((rule: Part<RuleSpec | PatternSpec>) =>
      (rule.spec.tests ?? []).map((spec, index) => ({ rule, spec, spot: rule.spot.in('tests', index) })),
    ),
    ...set.tests.map(({ spec, spot }) => ({ rule: null, spec, spot })),
  ].filter(({ rule, spec }) => wanted.test(rule === null ? spec.name : `${rule.name} › ${spec.name}`));
  if (run !== undefined && cases.length === 0) throw noneMatches(run);
  const coverage = new Coverage(plan);
  const results = cases.map((one) => runCase(plan, { one, set, coverage, now }));
  const count = (outcome: TestResult['outcome']) =>
    results.filter((result) => result.outcome === outcome).length;
  return {
    results,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    coverage: [
      ...set.rules.map((rule) => coverage.of(rule)),
      ...set.patterns.map((pattern) => coverage.ofPattern(pattern)),
    ],
  };
}

function pattern(run: string | undefined): RegExp {
  try {
    return new RegExp(run ?? '', 'i');
  } catch (cause) {
    throw new WeirError({
      code: 'WEIR_USAGE',
      message: `--run ${JSON.stringify(run)} is not a regular expression`,
      hint: 'name a part of the rule or of the test, as in --run large_amount',
      cause,
    });
  }
}

function noneMatches(run: string): WeirError {
  return new WeirError({
    code: 'WEIR_USAGE',
    message: `--run ${JSON.stringify(run)} matches no test`,
    hint: 'it is looked for in `rule › name`; weir test without --run shows them all',
  });
}

interface CaseParts {
  readonly one: Case;
  readonly set: CompiledRules['set'];
  readonly coverage: Coverage;
  readonly now: () => number;
}

function runCase(plan: Plan, { one, set, coverage, now }: CaseParts): TestResult {
  const { rule, spec, spot } = one;
  const { file, line, column } = spot.in('name').place;
  const base = { rule: rule?.name ?? null, name: spec.name, file, line, column };
  const off = rule?.spec.mode === 'off';
  if (off) return { ...base, outcome: 'skipped', failures: [], errors: [], rows: 0, durationMs: 0 };
  const started = now();
  const { rows, after, errors } = play(plan, one, set);
  for (const row of rows) if (row !== null) coverage.row(row);
  for (const effects of [...rows, after]) if (effects !== null) coverage.add(effects);
  const observed = { rows, after, rule: rule === null ? null : { id: rule.name, mode: modeOf(rule) } };
  const failures = errors.length > 0 ? [] : compare(spec.expect, observed);
  const outcome = failures.length + errors.length === 0 ? 'passed' : 'failed';
  return { ...base, outcome, failures, errors, rows: rows.length, durationMs: now() - started };
}

function modeOf({ spec }: Part<RuleSpec | PatternSpec>): Mode {
  return spec.mode === 'shadow' ? 'shadow' : 'live';
}

function play(
  plan: Plan,
  { rule, spec, spot }: Case,
  set: CompiledRules['set'],
): { readonly rows: (RowEffects | null)[]; readonly after: Effects; readonly errors: string[] } {
  const simulation = new Simulation(plan, listsOf(plan, spec, spot));
  const rows: (RowEffects | null)[] = [];
  const errors: string[] = [];
  const event = spec.event ?? eventOf(plan, rule) ?? '';
  const tableOf = (name: string) => plan.tables.findIndex((table) => table.event === rootOf(set, name));
  try {
    for (const row of testRows({ plan, tableOf, spec, spot, event })) {
      rows.push(row === null ? null : simulation.feed(row));
      const dead = rows.at(-1)?.deadLetters ?? [];
      for (const { rule: id, error } of dead)
        errors.push(`row ${rows.length}: rule "${id}" failed: ${error}`);
    }
  } catch (error) {
    if (!(error instanceof GivenError)) throw error;
    errors.push(`row ${rows.length + 1}: ${error.message}`);
  }
  return { rows, after: simulation.advance(Infinity), errors };
}

/** As the rule files have them, or as the test says. */
function listsOf(plan: Plan, { lists = {} }: TestSpec, spot: Spot): Lists {
  return [...plan.lists].map(([name, seed]) => {
    const own = lists[name];
    return own === undefined ? seed : listValues(own, spot.in('lists', name));
  });
}

/** What its rows are of, unless they say it: a rule's event, a pattern's if its steps are of one table. */
function eventOf(plan: Plan, rule: Case['rule']): string | undefined {
  if (rule === null) return undefined;
  if ('event' in rule.spec) return rule.spec.event;
  const inputs = plan.patterns.find(({ id }) => id === rule.name)?.inputs ?? [];
  const tables = new Set(inputs.map(({ table }) => table));
  const [table = -1] = tables;
  return tables.size === 1 ? plan.tables[table]?.event : undefined;
}

/** The table's event that an event is a view of. */
function rootOf(set: CompiledRules['set'], name: string): string {
  const from = set.events.get(name)?.spec.from;
  return from === undefined ? name : rootOf(set, from);
}

class Coverage {
  readonly #plan: Plan;
  readonly #fired = new Map<string, number>();
  readonly #rows = new Map<number, number>();
  /** Steps of patterns that took a row in a match. */
  readonly #taken = new Set<string>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  row({ row }: RowEffects): void {
    this.#rows.set(row.table, (this.#rows.get(row.table) ?? 0) + 1);
  }

  add({ hits, matches }: Effects): void {
    for (const { rule } of hits) this.#fired.set(rule, (this.#fired.get(rule) ?? 0) + 1);
    for (const { kind, pattern, takes } of matches) {
      if (kind === 'match') this.#fired.set(pattern, (this.#fired.get(pattern) ?? 0) + 1);
      if (kind === 'match') for (const { step } of takes) this.#taken.add(`${pattern} ${step}`);
    }
  }

  of(rule: Part<RuleSpec>): RuleCoverage {
    const table = this.#plan.rules.find(({ id }) => id === rule.name)?.table;
    return this.#covered(rule, { tables: table === undefined ? [] : [table], untaken: [] });
  }

  ofPattern(pattern: Part<PatternSpec>): RuleCoverage {
    const plan = this.#plan.patterns.find(({ id }) => id === pattern.name);
    const tables = [...new Set(plan?.inputs.map(({ table }) => table) ?? [])];
    const absent = new Set(plan === undefined ? [] : absences(plan.sequence));
    const untaken = (plan?.steps ?? []).filter(
      ({ name }, step) => !absent.has(step) && !this.#taken.has(`${pattern.name} ${name}`),
    );
    return this.#covered(pattern, { tables, untaken: untaken.map(({ name }) => name) });
  }

  #covered(
    { name, spec, spot }: Part<RuleSpec | PatternSpec>,
    { tables, untaken }: { readonly tables: readonly number[]; readonly untaken: readonly string[] },
  ): RuleCoverage {
    const { file, line } = spot.in('id').place;
    const fired = this.#fired.get(name) ?? 0;
    const asked = tables.reduce((sum, table) => sum + (this.#rows.get(table) ?? 0), 0);
    const tests = spec.tests?.length ?? 0;
    const silent = Math.max(0, asked - fired);
    return { rule: name, file, line, mode: spec.mode ?? 'live', tests, fired, silent, untaken };
  }
}

function absences(elements: readonly ElementPlan[]): number[] {
  return elements.flatMap((element) => {
    if (element.kind === 'group') return absences(element.elements);
    return element.kind === 'absence' ? [element.step] : [];
  });
}
