import { compileCel } from './cel/compile.ts';
import type { CelOk } from './cel/result.ts';
import { scopeOf } from './cel/scope.ts';
import type { EventInfo } from './check-events.ts';
import type { TableInfo } from './check-tables.ts';
import { changes, type Draft } from './draft.ts';
import type { Condition, Frame, ValueType } from './plan.ts';
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
      draft.problems.error(spot.within(offset), message, hint);
    }
    return null;
  }
  for (const index of [...result.columns, ...result.oldColumns]) {
    const column = columns[index];
    if (column !== undefined) draft.use(table, column.name, spot);
  }
  for (const index of result.oldColumns) checkOld(draft, columns[index]?.name ?? '', parts);
  return result;
}

export function checkBool(draft: Draft, parts: Omit<ConditionParts, 'expected'>): Condition | null {
  const result = checkCel(draft, { ...parts, expected: 'bool' });
  return result === null ? null : (result.run as Condition);
}

/** PostgreSQL sends of an old row its replica identity only. */
function checkOld(draft: Draft, name: string, { table, source, spot }: ConditionParts): void {
  const { catalog } = table;
  if (catalog === null || catalog.replicaIdentity === 'full' || catalog.identityColumns.includes(name))
    return;
  const full = `${table.schema}.${table.name}`;
  const offset = Math.max(0, source.search(new RegExp(`\\bold\\s*(\\.\\s*${quoted(name)}\\b|\\[)`)));
  draft.problems.error(
    spot.within(offset),
    `old.${name} needs the whole old row, and "${full}" sends only ${catalog.identityColumns.join(', ') || 'nothing'}`,
    `ALTER TABLE ${full} REPLICA IDENTITY FULL`,
  );
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
