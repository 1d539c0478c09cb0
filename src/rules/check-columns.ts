import type { CatalogTable } from './catalog.ts';
import { levenshtein, nearest } from './nearest.ts';
import type { ColumnPlan } from './plan.ts';
import { didYouMean, type Problems } from './problem.ts';
import type { Part } from './rule-set.ts';
import type { EventSpec } from './schema.ts';
import { sameType, typeName, valueTypeOf } from './value-type.ts';

export interface KnownColumn extends ColumnPlan {
  readonly generated: boolean;
}

/** All columns of a table: the catalog's, else those of `columns:`. null: neither is there, which is told. */
export function knownColumns(
  part: Part<EventSpec>,
  table: CatalogTable | null,
  problems: Problems,
): ReadonlyMap<string, KnownColumn> | null {
  const declared = declaredColumns(part);
  warnOfPii(part, problems);
  if (table !== null) {
    const known = table.columns.map(({ name, pgType, generated }) => ({ name, pgType, generated }));
    compare(part, { declared, table }, problems);
    return byName(known);
  }
  if (declared.size === 0) {
    // Columns that are there and mistaken are told already.
    const { spec, spot } = part;
    const there =
      spec.columns === undefined ? spot.keys.includes('columns') : spot.in('columns').keys.length > 0;
    if (there) return null;
    problems.error(
      part.spot.key,
      `event "${part.name}" does not say its columns, and no database is at hand to ask`,
      'write columns: { id: int8, … } with the type of every column that rules use, or set DATABASE_URL, which replay and --offline do not read',
    );
    return null;
  }
  for (const [name, { pgType }] of declared) checkTypeName(part, name, pgType, problems);
  const { time } = part.spec;
  // Replayed events have a time whether or not it is declared.
  if (time !== undefined && !declared.has(time)) declared.set(time, { pgType: 'timestamptz' });
  return byName([...declared].map(([name, { pgType }]) => ({ name, pgType, generated: false })));
}

type Declared = Map<string, { readonly pgType: string }>;

function declaredColumns({ spec }: Part<EventSpec>): Declared {
  return new Map(
    Object.entries(spec.columns ?? {}).map(([name, type]) => [
      name,
      { pgType: normal(typeof type === 'string' ? type : type.type) },
    ]),
  );
}

function byName(
  columns: readonly { readonly name: string; readonly pgType: string; readonly generated: boolean }[],
): ReadonlyMap<string, KnownColumn> {
  return new Map(columns.map((column) => [column.name, { ...column, type: valueTypeOf(column.pgType) }]));
}

/** Said, so that nobody takes a column for hidden that is not. */
function warnOfPii({ spec, spot }: Part<EventSpec>, problems: Problems): void {
  for (const [name, type] of Object.entries(spec.columns ?? {})) {
    if (typeof type === 'string' || type.pii === undefined) continue;
    const message = `this version does not ${type.pii} columns yet: alerts show ${name} as it is`;
    problems.warning(spot.in('columns', name, 'pii').key, message);
  }
}

function compare(
  part: Part<EventSpec>,
  { declared, table }: { readonly declared: Declared; readonly table: CatalogTable },
  problems: Problems,
): void {
  const real = new Map(table.columns.map((column) => [column.name, column.pgType]));
  for (const [name, { pgType }] of declared) {
    const actual = real.get(name);
    const spot = part.spot.in('columns', name);
    const full = `"${table.schema}.${table.name}"`;
    if (actual === undefined) {
      problems.error(
        spot.key,
        `table ${full} has no column "${name}"`,
        didYouMean(nearest(name, real.keys())),
      );
    } else if (!sameType(valueTypeOf(pgType), valueTypeOf(actual))) {
      const conditions = `${typeName(valueTypeOf(actual))} in conditions, not ${typeName(valueTypeOf(pgType))}`;
      problems.error(
        spot.place,
        `column "${name}" of ${full} is ${actual} (${conditions})`,
        `write: ${name}: ${actual}`,
      );
    } else if (pgType !== actual && pgType !== 'double' && actual !== 'enum') {
      problems.warning(
        spot.place,
        `column "${name}" of ${full} is ${actual}, not ${pgType}`,
        `write: ${name}: ${actual}`,
      );
    }
  }
}

const ALIASES: Readonly<Record<string, string>> = {
  smallint: 'int2',
  int: 'int4',
  integer: 'int4',
  bigint: 'int8',
  serial: 'int4',
  bigserial: 'int8',
  decimal: 'numeric',
  real: 'float4',
  float: 'float8',
  'double precision': 'float8',
  boolean: 'bool',
  'character varying': 'varchar',
  character: 'bpchar',
  char: 'bpchar',
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
  'time without time zone': 'time',
  'time with time zone': 'timetz',
};

/** The catalog's name of a type: `bigint` is `int8`, `numeric(12,2)` is `numeric`. */
function normal(type: string): string {
  const bare = type
    .replace(/\([^)]*\)/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
  const array = bare.endsWith('[]');
  const element = array ? bare.slice(0, -2) : bare;
  return (ALIASES[element] ?? element) + (array ? '[]' : '');
}

const TYPES = [
  ...[
    'int2',
    'int4',
    'int8',
    'numeric',
    'float4',
    'float8',
    'double',
    'money',
    'oid',
    'bool',
    'text',
    'varchar',
  ],
  ...[
    'bpchar',
    'name',
    'uuid',
    'json',
    'jsonb',
    'xml',
    'bytea',
    'inet',
    'cidr',
    'macaddr',
    'date',
    'time',
    'timetz',
  ],
  ...[
    'timestamp',
    'timestamptz',
    'interval',
    'point',
    'bit',
    'varbit',
    'tsvector',
    'citext',
    'enum',
    'hstore',
  ],
];

/** An enum or a domain may have any name; one that is nearly a type's is a slip, and would be text. */
function checkTypeName(part: Part<EventSpec>, column: string, pgType: string, problems: Problems): void {
  const element = pgType.replace(/\[\]$/, '');
  if (TYPES.includes(element) || element.length < 4) return;
  const near = nearest(element, TYPES);
  if (near === null || levenshtein(near, element) > (element.length < 8 ? 1 : 2)) return;
  const place = part.spot.in('columns', column).place;
  problems.warning(
    place,
    `type "${pgType}" is not one of PostgreSQL's: its values are text here`,
    didYouMean(near),
  );
}
