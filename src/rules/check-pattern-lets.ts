import { AGGREGATE_FUNCTIONS } from './cel/match-scope.ts';
import { checkCel, type MatchParts } from './check-condition.ts';
import { mentions } from './check-lets.ts';
import type { Draft } from './draft.ts';
import { nearest } from './nearest.ts';
import type { PatternLetPlan } from './pattern-plan.ts';
import type { StepTree } from './pattern-steps.ts';
import { didYouMean } from './problem.ts';
import type { Part } from './rule-set.ts';
import type { PatternSpec } from './schema.ts';
import type { AggregateSpec } from './schema-patterns.ts';
import type { Spot } from './yaml-document.ts';

export interface CheckedPatternLets {
  readonly lets: readonly PatternLetPlan[];
  /** Names whose mistakes are told. */
  readonly broken: ReadonlySet<string>;
}

interface LetParts {
  readonly tree: StepTree;
  readonly match: MatchParts;
  /** Names that clash. */
  readonly broken: ReadonlySet<string>;
}

/** Aggregates first, then CEL in the order of the file: CEL sees every aggregate, and the CEL above it. */
export function checkPatternLets(
  draft: Draft,
  { spec, spot: pattern }: Part<PatternSpec>,
  parts: LetParts,
): CheckedPatternLets {
  const entries = Object.entries(spec.let ?? {});
  const spot = pattern.in('let');
  const lets: PatternLetPlan[] = [];
  const broken = new Set(parts.broken);
  for (const name of spot.keys) if (!entries.some(([known]) => known === name)) broken.add(name);
  for (const kind of ['object', 'string']) {
    for (const [name, value] of entries) {
      if (typeof value !== kind || broken.has(name)) continue;
      const found =
        typeof value === 'string'
          ? checkText(draft, { ...parts, name, spot: spot.in(name), lets, broken }, value)
          : checkAggregate(draft, { ...parts, name, spot: spot.in(name), lets, broken }, value);
      if (found === null) broken.add(name);
      else lets.push(found);
    }
  }
  return { lets, broken };
}

interface OneLet extends LetParts {
  readonly name: string;
  readonly spot: Spot;
  readonly lets: readonly PatternLetPlan[];
}

function checkText(
  draft: Draft,
  { name, spot, lets, broken, match }: OneLet,
  source: string,
): PatternLetPlan | null {
  if (mentions(source, broken)) return null;
  const result = checkCel(draft, { table: null, source, spot, lets: [...lets], match, expected: 'any' });
  if (result === null) return null;
  return { kind: 'cel', name, type: result.type, value: result.run, told: result.told };
}

function checkAggregate(draft: Draft, one: OneLet, spec: AggregateSpec): PatternLetPlan | null {
  const { name, spot } = one;
  // Of what was taken out, for a mistake that is told, its function may be a part.
  if (spot.keys.some((key) => !key.startsWith('x-') && !Object.hasOwn(spec, key))) return null;
  const functions = [...AGGREGATE_FUNCTIONS, 'count', 'changed'] as const;
  const [fn, other] = functions.filter((key) => spec[key] !== undefined);
  if (fn === undefined) {
    draft.problems.error(spot.key, `"${name}" has no function`, `it is one of ${functions.join(', ')}`);
    return null;
  }
  if (other !== undefined) {
    draft.problems.error(
      spot.in(other).key,
      `"${name}" has two functions, ${fn} and ${other}`,
      'make two lets',
    );
    return null;
  }
  const of = spec[fn] ?? '';
  return fn === 'changed' ? checkChanged(draft, one, of) : checkCall(draft, one, { fn, of });
}

/** As CEL says it: `{ sum: login.amount }` is `sum(login.amount)`. */
function checkCall(
  draft: Draft,
  { name, spot, match, tree, broken }: OneLet,
  { fn, of }: { readonly fn: string; readonly of: string },
): PatternLetPlan | null {
  const [step = '', ...rest] = of.split('.');
  const column = rest.join('.');
  if (broken.has(step) || tree.broken.has(step)) return null;
  const at = spot.in(fn);
  if (fn !== 'count' && column === '') {
    const owner = tree.steps.find(({ event, kind }) => kind === 'step' && event.table.columns.has(of));
    const hint = `write ${fn}: ${owner?.name ?? 'STEP'}.${owner === undefined ? 'column' : of}`;
    draft.problems.error(at.place, `${fn} takes a column of a step, and "${of}" names no step`, hint);
    return null;
  }
  const plain = fn === 'count' || /^[A-Za-z_]\w*$/.test(column);
  const source = `${fn}(${plain ? of : `${step}[${JSON.stringify(column)}]`})`;
  const parts = { table: null, source, spot: at, offset: -fn.length - 1, lets: [], match } as const;
  const result = checkCel(draft, { ...parts, expected: 'any' });
  if (result === null) return null;
  return { kind: 'cel', name, type: result.type, value: result.run, told: result.told };
}

function checkChanged(draft: Draft, { name, spot, tree }: OneLet, column: string): PatternLetPlan | null {
  const at = spot.in('changed');
  const taking = tree.steps.filter(({ kind }) => kind === 'step');
  const having = taking.filter(({ event }) => event.table.columns.has(column));
  if (having.length === 0) {
    const known = taking.flatMap(({ event }) => [...event.table.columns.keys()]);
    draft.problems.error(at.place, `no step has a column "${column}"`, didYouMean(nearest(column, known)));
    return null;
  }
  for (const { event } of having) draft.use(event.table, column, at);
  const columns = tree.steps.map(({ kind, event }) => {
    const index = kind === 'absence' ? -1 : (draft.indexes(event.table, [column])[0] ?? -1);
    return index < 0 ? null : index;
  });
  return { kind: 'changed', name, type: 'bool', columns };
}
