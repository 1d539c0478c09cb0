import { compileCel } from './cel/compile.ts';
import type { MatchScope } from './cel/match-scope.ts';
import type { CelFailure, CelOk, Reads } from './cel/result.ts';
import { type Scope, scopeOf } from './cel/scope.ts';
import { type CelSplit, compileSplit } from './cel/split.ts';
import type { EventInfo } from './check-events.ts';
import type { TableInfo } from './check-tables.ts';
import { changes, type Draft } from './draft.ts';
import type { Condition, Frame, ValueType } from './plan-parts.ts';
import type { Spot } from './yaml-document.ts';

export interface ConditionParts {
  /** Whose rows it is asked of; null: of a whole match. */
  readonly table: TableInfo | null;
  readonly source: string;
  readonly spot: Spot;
  /** Where the source begins in the text at `spot`; default 0. */
  readonly offset?: number;
  readonly lets: readonly { readonly name: string; readonly type: ValueType }[];
  /** In patterns. */
  readonly match?: MatchParts;
  readonly expected: ValueType | 'any';
}

export interface MatchParts {
  readonly scope: MatchScope;
  /** By step. */
  readonly tables: readonly TableInfo[];
}

/** Compiles CEL over the rows of a table; what it reads counts as used. null: told. */
export function checkCel(draft: Draft, parts: ConditionParts): CelOk | null {
  const result = compileCel(parts.source, scopeFor(draft, parts), parts.expected);
  if (result.kind === 'error') return tell(draft, parts, result);
  use(draft, parts, result);
  return result;
}

/** As `checkCel`, of a condition of a step, in two: what looks at the row alone, and the rest. */
export function checkSplit(draft: Draft, parts: Omit<ConditionParts, 'expected'>): CelSplit | null {
  const shared = draft.conditions(parts.table);
  const result = compileSplit(parts.source, scopeFor(draft, parts), shared);
  if (result.kind === 'error') return tell(draft, parts, result);
  use(draft, parts, result);
  return result;
}

type Parts = Omit<ConditionParts, 'expected'>;

export function scopeFor(draft: Draft, { table, lets, match }: Parts): Scope {
  const columns = table === null ? [] : draft.columns(table);
  const old = table !== null && changes(table);
  return scopeOf({ columns, old, lets, lists: draft.world.lists, match: match?.scope ?? null });
}

function tell(draft: Draft, { spot, offset: begin = 0 }: Parts, { problems }: CelFailure): null {
  for (const { offset, message, hint } of problems) {
    // The list may be in the file that could not be read.
    if (draft.world.incomplete && message.startsWith('unknown list')) continue;
    draft.problems.error(spot.within(Math.max(0, offset + begin)), message, hint);
  }
  return null;
}

function use(draft: Draft, parts: Parts, { columns, oldColumns, looks }: Reads): void {
  const { table, spot, match } = parts;
  for (const { step, column } of looks) {
    const taken = match?.tables[step];
    const name = taken === undefined || column === null ? undefined : draft.columns(taken)[column]?.name;
    if (taken !== undefined && name !== undefined) draft.use(taken, name, spot);
  }
  if (table === null) return;
  for (const index of [...columns, ...oldColumns]) {
    const column = draft.columns(table)[index];
    if (column !== undefined) draft.use(table, column.name, spot);
  }
  checkIdentity(draft, { ...parts, table }, { columns, old: oldColumns });
}

export function checkBool(draft: Draft, parts: Omit<ConditionParts, 'expected'>): Condition | null {
  const result = checkCel(draft, { ...parts, expected: 'bool' });
  return result === null ? null : (result.run as Condition);
}

/** PostgreSQL sends of an old row, and of a deleted one, its replica identity only. */
function checkIdentity(
  draft: Draft,
  { table, source, spot }: Parts & { readonly table: TableInfo },
  read: { readonly columns: ReadonlySet<number>; readonly old: ReadonlySet<number> },
): void {
  const { catalog, schema, name: tableName, ops } = table;
  if (catalog === null || catalog.replicaIdentity === 'full') return;
  const full = `${schema}.${tableName}`;
  const refuse = (index: number, prefix: string): void => {
    const name = draft.columns(table)[index]?.name ?? '';
    if (catalog.identityColumns.includes(name)) return;
    const offset = source.search(
      new RegExp(`${prefix === '' ? '' : '\\bold\\s*\\.\\s*'}\\b${quoted(name)}\\b`),
    );
    const what = prefix === '' ? 'a deleted row' : 'an old row';
    draft.problems.error(
      spot.within(Math.max(0, offset)),
      `${prefix}${name} is not known: of ${what} "${full}" sends only ${catalog.identityColumns.join(', ') || 'nothing'}`,
      `ALTER TABLE ${full} REPLICA IDENTITY FULL`,
    );
  };
  for (const index of read.old) refuse(index, 'old.');
  if (!ops.includes('insert') && !ops.includes('update')) for (const index of read.columns) refuse(index, '');
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** What makes a row bear the event's name: the conditions of all views on the way; null for a table's own event. */
export function eventCondition(draft: Draft, event: EventInfo): Condition | null {
  const conditions = event.chain.flatMap(({ spec, spot }) => {
    if (spec.when === undefined) return [];
    const parts = { table: event.table, source: spec.when, spot: spot.in('when'), lets: [] };
    const condition = checkBool(draft, parts);
    return condition === null ? [] : [condition];
  });
  if (conditions.length < 2) return conditions[0] ?? null;
  return (frame) => all(conditions, frame);
}

/** SQL's AND: one false is enough, whatever is unknown. */
function all(conditions: readonly Condition[], frame: Frame): boolean | null {
  let result: boolean | null = true;
  for (const condition of conditions) {
    const value = condition(frame);
    if (value === false) return false;
    if (value === null) result = null;
  }
  return result;
}
