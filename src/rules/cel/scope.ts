import type { ColumnPlan } from '../plan.ts';
import type { ValueType } from '../plan-parts.ts';
import type { MatchOrigin, MatchScope } from './match-scope.ts';

/** Where a name's value comes from at run time. */
export type Origin =
  | { readonly kind: 'column'; readonly column: number; readonly pgType: string }
  | { readonly kind: 'old'; readonly column: number; readonly pgType: string }
  | { readonly kind: 'let'; readonly index: number }
  | { readonly kind: 'at' }
  | { readonly kind: 'list'; readonly name: string }
  | MatchOrigin;

export interface Variable {
  readonly name: string;
  readonly type: ValueType;
  readonly origin: Origin;
}

/** What a condition may name. */
export interface Scope {
  /** Names that stand alone: columns, `let` names, `at`. */
  readonly names: ReadonlyMap<string, Variable>;
  /** `row.x` and `row["x"]`. */
  readonly row: ReadonlyMap<string, Variable>;
  /** `old.x`; null where the event has no old rows (its ops are inserts only). */
  readonly old: ReadonlyMap<string, Variable> | null;
  /** `lists.NAME`, in the order of `Frame.lists`. */
  readonly lists: ReadonlyMap<string, ReadonlySet<string>>;
  /** In patterns: the steps, and what they have taken; null in rules. */
  readonly match: MatchScope | null;
}

/** These mean themselves also where a column bears the name: the column is then `row.at`. */
export const OWN_NAMES: readonly string[] = ['row', 'old', 'lists', 'at'];

export interface ScopeParts {
  /** The index of a column here is the cell it reads. */
  readonly columns: readonly ColumnPlan[];
  /** Whether rows of the event can have an old row (updates, deletes). */
  readonly old: boolean;
  /** The index of a `let` here is its place in `Frame.lets`. */
  readonly lets: readonly { readonly name: string; readonly type: ValueType }[];
  readonly lists: ReadonlyMap<string, ReadonlySet<string>>;
  readonly match?: MatchScope | null;
}

/** The scope of a rule over one table. A `let` wins over a column of its name (the loader refuses the pair). */
export function scopeOf(parts: ScopeParts): Scope {
  const row = new Map<string, Variable>();
  const old = new Map<string, Variable>();
  parts.columns.forEach(({ name, type, pgType }, column) => {
    row.set(name, { name, type, origin: { kind: 'column', column, pgType } });
    old.set(name, { name, type, origin: { kind: 'old', column, pgType } });
  });
  const names = new Map(row);
  parts.lets.forEach(({ name, type }, index) => {
    names.set(name, { name, type, origin: { kind: 'let', index } });
  });
  for (const key of parts.match?.keys ?? []) names.set(key.name, key);
  for (const own of OWN_NAMES) names.delete(own);
  if (parts.match?.whole !== true) names.set('at', { name: 'at', type: 'timestamp', origin: { kind: 'at' } });
  return { names, row, old: parts.old ? old : null, lists: parts.lists, match: parts.match ?? null };
}
