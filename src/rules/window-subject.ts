import { type EventInfo, unknownEvent } from './check-events.ts';
import type { Draft } from './draft.ts';
import type { ColumnPlan, WindowFunction } from './plan.ts';
import type { ValueType } from './plan-parts.ts';
import type { WindowSpec } from './schema-windows.ts';
import { sameType, typeName } from './value-type.ts';
import type { Spot } from './yaml-document.ts';

/** What a window's function is of: the event whose rows it holds, and the columns whose values it takes. */
export interface Subject {
  readonly event: EventInfo;
  readonly columns: readonly SubjectColumn[];
  readonly percent: number | null;
}

export interface SubjectColumn {
  readonly name: string;
  readonly spot: Spot;
}

interface SubjectParts {
  readonly spec: WindowSpec;
  readonly spot: Spot;
  /** The event of the rule. */
  readonly event: EventInfo;
}

/** `count: EVENT`; `sum: column` of the rule's event; `sum: EVENT.column`. null: told. */
export function subjectOf(draft: Draft, parts: SubjectParts, fn: WindowFunction): Subject | null {
  const { spec, spot, event } = parts;
  const at = spot.in(fn);
  switch (fn) {
    case 'count':
      return counted(draft, String(spec.count), at);
    case 'percentile':
      return ofColumns(draft, event, [{ text: spec.percentile?.[0] ?? '', spot: at.in(0) }], {
        percent: spec.percentile?.[1] ?? null,
      });
    case 'speed_kmh': {
      const texts = (spec.speed_kmh ?? []).map((text, i) => ({ text, spot: at.in(i) }));
      return ofColumns(draft, event, texts, { percent: null });
    }
    default:
      return ofColumns(draft, event, [{ text: String(spec[fn]), spot: at }], { percent: null });
  }
}

function counted(draft: Draft, name: string, spot: Spot): Subject | null {
  const { world, problems } = draft;
  const event = world.events.get(name);
  if (event !== undefined) return { event, columns: [], percent: null };
  unknownEvent(name, spot.place, { ...world, problems });
  return null;
}

interface Written {
  readonly text: string;
  readonly spot: Spot;
}

function ofColumns(
  draft: Draft,
  event: EventInfo,
  texts: readonly Written[],
  { percent }: Pick<Subject, 'percent'>,
): Subject | null {
  const found = texts.map((written) => ofColumn(draft, event, written));
  const [first] = found;
  if (first === null || first === undefined) return null;
  const columns: SubjectColumn[] = [];
  for (const one of found) {
    if (one === null) return null;
    if (one.event !== first.event) {
      const names = `${first.event.name} and ${one.event.name}`;
      draft.problems.error(one.column.spot.place, `a window is of one event, and these are of ${names}`);
      return null;
    }
    columns.push(one.column);
  }
  return { event: first.event, columns, percent };
}

function ofColumn(
  draft: Draft,
  event: EventInfo,
  { text, spot }: Written,
): { readonly event: EventInfo; readonly column: SubjectColumn } | null {
  const { world, problems } = draft;
  if (event.table.columns.has(text)) return { event, column: { name: text, spot } };
  const dot = text.indexOf('.');
  const owner = dot < 0 ? event : world.events.get(text.slice(0, dot));
  if (owner === undefined) {
    unknownEvent(text.slice(0, dot), spot.place, { ...world, problems });
    return null;
  }
  const name = text.slice(dot + 1);
  return draft.column(owner.table, name, spot) === null ? null : { event: owner, column: { name, spot } };
}

/** What the window's value is; null: it cannot be, which is told. */
export function resultType(draft: Draft, fn: WindowFunction, { event, columns }: Subject): ValueType | null {
  const refuse = (needs: string, index = 0): null => {
    const column = columns[index];
    const known = event.table.columns.get(column?.name ?? '');
    const is = `${column?.name} is ${known?.pgType} (${typeName(known?.type ?? 'string')})`;
    if (column !== undefined) draft.problems.error(column.spot.place, `${fn} needs ${needs}, and ${is}`);
    return null;
  };
  const types = columns.map(({ name }) => event.table.columns.get(name)?.type ?? 'string');
  const type = types[0] ?? 'double';
  switch (fn) {
    case 'count':
    case 'distinct':
      return 'double';
    case 'sum':
    case 'avg':
    case 'stddev':
    case 'percentile':
      return type === 'double' ? type : refuse('a number');
    case 'min':
    case 'max':
      return type === 'double' || type === 'timestamp' ? type : refuse('a number or a timestamp');
    case 'first':
    case 'last':
    case 'previous':
      return type;
    case 'list':
      return typeof type === 'string' ? { list: type } : refuse('one value a row');
    case 'first_seen':
      return 'bool';
    case 'speed_kmh': {
      const wrong = types.findIndex((one) => one !== 'double');
      return wrong < 0 ? 'double' : refuse('degrees as numbers', wrong);
    }
  }
}

/**
 * Of functions that compare the row itself with its window: the columns of the rule's own table that say what the row
 * shows. null: it has none of that name and type, which is told.
 */
export function ownColumns(
  draft: Draft,
  rule: EventInfo,
  { fn, event, columns }: Subject & { readonly fn: WindowFunction },
): readonly string[] | null {
  if (fn !== 'first_seen' && fn !== 'speed_kmh') return [];
  for (const { name, spot } of columns) {
    const [own, theirs] = [rule.table.columns.get(name), event.table.columns.get(name)];
    if (own !== undefined && theirs !== undefined && comparable(own, theirs)) {
      draft.use(rule.table, name, spot);
      continue;
    }
    const has = own === undefined ? 'has no such column' : `has it as ${own.pgType}, not ${theirs?.pgType}`;
    const compares = `${fn} compares the row itself with ${event.name}.${name}`;
    draft.problems.error(spot.place, `${compares}, and event "${rule.name}" ${has}`);
    return null;
  }
  return columns.map(({ name }) => name);
}

/** Whether equal values of both have equal texts. */
function comparable(a: ColumnPlan, b: ColumnPlan): boolean {
  if (a.pgType === b.pgType) return true;
  const plain =
    a.type === 'double' || (a.type === 'string' && a.pgType !== 'bpchar' && b.pgType !== 'bpchar');
  return plain && sameType(a.type, b.type);
}
