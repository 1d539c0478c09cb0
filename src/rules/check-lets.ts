import { checkCel } from './check-condition.ts';
import type { EventInfo } from './check-events.ts';
import { type CheckedWindow, checkWindow } from './check-windows.ts';
import type { Draft } from './draft.ts';
import type { Expression, ValueType } from './plan-parts.ts';
import type { Part } from './rule-set.ts';
import type { RuleSpec } from './schema.ts';

export type CheckedLet =
  | {
      readonly kind: 'window';
      readonly name: string;
      readonly type: ValueType;
      readonly window: CheckedWindow;
    }
  | { readonly kind: 'cel'; readonly name: string; readonly type: ValueType; readonly value: Expression };

export const TAKEN = ['row', 'old', 'lists', 'at', 'true', 'false', 'null', 'in'];

export interface CheckedLets {
  readonly lets: readonly CheckedLet[];
  /** Names whose mistakes are told: what mentions them is not judged, or one mistake would be told many times. */
  readonly broken: ReadonlySet<string>;
}

/** Windows first, then CEL in the order of the file: CEL sees every window, and the CEL above it. */
export function checkLets(draft: Draft, part: Part<RuleSpec>, event: EventInfo): CheckedLets {
  const entries = Object.entries(part.spec.let ?? {});
  const spot = part.spot.in('let');
  const lets: CheckedLet[] = [];
  const broken = new Set(spot.keys.filter((name) => !entries.some(([known]) => known === name)));
  for (const [name] of entries) if (!checkName(draft, name, { event, part })) broken.add(name);
  for (const [name, spec] of entries) {
    if (typeof spec === 'string') continue;
    const window = checkWindow(draft, { name, spec, spot: spot.in(name), event });
    if (window === null) broken.add(name);
    else if (!broken.has(name)) lets.push({ kind: 'window', name, type: window.type, window });
  }
  for (const [name, spec] of entries) {
    if (typeof spec !== 'string' || broken.has(name)) continue;
    const parts = {
      table: event.table,
      source: spec,
      spot: spot.in(name),
      lets: [...lets],
      expected: 'any' as const,
    };
    const result = mentions(spec, broken) ? null : checkCel(draft, parts);
    if (result === null) broken.add(name);
    else lets.push({ kind: 'cel', name, type: result.type, value: result.run });
  }
  return { lets, broken };
}

export function mentions(source: string, names: ReadonlySet<string>): boolean {
  return names.size > 0 && [...source.matchAll(/[A-Za-z_]\w*/g)].some(([name]) => names.has(name));
}

function checkName(
  draft: Draft,
  name: string,
  { event, part }: { event: EventInfo; part: Part<RuleSpec> },
): boolean {
  const place = part.spot.in('let', name).key;
  if (event.table.columns.has(name)) {
    const table = `"${event.table.schema}.${event.table.name}"`;
    draft.problems.error(
      place,
      `"${name}" is a column of ${table} too: a name means one thing`,
      'give the let another name',
    );
    return false;
  }
  if (!TAKEN.includes(name)) return true;
  draft.problems.error(
    place,
    `"${name}" has a meaning of its own in conditions`,
    'give the let another name',
  );
  return false;
}
