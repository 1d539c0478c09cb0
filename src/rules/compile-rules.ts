import { createHash } from 'node:crypto';
import type { Catalog } from './catalog.ts';
import { checkAggregation } from './check-aggregation.ts';
import { eventCondition } from './check-condition.ts';
import { type CheckOptions, checkEvents } from './check-events.ts';
import { checkPattern } from './check-pattern.ts';
import { checkRule } from './check-rule.ts';
import { checkFlags, checkScoring } from './check-scoring.ts';
import type { TableInfo } from './check-tables.ts';
import { checkTests } from './check-tests.ts';
import { Draft } from './draft.ts';
import type { Plan, TablePlan } from './plan.ts';
import { type Problem, Problems } from './problem.ts';
import { type RuleSet, readRuleSet } from './rule-set.ts';
import type { RuleFiles } from './source-files.ts';
import { storedContent } from './stored-content.ts';

export interface CompiledRules {
  /** null: there are errors. */
  readonly plan: Plan | null;
  readonly problems: readonly Problem[];
  /** What the store keeps of a rule set without errors: `compileStored` makes the same plan of it. Else empty. */
  readonly content: string;
  /** For the tests in rule files. */
  readonly set: RuleSet;
}

/** Checks rule files against the catalog (null: against their own `columns:`) and compiles them. */
export function compileRules(
  given: RuleFiles,
  catalog: Catalog | null,
  options: CheckOptions = {},
): CompiledRules {
  const problems = new Problems();
  const files = [...given].sort((a, b) => (a.name < b.name ? -1 : 1));
  const set = readRuleSet(files, problems);
  const world = checkEvents(set, catalog, { problems, options });
  checkCaptured(set, files, problems);
  const all = { includeOff: true, before: null };
  const checked = walk(set, new Draft(world, problems, all));
  for (const table of world.tables) checkViews(checked.draft, table);
  checkFlags(checked.draft, set);
  // A stored set keeps no columns that only its tests use, and its tests were checked before it was stored.
  if (options.stored !== true) checkTests(set, world, problems);
  if (problems.hasErrors) return { plan: null, problems: problems.sorted(), content: '', set };
  const before = walk(set, new Draft(world, problems, { includeOff: false, before: null })).draft;
  const used = (table: TableInfo) =>
    new Set([...checked.draft.used(table), ...Object.keys(table.part.spec.columns ?? {})]);
  const content = storedContent(files, world, used);
  const version = createHash('sha256').update(content).digest('hex');
  const final = walk(set, new Draft(world, problems, { includeOff: false, before }));
  return { plan: { version, ...final.plan }, problems: problems.sorted(), content, set };
}

/** One walk over the rules, in the order of the files. */
function walk(set: RuleSet, draft: Draft): { readonly plan: Omit<Plan, 'version'>; readonly draft: Draft } {
  const parts = set.rules.filter(({ spec }) => draft.includeOff || spec.mode !== 'off');
  const rules = parts.flatMap((part) => checkRule(draft, part) ?? []);
  if (rules.length < parts.length && !draft.problems.hasErrors) throw new Error('a rule was dropped untold');
  const patternParts = set.patterns.filter(({ spec }) => draft.includeOff || spec.mode !== 'off');
  const patterns = patternParts.flatMap((part) => checkPattern(draft, part, set) ?? []);
  if (patterns.length < patternParts.length && !draft.problems.hasErrors)
    throw new Error('a pattern was dropped untold');
  const aggregates = set.aggregates.flatMap((part) => checkAggregation(draft, part) ?? []);
  const judged = { rules, patterns };
  const scored = [...set.scoring.values()].flatMap((part) => checkScoring(draft, part, judged) ?? []);
  const scoring = new Map(scored.map((plan) => [plan.event, plan]));
  const stores = draft.stores();
  const tables = draft.world.tables.map((table) => planTable(draft, table));
  const { lists } = draft.world;
  return { plan: { tables, rules, patterns, stores, scoring, aggregates, lists }, draft };
}

function checkCaptured(set: RuleSet, files: RuleFiles, problems: Problems): void {
  if (set.events.size > 0 || set.brokenEvents.size > 0 || set.incomplete) return;
  const file = files[0]?.path ?? files[0]?.name ?? 'rules';
  const hint = 'write events: { transaction: { table: public.transactions } }';
  problems.error({ file, line: 1, column: 1 }, 'these rules capture no table: there are no events', hint);
}

/** Also the views that no rule uses. */
function checkViews(draft: Draft, table: TableInfo): void {
  for (const event of draft.world.events.values()) if (event.table === table) eventCondition(draft, event);
}

function planTable(draft: Draft, table: TableInfo): TablePlan {
  // Conditions first: they add to the columns in use.
  const events = draft.events(table).flatMap((name) => {
    const event = draft.world.events.get(name);
    return event === undefined ? [] : [{ name, when: eventCondition(draft, event) }];
  });
  const keys = draft.keys(table).map((key) => ({
    dimension: draft.dimension(key),
    columns: draft.indexes(table, key.columns),
  }));
  return {
    schema: table.schema,
    name: table.name,
    event: table.event,
    events,
    ops: table.ops,
    columns: draft.columns(table),
    time: table.time === null ? null : (draft.indexes(table, [table.time])[0] ?? null),
    lateness: table.lateness,
    ahead: table.ahead,
    idle: table.idle,
    id: draft.indexes(table, table.id),
    primaryKey: draft.indexes(table, table.primaryKey),
    keys,
  };
}
