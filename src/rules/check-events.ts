import type { Catalog } from './catalog.ts';
import { checkTable, type TableInfo } from './check-tables.ts';
import { nearest } from './nearest.ts';
import { didYouMean, type Place, type Problems } from './problem.ts';
import type { Part, RuleSet } from './rule-set.ts';
import type { EventSpec } from './schema.ts';
import type { Spot } from './yaml-document.ts';

/** A name that rows bear: a table's event, or a view of one. */
export interface EventInfo {
  readonly name: string;
  readonly table: TableInfo;
  /** The conditions that make it, its own last; empty for a table's event. */
  readonly chain: readonly Part<EventSpec>[];
}

/** What the names of a rule set stand for. */
export interface World {
  readonly tables: readonly TableInfo[];
  readonly events: ReadonlyMap<string, EventInfo>;
  readonly lists: ReadonlyMap<string, ReadonlySet<string>>;
  /** Events that exist and could not be understood: rules over them are not checked further. */
  readonly broken: ReadonlySet<string>;
  /** A file could not be read at all, so a missing name may be in it. */
  readonly incomplete: boolean;
  /** Names of webhooks in weir.yaml; null: not known here. */
  readonly webhooks: readonly string[] | null;
}

export interface CheckOptions {
  /** Names of webhooks in weir.yaml; absent: not known here, and not checked. */
  readonly webhooks?: readonly string[];
  /** The files come from the store. */
  readonly stored?: true;
}

export function checkEvents(
  set: RuleSet,
  catalog: Catalog | null,
  { problems, options }: { readonly problems: Problems; readonly options: CheckOptions },
): World {
  const events = new Map<string, EventInfo>();
  const broken = new Set(set.brokenEvents);
  const tables: TableInfo[] = [];
  for (const part of set.events.values()) {
    if (part.spec.table === undefined) continue;
    checkTableKeys(part, problems);
    const table = checkTable(part, catalog, problems);
    if (table === null || captured(tables, table, problems)) broken.add(part.name);
    else {
      tables.push(table);
      events.set(part.name, { name: part.name, table, chain: [] });
    }
  }
  const views = [...set.events.values()].filter((part) => part.spec.table === undefined);
  const names = { set, events, broken, problems };
  for (const part of views) checkView(part, names);
  const lists = new Map(
    [...set.lists.values()].map(({ name, spec, spot }) => [name, listValues(spec.values, spot.in('values'))]),
  );
  return { tables, events, lists, broken, incomplete: set.incomplete, webhooks: options.webhooks ?? null };
}

function checkTableKeys(part: Part<EventSpec>, problems: Problems): void {
  if (part.spec.from !== undefined) {
    problems.error(part.spot.in('from').key, 'an event has "table" or "from", not both');
  }
  if (part.spec.when !== undefined) {
    const hint = `make a view of it: ${part.name}_view: { from: ${part.name}, when: … }`;
    problems.error(
      part.spot.in('when').key,
      `event "${part.name}" is every row of its table: "when" is for views`,
      hint,
    );
  }
}

function captured(tables: readonly TableInfo[], table: TableInfo, problems: Problems): boolean {
  const other = tables.find(({ schema, name }) => schema === table.schema && name === table.name);
  if (other === undefined) return false;
  const hint = `write from: ${other.event}`;
  const message = `table "${table.schema}.${table.name}" has an event already, "${other.event}": a second name for its rows is a view`;
  problems.error(table.part.spot.in('table').place, message, hint);
  return true;
}

interface Names {
  readonly set: RuleSet;
  readonly events: Map<string, EventInfo>;
  readonly broken: Set<string>;
  readonly problems: Problems;
}

const VIEW_KEYS = ['from', 'when', 'description'];

function checkView(part: Part<EventSpec>, names: Names): void {
  const { spec, spot } = part;
  // Its table or its parent is mistaken, which is told.
  const mistaken = spot.keys.includes('table') || (spot.keys.includes('from') && spec.from === undefined);
  if (mistaken) {
    names.broken.add(part.name);
    return;
  }
  if (spec.from === undefined) {
    names.problems.error(spot.key, `event "${part.name}" needs "table", or "from"`);
    names.broken.add(part.name);
    return;
  }
  for (const key of Object.keys(spec).filter((name) => !VIEW_KEYS.includes(name))) {
    names.problems.error(
      spot.in(key).key,
      `"${key}" belongs to the table's event: a view takes it from there`,
    );
  }
  if (resolve(part, [], names) === null) names.broken.add(part.name);
}

/** Follows `from` to the table's event. Each mistake on the way is told once, at the view that makes it. */
function resolve(part: Part<EventSpec>, seen: readonly string[], names: Names): EventInfo | null {
  const known = names.events.get(part.name);
  if (known !== undefined) return known;
  const path = [...seen, part.name];
  const from = part.spec.from ?? '';
  const at = part.spot.in('from').place;
  if (path.includes(from)) {
    if (from === path[0] && path.every((name) => name >= from))
      names.problems.error(at, `views go in a circle: ${[...path, from].join(' from ')}`);
    return null;
  }
  const source = names.set.events.get(from);
  if (source === undefined) {
    if (seen.length === 0) unknownEvent(from, at, { ...names, incomplete: names.set.incomplete });
    return null;
  }
  const parent = source.spec.from === undefined ? names.events.get(from) : resolve(source, path, names);
  if (parent === undefined || parent === null) return null;
  const event = { name: part.name, table: parent.table, chain: [...parent.chain, part] };
  names.events.set(part.name, event);
  return event;
}

interface Known {
  readonly events: ReadonlyMap<string, unknown>;
  readonly broken: ReadonlySet<string>;
  readonly incomplete: boolean;
  readonly problems: Problems;
}

export function unknownEvent(name: string, at: Place, known: Known): void {
  if (known.broken.has(name) || known.incomplete) return;
  const near = nearest(name, [...known.events.keys(), ...known.broken]);
  known.problems.error(at, `there is no event "${name}"`, didYouMean(near));
}

/** As written: `007` is not `7`. */
export function listValues(values: readonly unknown[], spot: Spot): ReadonlySet<string> {
  return new Set(values.map((value, index) => spot.in(index).written ?? String(value)));
}
