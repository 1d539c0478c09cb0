import type { Op } from '../events/row.ts';
import { SECOND } from '../events/row.ts';
import type { Catalog, CatalogTable } from './catalog.ts';
import { type KnownColumn, knownColumns } from './check-columns.ts';
import { parseDuration } from './duration.ts';
import { nearest } from './nearest.ts';
import { didYouMean, type Place, type Problem, type Problems } from './problem.ts';
import type { Part } from './rule-set.ts';
import type { EventSpec } from './schema.ts';
import { valueTypeOf } from './value-type.ts';
import type { Spot } from './yaml-document.ts';

/** A captured table as far as it is known: all of its columns, from the catalog or from `columns:`. */
export interface TableInfo {
  readonly part: Part<EventSpec>;
  readonly event: string;
  readonly schema: string;
  readonly name: string;
  readonly columns: ReadonlyMap<string, KnownColumn>;
  readonly ops: readonly Op[];
  readonly time: string | null;
  readonly lateness: number;
  readonly ahead: number;
  readonly idle: number;
  readonly id: readonly string[];
  readonly primaryKey: readonly string[];
  readonly catalog: CatalogTable | null;
}

const MINUTE = 60 * SECOND;

/** Looks a table up and checks all that an event says of it; null when there is too little to go on with. */
export function checkTable(
  part: Part<EventSpec>,
  catalog: Catalog | null,
  problems: Problems,
): TableInfo | null {
  const { spec, spot } = part;
  const [schema, name] = tableName(spec.table ?? '');
  const at = spot.in('table').place;
  if (schema === 'weir') {
    problems.error(
      at,
      `table "${schema}.${name}" is Weir's own: capturing it would feed Weir its own writes`,
    );
    return null;
  }
  const table = catalog?.tables.get(`${schema}.${name}`) ?? null;
  if (catalog !== null && table === null) {
    const near = nearest(`${schema}.${name}`, catalog.tables.keys());
    problems.error(at, `table "${schema}.${name}" does not exist`, didYouMean(near));
    return null;
  }
  const columns = knownColumns(part, table, problems);
  if (columns === null) return null;
  const ops = spec.ops === undefined ? ['insert' as const] : [...new Set(spec.ops)];
  const info = {
    part,
    event: part.name,
    schema,
    name,
    columns,
    ops,
    catalog: table,
    ...times(part, problems),
  };
  checkTime(info, problems);
  checkIdentity(info, problems);
  const primaryKey = table === null ? offlineKey(info, problems) : table.primaryKey;
  return { ...info, primaryKey, id: idColumns(info, primaryKey, problems) };
}

/** `transactions` is `public.transactions`. */
function tableName(text: string): [schema: string, name: string] {
  const dot = text.indexOf('.');
  return dot < 0 ? ['public', text] : [text.slice(0, dot), text.slice(dot + 1)];
}

function times({ spec, spot }: Part<EventSpec>, problems: Problems) {
  if (spec.time !== undefined && spec.lateness === undefined) {
    const why = 'without "lateness", a row whose time is behind the latest one seen is late';
    problems.warning(
      spot.in('time').key,
      why,
      'write how far rows may lag, as in lateness: 5s; or leave "time" out',
    );
  }
  if (spec.time === undefined && spec.lateness !== undefined) {
    problems.warning(
      spot.in('lateness').key,
      '"lateness" does nothing without "time": commit times are in order',
    );
  }
  return {
    time: spec.time ?? null,
    lateness: spec.time === undefined ? 0 : micros(spec.lateness, 0),
    ahead: micros(spec.ahead, MINUTE),
    idle: micros(spec.idle, 30 * SECOND),
  };
}

function micros(text: string | undefined, standard: number): number {
  return text === undefined ? standard : (parseDuration(text) ?? standard);
}

type Unkeyed = Omit<TableInfo, 'primaryKey' | 'id'>;

function checkTime(table: Unkeyed, problems: Problems): void {
  if (table.time === null) return;
  const column = knownColumn(table, table.time, table.part.spot.in('time'), problems);
  if (column === null) return;
  const { place } = table.part.spot.in('time');
  if (valueTypeOf(column.pgType) !== 'timestamp')
    problems.error(place, `"time" must be a timestamp, and ${table.time} is ${column.pgType}`);
  else if (column.pgType === 'timestamp')
    problems.warning(
      place,
      `"${table.time}" ${ZONELESS}`,
      'make it timestamptz, or make sure that the host writes UTC',
    );
}

const ZONELESS = 'is a timestamp without time zone: it is read as UTC';

/** The warning that weir doctor gives in its own way: it knows the server. */
export function tellsZoneless({ message }: Problem): boolean {
  return message.endsWith(ZONELESS);
}

function knownColumn(table: Unkeyed, name: string, spot: Spot, problems: Problems): KnownColumn | null {
  const column = table.columns.get(name);
  if (column !== undefined) {
    checkSent(table, name, { place: spot.place, problems });
    return column;
  }
  unknownColumn(table, name, { place: spot.place, problems });
  return null;
}

type Columned = Pick<TableInfo, 'schema' | 'name' | 'columns'>;
interface At {
  readonly place: Place;
  readonly problems: Problems;
}

/** A known column may be one that PostgreSQL does not send. */
export function checkSent(table: Columned, name: string, at: At): void {
  if (table.columns.get(name)?.generated !== true) return;
  const message = `column "${name}" of "${table.schema}.${table.name}" is generated: PostgreSQL sends it from 18 on, if it is stored`;
  at.problems.warning(at.place, message, 'use the columns that it is made from');
}

export function unknownColumn(table: Columned, name: string, at: At): void {
  const near = nearest(name, table.columns.keys());
  at.problems.error(
    at.place,
    `table "${table.schema}.${table.name}" has no column "${name}"`,
    didYouMean(near),
  );
}

/** PostgreSQL refuses UPDATE and DELETE on a published table that has no replica identity: the host's own would fail. */
function checkIdentity(table: Unkeyed, problems: Problems): void {
  const { catalog } = table;
  if (catalog === null || !(table.ops.includes('update') || table.ops.includes('delete'))) return;
  if (catalog.replicaIdentity === 'full' || catalog.identityColumns.length > 0) return;
  const full = `"${table.schema}.${table.name}"`;
  problems.error(
    table.part.spot.in('ops').place,
    `table ${full} has no replica identity (${catalog.replicaIdentity}): once its updates are published, its own UPDATE and DELETE fail`,
    catalog.primaryKey.length === 0
      ? 'give it a primary key, or capture inserts only'
      : `ALTER TABLE ${table.schema}.${table.name} REPLICA IDENTITY DEFAULT, or capture inserts only`,
  );
}

/** Where no catalog is at hand, the primary key is taken to be `id:`, else a column `id`. */
function offlineKey(table: Unkeyed, problems: Problems): readonly string[] {
  const { id } = table.part.spec;
  if (id === undefined) return table.columns.has('id') ? ['id'] : [];
  return idColumns(table, [], problems);
}

function idColumns(table: Unkeyed, primaryKey: readonly string[], problems: Problems): readonly string[] {
  const { id } = table.part.spec;
  if (id === undefined) return primaryKey;
  const spot = table.part.spot.in('id');
  const names = typeof id === 'string' ? [id] : id;
  return names.filter((name, index) => {
    return knownColumn(table, name, typeof id === 'string' ? spot : spot.in(index), problems) !== null;
  });
}
