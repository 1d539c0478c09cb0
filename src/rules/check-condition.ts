import { compileCel } from './cel/compile.ts';
import type { CelOk } from './cel/result.ts';
import { scopeOf } from './cel/scope.ts';
import type { EventInfo } from './check-events.ts';
import type { TableInfo } from './check-tables.ts';
import { changes, type Draft } from './draft.ts';
import type { Condition, Frame, ValueType } from './plan-parts.ts';
import type { Spot } from './yaml-document.ts';

export interface ConditionParts {
  readonly table: TableInfo;
  readonly source: string;
  readonly spot: Spot;
  readonly lets: readonly { readonly name: string; readonly type: ValueType }[];
  readonly expected: ValueType | 'any';
}

/** Compiles CEL over the rows of a table; what it reads counts as used. null: told. */
export function checkCel(draft: Draft, parts: ConditionParts): CelOk | null {
  const { table, source, spot, lets, expected } = parts;
  const columns = draft.columns(table);
  const scope = scopeOf({ columns, old: changes(table), lets, lists: draft.world.lists });
  const result = compileCel(source, scope, expected);
  if (result.kind === 'error') {
    for (const { offset, message, hint } of result.problems) {
      // The list may be in the file that could not be read.
      if (draft.world.incomplete && message.startsWith('unknown list')) continue;
      draft.problems.error(spot.within(offset), message, hint);
    }
    return null;
  }
  for (const index of [...result.columns, ...result.oldColumns]) {
    const column = columns[index];
    if (column !== undefined) draft.use(table, column.name, spot);
  }
  checkIdentity(draft, parts, { columns: result.columns, old: result.oldColumns });
  return result;
}

export function checkBool(draft: Draft, parts: Omit<ConditionParts, 'expected'>): Condition | null {
  const result = checkCel(draft, { ...parts, expected: 'bool' });
  return result === null ? null : (result.run as Condition);
}

/** PostgreSQL sends of an old row, and of a deleted one, its replica identity only. */
function checkIdentity(
  draft: Draft,
  { table, source, spot }: ConditionParts,
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
