import type { AggregationInput, AggregationPlan, MeasuredColumn, MeasurePlan } from './aggregation-plan.ts';
import type { KnownColumn } from './check-columns.ts';
import { type EventInfo, unknownEvent } from './check-events.ts';
import type { TableInfo } from './check-tables.ts';
import type { Draft } from './draft.ts';
import { parseDuration } from './duration.ts';
import { nearest } from './nearest.ts';
import { didYouMean } from './problem.ts';
import type { Part } from './rule-set.ts';
import { type AggregationSpec, MEASURES, type MeasureSpec } from './schema-realtime.ts';
import { typeName } from './value-type.ts';
import type { Spot } from './yaml-document.ts';

/** In `by`: the event's name. */
const EVENT = 'event';

/** An aggregate, checked and planned; null: it has mistakes (told), or its event has. */
export function checkAggregation(draft: Draft, part: Part<AggregationSpec>): AggregationPlan | null {
  const { spec } = part;
  const events = eventsOf(draft, part);
  if (events.length === 0) return null;
  const by = typeof spec.by === 'string' ? [spec.by] : (spec.by ?? []);
  by.forEach((name, index) => {
    if (name !== EVENT) known(draft, { events, name, spot: atBy(part, index) });
  });
  const measured = checkMeasures(draft, part, events);
  if (measured === null) return null;
  const { measures, values } = measured;
  const inputs = events.map((event) => planInput(draft, event, { by, values }));
  return {
    id: spec.id,
    event: spec.event,
    by,
    every: parseDuration(spec.every) ?? 0,
    keep: spec.keep === undefined ? null : parseDuration(spec.keep),
    measures,
    values,
    inputs,
  };
}

/** `*`: of every captured table its own event. */
function eventsOf(draft: Draft, { spec, spot }: Part<AggregationSpec>): readonly EventInfo[] {
  const { world, problems } = draft;
  if (spec.event === '*') {
    const own = [...world.events.values()].filter(({ chain }) => chain.length === 0);
    if (own.length === 0) problems.error(spot.in('event').place, 'there are no events to aggregate');
    return own;
  }
  const event = world.events.get(spec.event);
  if (event !== undefined) return [event];
  unknownEvent(spec.event, spot.in('event').place, { ...world, problems });
  return [];
}

function atBy({ spec, spot }: Part<AggregationSpec>, index: number): Spot {
  return typeof spec.by === 'string' ? spot.in('by') : spot.in('by', index);
}

interface Wanted {
  readonly events: readonly EventInfo[];
  readonly name: string;
  readonly spot: Spot;
}

/** The column in the tables that have it; one of them has to. */
function known(draft: Draft, { events, name, spot }: Wanted): readonly [TableInfo, KnownColumn][] {
  const found = events.flatMap(({ table }): [TableInfo, KnownColumn][] => {
    const column = table.columns.get(name);
    return column === undefined ? [] : [[table, column]];
  });
  if (found.length > 0) {
    for (const [table] of found) draft.use(table, name, spot);
    return found;
  }
  const all = new Set(events.flatMap(({ table }) => [...table.columns.keys()]));
  const where =
    events.length === 1 ? `table "${events[0]?.table.schema}.${events[0]?.table.name}" has` : 'no table has';
  const message = events.length === 1 ? `${where} no column "${name}"` : `${where} a column "${name}"`;
  draft.problems.error(spot.place, message, didYouMean(nearest(name, [...all, EVENT])));
  return [];
}

interface Measured {
  readonly measures: readonly MeasurePlan[];
  readonly values: readonly MeasuredColumn[];
}

function checkMeasures(
  draft: Draft,
  { spec, spot }: Part<AggregationSpec>,
  events: readonly EventInfo[],
): Measured | null {
  const values: MeasuredColumn[] = [];
  const measures: MeasurePlan[] = [];
  for (const [name, measure] of Object.entries(spec.measures)) {
    const at = spot.in('measures', name);
    if (typeof measure === 'string') {
      measures.push({ kind: measure, name });
      continue;
    }
    const kind = kindOf(draft, name, { measure, spot: at });
    if (kind === null) continue;
    const column = measuredColumn(draft, kind, {
      events,
      name: String(measure[kind]),
      spot: at.in(kind),
    });
    if (column === null) continue;
    let value = values.findIndex((one) => one.name === column.name);
    if (value < 0) value = values.push(column) - 1;
    measures.push({ kind, name, value });
  }
  return measures.length === Object.keys(spec.measures).length ? { measures, values } : null;
}

type ColumnMeasure = (typeof MEASURES)[number];

function kindOf(
  draft: Draft,
  name: string,
  { measure, spot }: { readonly measure: Exclude<MeasureSpec, string>; readonly spot: Spot },
): ColumnMeasure | null {
  const [kind, other] = MEASURES.filter((one) => measure[one] !== undefined);
  if (kind !== undefined && other === undefined) return kind;
  const hint = other === undefined ? `it is one of ${MEASURES.join(', ')}` : 'make two measures';
  const what = other === undefined ? 'no function' : `two functions, ${kind} and ${other}`;
  draft.problems.error(spot.key, `measure "${name}" has ${what}`, hint);
  return null;
}

function measuredColumn(draft: Draft, kind: ColumnMeasure, wanted: Wanted): MeasuredColumn | null {
  const found = known(draft, wanted);
  const [first] = found;
  if (first === undefined) return null;
  const { type } = first[1];
  for (const [table, column] of found) {
    const fits =
      column.type === 'double' || (column.type === 'timestamp' && kind !== 'sum' && kind !== 'avg');
    const needs = kind === 'sum' || kind === 'avg' ? 'a number' : 'a number or a timestamp';
    const is = `${column.name} of ${table.schema}.${table.name} is ${column.pgType} (${typeName(column.type)})`;
    if (fits && column.type === type) continue;
    const message = fits ? `${is}, and not in every table` : `${kind} needs ${needs}, and ${is}`;
    draft.problems.error(wanted.spot.place, message);
    return null;
  }
  return { name: wanted.name, type };
}

function planInput(
  draft: Draft,
  event: EventInfo,
  { by, values }: { by: readonly string[]; values: readonly MeasuredColumn[] },
): AggregationInput {
  const { table } = event;
  const columns = draft.columns(table);
  const indexOf = (name: string): number | null => {
    const index = columns.findIndex((column) => column.name === name);
    return index < 0 ? null : index;
  };
  return {
    table: draft.world.tables.indexOf(table),
    eventIndex: draft.eventIndex(event),
    event: event.name,
    by: by.map((name) => (name === EVENT ? EVENT : indexOf(name))),
    values: values.map(({ name }) => {
      const column = indexOf(name);
      return column === null ? null : { column, pgType: columns[column]?.pgType ?? 'text' };
    }),
  };
}
