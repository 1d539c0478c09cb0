import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileCel } from '../../../src/rules/cel/compile.ts';
import { scopeOf } from '../../../src/rules/cel/scope.ts';
import { translate } from '../../../src/rules/guard-sql/translate.ts';
import type { Frame } from '../../../src/rules/plan-parts.ts';
import { valueTypeOf } from '../../../src/rules/value-type.ts';
import { migrate } from '../../../src/store/migrate.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';

/** Every kind of column that a guard rule can look at; `mood` is an enum, `email` a domain. */
const COLUMNS: readonly (readonly [name: string, pgType: string, declared?: string])[] = [
  ['a', 'float8'],
  ['b', 'numeric'],
  ['f', 'float4'],
  ['i', 'int8'],
  ['j', 'int4'],
  ['cash', 'money'],
  ['s', 'text'],
  ['Odd "name"', 'text', 'text collate "en-x-icu"'],
  ['c', 'bpchar', 'char(4)'],
  ['m', 'enum', 'mood'],
  ['e', 'text', 'email'],
  ['u', 'uuid'],
  ['p', 'bool'],
  ['q', 'bool'],
  ['at1', 'timestamptz'],
  ['at2', 'timestamp'],
  ['day', 'date'],
  ['span', 'interval'],
  ['ip', 'inet'],
  ['tags', 'text[]'],
  ['ids', 'int8[]'],
];
const columns = COLUMNS.map(([name, pgType]) => ({ name, pgType, type: valueTypeOf(pgType) }));
const LISTS = new Map([
  ['stored', new Set(['a', '7', 'seed only'])],
  ['seeded', new Set(['b', 'ab', '12', '-3', 't', 'happy'])],
]);
const SCOPE = scopeOf({ columns, old: false, lets: [], lists: LISTS });

const double = fc.oneof(
  fc.integer({ min: -20, max: 20 }).map(String),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
  fc.constantFrom('NaN', 'Infinity', '-Infinity', '-0', '0.5', '-1.5', '1e308', '-1e308', '5e-324', '1e-200'),
);
const numeric = fc.oneof(
  fc.integer({ min: -20, max: 20 }).map(String),
  fc.constantFrom(
    '12000.50',
    '0.1',
    '1e400',
    '-1e400',
    '1e-400',
    'NaN',
    'Infinity',
    '2.5',
    '9007199254740993',
  ),
);
const int8 = fc.oneof(
  fc.integer({ min: -20, max: 20 }).map(String),
  fc.constantFrom('9007199254740993', '9007199254740992', '-9223372036854775808', '7', '42'),
);
const text = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'b', 'A', ' ', ',', '%', '_', '\\', 'é', '😀', '\uFFFD'),
    maxLength: 5,
  }),
  fc.constantFrom('a', 'b', 'ab', 'happy'),
);
const instant = fc.oneof(
  fc.integer({ min: -4_000_000_000, max: 4_000_000_000 }).map((s) => new Date(s * 1000 + 123).toISOString()),
  fc.constantFrom('infinity', '-infinity', '2026-03-29 00:59:59.999999+00', '0044-03-15 12:00:00+00 BC'),
);
const VALUES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  a: double,
  b: numeric,
  f: fc.constantFrom('0.1', '16777217', 'NaN', '-1.5', '3'),
  i: int8,
  j: fc.integer({ min: -20, max: 20 }).map(String),
  cash: fc.constantFrom('12.34', '-1234.56', '0'),
  s: text,
  'Odd "name"': text,
  c: fc.constantFrom('a', 'ab', 'a b', 'DE'),
  m: fc.constantFrom('happy', 'sad'),
  e: fc.constantFrom('a@b', 'b'),
  u: fc.uuid(),
  p: fc.constantFrom('t', 'f'),
  q: fc.constantFrom('t', 'f'),
  at1: instant,
  at2: instant.map((at) => at.replace(/[Z]|\+00/, '')),
  day: fc.constantFrom('2026-01-31', 'infinity', '0044-03-15 BC', '5874897-12-31'),
  span: fc.constantFrom('1 day 02:00:00', '-3 mons', '1 year -2 mons +4 days', '00:00:00.5', '90 days'),
  ip: fc.constantFrom('10.1.2.3', '10.1.2.3/24', '::ffff:10.1.2.3', '2001:db8::1', '192.168.0.1'),
  tags: fc.constantFrom('{}', '{a,b}', '{NULL,a}', '{{ab},{b}}'),
  ids: fc.constantFrom('{}', '{7,9007199254740993}', '{NULL,42}'),
};
const row = fc.tuple(...COLUMNS.map(([name]) => fc.option(VALUES[name] ?? fc.constant(''), { freq: 5 })));

const NUMBERS = ['a', 'b', 'f', 'i', 'j', 'cash', '1', '2.5', '-3', '10', '1e300', '0', '0.0/0.0'];
const TEXTS = ['s', 'row["Odd \\"name\\""]', 'c', 'm', 'e', 'u', '"a"', '"ab"', '""', '"😀"'];
const TIMES = ['at1', 'at2', 'day', 'timestamp("2026-03-29T01:00:00Z")'];
const SPANS = ['span', 'duration("36h")'];
const COMPARE = ['<', '<=', '>', '>=', '==', '!='];

/** Conditions of all that is translated. */
const { bool } = fc.letrec<Record<'num' | 'str' | 'time' | 'span' | 'bool', string>>((tie) => ({
  num: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...NUMBERS),
    fc
      .tuple(tie('num'), fc.constantFrom('+', '-', '*', '/'), tie('num'))
      .map((parts) => `(${parts.join(' ')})`),
    tie('num').map((n) => `(-${n})`),
    fc.tuple(tie('bool'), tie('num'), tie('num')).map(([c, l, r]) => `(${c} ? ${l} : ${r})`),
    fc.tuple(fc.constantFrom('abs', 'round', 'double'), tie('num')).map(([name, n]) => `${name}(${n})`),
    fc
      .tuple(fc.constantFrom('min', 'max'), fc.array(tie('num'), { minLength: 2, maxLength: 3 }))
      .map(([name, items]) => `${name}(${items.join(', ')})`),
    tie('str').map((s) => `size(${s})`),
    fc.tuple(tie('str'), tie('str')).map(([l, r]) => `${l}.indexOf(${r})`),
    fc
      .tuple(
        fc.constantFrom('at1', 'at2'),
        fc.constantFrom(
          'FullYear',
          'Month',
          'Date',
          'DayOfMonth',
          'DayOfWeek',
          'DayOfYear',
          'Hours',
          'Milliseconds',
        ),
        fc.constantFrom('', '"Europe/Berlin"', '"+05:30"', '"-03:00"'),
      )
      .map(([at, part, zone]) => `${at}.get${part}(${zone})`),
    fc.constantFrom('hour(at1, "America/New_York")', 'int(at1)', 'span.getHours()', 'span.getSeconds()'),
  ),
  str: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...TEXTS),
    fc.tuple(tie('str'), tie('str')).map(([l, r]) => `(${l} + ${r})`),
    fc
      .tuple(tie('str'), fc.constantFrom('lowerAscii', 'upperAscii', 'trim'))
      .map(([s, name]) => `${s}.${name}()`),
    tie('bool').map((b) => `string(${b})`),
    fc.constantFrom('string(i)', 'string(j)'),
    tie('str').map((s) => `${s}.replace("a", "xy")`),
  ),
  time: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...TIMES),
    fc.tuple(tie('time'), fc.constantFrom('+', '-'), tie('span')).map((parts) => `(${parts.join(' ')})`),
  ),
  span: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...SPANS),
    fc.tuple(tie('time'), tie('time')).map(([l, r]) => `(${l} - ${r})`),
  ),
  bool: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('p', 'q', 'true', 'false'),
    ...(['num', 'str', 'time', 'span'] as const).map((type) =>
      fc.tuple(tie(type), fc.constantFrom(...COMPARE), tie(type)).map((parts) => `(${parts.join(' ')})`),
    ),
    fc
      .tuple(tie('bool'), fc.constantFrom('&&', '||', '==', '!='), tie('bool'))
      .map((x) => `(${x.join(' ')})`),
    tie('bool').map((b) => `!(${b})`),
    fc.oneof(tie('num'), tie('str'), tie('bool'), tie('time')).map((x) => `is_null(${x})`),
    fc
      .tuple(tie('str'), fc.constantFrom('contains', 'startsWith', 'endsWith'), tie('str'))
      .map(([l, name, r]) => `${l}.${name}(${r})`),
    fc
      .tuple(tie('str'), fc.constantFrom('a%', '%_b', '\\\\%', 'a\\\\', '%', '', '_'))
      .map(([s, pattern]) => `like(${s}, "${pattern}")`),
    fc
      .constantFrom('10.0.0.0/8', '::ffff:10.1.0.0/112', '2001:db8::/32', '10.1.2.3')
      .map((net) => `in_cidr(ip, "${net}")`),
    fc
      .tuple(tie('num'), fc.array(tie('num'), { maxLength: 3 }))
      .map(([n, items]) => `(${n} in [${items.join(', ')}])`),
    fc
      .tuple(tie('str'), fc.array(tie('str'), { maxLength: 3 }))
      .map(([s, items]) => `(${s} in [${items.join(', ')}])`),
    fc
      .tuple(
        fc.constantFrom('s', 'c', 'm', 'i', 'j', 'b', 'p', '(s + "b")'),
        fc.constantFrom(...LISTS.keys()),
      )
      .map(([x, list]) => `(${x} in lists.${list})`),
    fc.tuple(tie('str')).map(([s]) => `(${s} in tags)`),
    fc.constantFrom('(i in ids)', '(j in ids)', '(i == j)', '(i != j)'),
  ),
}));

describe('a condition of a guard rule', () => {
  let postgres: TestPostgres;
  let client: pg.Client;
  /** What is in the lists now: `stored` differs from what the rule files have. */
  const entries = [new Set(['a', '7', '42']), LISTS.get('seeded') ?? new Set<string>()];

  beforeAll(async () => {
    postgres = await startPostgres({ version: 15 });
    client = new pg.Client(postgres.url);
    await client.connect();
    await migrate(client);
    await client.query(`set search_path = pg_catalog, pg_temp; set datestyle = 'ISO'; set timezone = 'UTC';
      create type public.mood as enum ('sad', 'happy'); create domain public.email as text;
      insert into weir.lists (name) values ('stored');
      insert into weir.list_entries (list_name, value) values ('stored', 'a'), ('stored', '7'), ('stored', '42')`);
    const declared = COLUMNS.map(([name, pgType, as]) => {
      const type = as === 'mood' || as === 'email' ? `public.${as}` : (as ?? pgType);
      return `${pg.escapeIdentifier(name)} ${type}`;
    });
    await client.query(`create table public.host (n serial, ${declared.join(', ')})`);
  });
  afterAll(async () => {
    await client?.end();
    await postgres?.close();
  });

  async function insert(rows: readonly (readonly (string | null)[])[]): Promise<void> {
    await client.query('truncate public.host restart identity');
    const list = columns.map(({ name }) => pg.escapeIdentifier(name)).join(', ');
    for (const values of rows) {
      const holes = values.map((_, index) => `$${index + 1}`).join(', ');
      await client.query(`insert into public.host (${list}) values (${holes})`, [...values]);
    }
  }

  /** The cells as Weir gets them. */
  async function cells(): Promise<(string | null)[][]> {
    const texts = columns.map(({ name }) => {
      const column = pg.escapeIdentifier(name);
      return `case when ${column} is not null then format('%s', ${column}) end`;
    });
    const { rows } = await client.query(
      `select array[${texts.join(', ')}] as cells from public.host order by n`,
    );
    return rows.map((one: { cells: (string | null)[] }) => one.cells);
  }

  function frameOf(of: readonly (string | null)[]): Frame {
    const times = { at: 0, commitAt: 0, watermark: 0, late: false };
    const place = { table: 0, op: 'insert', old: null, position: '', roles: 1 } as const;
    return { row: { ...place, ...times, cells: of }, lets: [], lists: entries };
  }

  it('is in SQL what it is in CEL, on any row, NULLs, NaN and infinities included', async () => {
    let trues = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 6, maxLength: 6 }),
        fc.array(bool, { minLength: 12, maxLength: 12 }),
        async (rows, sources) => {
          await insert(rows);
          const frames = (await cells()).map(frameOf);
          for (const source of sources) {
            const compiled = compileCel(source, SCOPE, 'bool');
            if (compiled.kind === 'error') throw new Error(`${source}: ${JSON.stringify(compiled.problems)}`);
            const reads = { columns: new Set<string>(), lists: new Set<string>(), settings: false };
            const sql = translate(source, { scope: SCOPE, lets: [], generated: new Set(), reads });
            if ('kind' in sql) throw new Error(`${source}: ${JSON.stringify(sql.problems)}`);
            const wanted = frames.map((frame) => compiled.run(frame));
            const given = await client
              .query(`select ${sql.sql} as fires from public.host as new order by n`)
              .then(
                ({ rows: all }) => all.map((one: { fires: unknown }) => one.fires),
                (error: Error) => `${error.message}: ${sql.sql}`,
              );
            expect(given, source).toEqual(wanted);
            trues += wanted.filter((one) => one === true).length;
          }
        },
      ),
      { numRuns: Number(process.env['WEIR_GUARD_RUNS'] ?? 60) },
    );
    expect(trues).toBeGreaterThan(100);
  }, 120_000);
});
