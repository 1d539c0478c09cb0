import type { EventInfo } from './check-events.ts';
import type { Draft } from './draft.ts';
import { nearest } from './nearest.ts';
import type { By } from './plan-parts.ts';
import { didYouMean } from './problem.ts';
import type { BySpec } from './schema-windows.ts';
import type { Spot } from './yaml-document.ts';

/** The columns of a window's key: those that the rule's row looks up, and those of the rows it holds, in pairs. */
export interface CheckedBy {
  readonly rule: readonly string[];
  readonly target: readonly string[];
}

interface ByParts {
  readonly rule: EventInfo;
  /** The event of the window. */
  readonly target: EventInfo;
  readonly spot: Spot;
}

export function checkBy(draft: Draft, spec: BySpec, parts: ByParts): CheckedBy | null {
  const { rule, target, spot } = parts;
  const map = typeof spec === 'string' || Array.isArray(spec) ? null : spec;
  if (map !== null) checkNames(draft, Object.keys(map), parts);
  const names = (event: EventInfo): string[] | null => {
    if (map === null) return checkColumns(draft, spec as string | string[], { event, spot });
    const entry = entryOf(map, event);
    if (entry !== null) return checkColumns(draft, map[entry] ?? [], { event, spot: spot.in(entry) });
    draft.problems.error(spot.place, `"by" does not say the columns of event "${event.name}"`);
    return null;
  };
  const [own, theirs] = [names(rule), names(target)];
  if (own === null || theirs === null) return null;
  if (own.length !== theirs.length) {
    draft.problems.error(
      spot.place,
      `"by" pairs ${own.length} columns of ${rule.name} with ${theirs.length} of ${target.name}`,
    );
    return null;
  }
  return sorted(own, theirs);
}

/** An event is named by itself, or by its table's event. */
function entryOf(map: Readonly<Record<string, unknown>>, event: EventInfo): string | null {
  return [event.name, event.table.event].find((name) => Object.hasOwn(map, name)) ?? null;
}

function checkNames(draft: Draft, names: readonly string[], { rule, target, spot }: ByParts): void {
  const known = [rule.name, rule.table.event, target.name, target.table.event];
  for (const name of names.filter((one) => !known.includes(one))) {
    const message = `"by" names event "${name}", and this window is of ${[...new Set([rule.name, target.name])].join(' and ')}`;
    draft.problems.error(spot.in(name).key, message, didYouMean(nearest(name, known)));
  }
}

/** One or several columns of an event, each known; null: told. */
export function checkColumns(
  draft: Draft,
  spec: string | readonly string[],
  { event, spot }: { readonly event: EventInfo; readonly spot: Spot },
): string[] | null {
  const names = typeof spec === 'string' ? [spec] : spec;
  let ok = true;
  names.forEach((name, index) => {
    const at = typeof spec === 'string' ? spot : spot.in(index);
    if (draft.column(event.table, name, at) === null) ok = false;
    else if (names.indexOf(name) !== index) {
      draft.problems.error(at.place, `column "${name}" is here twice`);
      ok = false;
    }
  });
  return ok ? [...names] : null;
}

export function planBy(draft: Draft, event: EventInfo, names: readonly string[]): By {
  return { names, columns: draft.indexes(event.table, names) };
}

/** Sorted, so that windows that differ only in the order of their columns are equal. */
function sorted(rule: readonly string[], target: readonly string[]): CheckedBy {
  const pairs = rule.map((name, index) => [name, target[index] ?? name] as const);
  pairs.sort((a, b) => (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0));
  return { rule: pairs.map(([name]) => name), target: pairs.map(([, name]) => name) };
}
