import { checkColumns } from './check-by.ts';
import type { EventInfo } from './check-events.ts';
import type { TableInfo } from './check-tables.ts';
import type { Draft } from './draft.ts';
import type { Part } from './rule-set.ts';
import type { RuleSpec } from './schema.ts';
import type { Spot } from './yaml-document.ts';

/** A window or a cooldown: what it is kept by, in columns of the rule's event. */
export interface Keyed {
  readonly what: string;
  readonly columns: readonly string[];
  readonly spot: Spot;
}

const SPLIT = 'split the rule in two: their scores add';
const MAX_KEYS = 30;

/**
 * A rule has one key: what all of its windows and its cooldown have in common, or as written. undefined: refused,
 * and told. null: the rule needs none.
 */
export function checkKey(
  draft: Draft,
  part: Part<RuleSpec>,
  { event, keyed }: { readonly event: EventInfo; readonly keyed: readonly Keyed[] },
): readonly string[] | null | undefined {
  const key =
    part.spec.key === undefined ? inferred(draft, part, keyed) : written(draft, part, { event, keyed });
  if (key === null || key === undefined) return key;
  // Sorted, so that keys of the same columns are one.
  const columns = [...key].sort();
  return tableKey(draft, part.spot, { table: event.table, columns }) === null ? undefined : columns;
}

/** The index of a routing key; null: the table has too many, which is told. */
export function tableKey(
  draft: Draft,
  spot: Spot,
  { table, columns }: { readonly table: TableInfo; readonly columns: readonly string[] },
): number | null {
  const index = draft.key(table, columns);
  if (index < MAX_KEYS) return index;
  const message = `table "${table.schema}.${table.name}" has more than ${MAX_KEYS} different keys`;
  draft.problems.error(spot.place, message, 'use the same columns in "by" where it can be');
  return null;
}

function inferred(
  draft: Draft,
  part: Part<RuleSpec>,
  keyed: readonly Keyed[],
): readonly string[] | null | undefined {
  const [first, ...others] = keyed;
  if (first === undefined) return null;
  const common = first.columns.filter((name) => others.every(({ columns }) => columns.includes(name)));
  if (common.length > 0) return common;
  const list = keyed.map(({ what, columns }) => `${what} by ${columns.join(', ')}`).join('; ');
  draft.problems.error(part.spot.in('id').place, `rule "${part.name}" has no one key: ${list}`, SPLIT);
  return undefined;
}

function written(
  draft: Draft,
  part: Part<RuleSpec>,
  { event, keyed }: { readonly event: EventInfo; readonly keyed: readonly Keyed[] },
): readonly string[] | undefined {
  const key = checkColumns(draft, part.spec.key ?? [], { event, spot: part.spot.in('key') });
  if (key === null) return undefined;
  let ok = true;
  for (const { what, columns, spot } of keyed) {
    const lacking = key.filter((name) => !columns.includes(name));
    if (lacking.length === 0) continue;
    const message = `${what} is by ${columns.join(', ')}, and the key of rule "${part.name}" is ${key.join(', ')}`;
    draft.problems.error(spot.place, `${message}: every "by" contains the key`, SPLIT);
    ok = false;
  }
  return ok ? key : undefined;
}
