import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseArray, parseBytea, parseNumeric } from '../../../src/events/cell.ts';
import { cellToJson } from '../../../src/events/cell-json.ts';
import { parseInterval, parseTimestamp } from '../../../src/events/cell-time.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';

describe.each([14, 18] as const)('what PostgreSQL %i writes', (version) => {
  let postgres: TestPostgres;
  let client: pg.Client;

  beforeAll(async () => {
    postgres = await startPostgres({ version });
    client = new pg.Client(postgres.url);
    await client.connect();
    await client.query("SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex'");
  });
  afterAll(async () => {
    await client.end();
    await postgres.close();
  });

  /** Columns `text` and `micros`, both text. */
  async function micros(sql: string): Promise<readonly { text: string; micros: string }[]> {
    const { rows } = await client.query<{ text: string; micros: string }>(sql);
    expect(rows.length).toBeGreaterThan(10);
    return rows;
  }

  test.each(['UTC', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Apia'])(
    'timestamptz in %s is the microsecond that PostgreSQL means',
    async (zone) => {
      await client.query(`SET timezone = '${zone}'`);
      const rows = await micros(`
        SELECT t::text AS text, trunc(extract(epoch FROM t) * 1000000)::text AS micros FROM (
          SELECT '1800-01-01 00:00:00.000001+00'::timestamptz + n * interval '57 days 3 hours 7 minutes 11.123457 seconds'
          FROM generate_series(0, 2900) n
          UNION ALL SELECT unnest('{epoch,infinity,-infinity,1937-06-30 23:40:28+00,2000-02-29 12:00+00}'::timestamptz[])
        ) AS times (t)`);
      for (const row of rows) expect(String(parseTimestamp(row.text))).toBe(javaScript(row.micros));
      // Local mean time, before there were zones, has seconds.
      expect(rows.some((row) => /[+-]\d\d:\d\d:\d\d$/.test(row.text))).toBe(zone !== 'UTC');
    },
  );

  test('timestamps and dates of all of its years, BC too, are right', async () => {
    for (const type of ['timestamp', 'date']) {
      const rows = await micros(`
        SELECT t::text AS text, trunc(extract(epoch FROM t::${type}) * 1000000)::text AS micros FROM (
          SELECT ('4713-01-01 BC'::timestamp + n * interval '991 years 5 mons 3 days 01:02:03.456789')::${type}
          FROM generate_series(0, 290) n
          UNION ALL SELECT unnest('{infinity,-infinity,0001-12-31 BC,0001-01-01,1900-02-28}'::${type}[])
        ) AS times (t)`);
      // Beyond 2255 a number has no microseconds: both are rounded to the same one.
      for (const row of rows) expect(parseTimestamp(row.text)).toBe(Number(javaScript(row.micros)));
    }
  });

  test('intervals count as extract(epoch) counts them', async () => {
    const rows = await micros(`
      SELECT i::text AS text, trunc(extract(epoch FROM i) * 1000000)::text AS micros FROM (
        SELECT make_interval(months => m, days => d, secs => s)
        FROM unnest('{0,1,-1,11,12,13,-25,120}'::int[]) m, unnest('{0,1,-1,40,-400}'::int[]) d,
          unnest('{0,0.000001,-0.000001,59.5,-3600,360000.25}'::float8[]) s
      ) AS intervals (i)`);
    for (const row of rows) expect(String(parseInterval(row.text))).toBe(row.micros);
  });

  test('numeric is exact', async () => {
    const { rows } = await client.query<{ text: string; unscaled: string; scale: number }>(`
      SELECT n::text AS text, trunc(n * (10::numeric ^ scale(n)))::text AS unscaled, scale(n)
      FROM (
        SELECT unnest('{0,-0.00,1e40,-1e-40,123456789012345678901234567890123456789.987654321,0.1}'::numeric[])
        UNION ALL SELECT (random() * 10 ^ (n % 30))::numeric(60, 20) / 7 FROM generate_series(1, 300) n
      ) AS numbers (n)`);
    for (const { text, unscaled, scale } of rows)
      expect(parseNumeric(text)).toEqual({ kind: 'finite', unscaled: BigInt(unscaled), scale });
    const others = await client.query("SELECT unnest('{NaN,Infinity,-Infinity}'::numeric[])::text AS text");
    expect(others.rows.map((row) => parseNumeric(row.text).kind)).toEqual(['nan', 'infinity', 'infinity']);
  });

  test('arrays are the elements that were put in, bytea the bytes', async () => {
    const texts = [...`{}",\\[]:= \t\n'é🎉`, '', 'NULL', 'null', ' a ', 'a"b\\c', null, '{1,2}', '[0:1]={x}'];
    const nested = [texts, texts.toReversed()];
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const { rows } = await client.query(
      `SELECT $1::text[]::text AS flat, $2::text[]::text AS nested, $3::bytea::text AS bytes,
        array_fill(7, '{2,2}', '{0,-5}')::text AS bounds, '{}'::int4[]::text AS empty`,
      [texts, nested, bytes],
    );
    expect(parseArray(rows[0].flat)).toEqual(texts);
    expect(parseArray(rows[0].nested)).toEqual(nested);
    expect(rows[0].bounds).toBe('[0:1][-5:-4]={{7,7},{7,7}}');
    expect(parseArray(rows[0].bounds)).toEqual([
      ['7', '7'],
      ['7', '7'],
    ]);
    expect(parseArray(rows[0].empty)).toEqual([]);
    expect(Buffer.from(parseBytea(rows[0].bytes))).toEqual(bytes);
  });

  test.each([
    ['int8', '9223372036854775807'],
    ['numeric', '-1234567890123456789012345678901234567890.01230'],
    ['numeric', 'NaN'],
    ['float4', '3.4028235e38'],
    ['float8', '5e-324'],
    ['float8', '-Infinity'],
    ['float8', '1e20'],
    ['bool', 'false'],
    ['jsonb', '{"b": 1.10, "a": [null, "é\\n", 1e400]}'],
    ['json', '{"b": 1.10,\n"a": 1}'],
    ['text', 'tab\t"quoted" \\ 🎉'],
    ['uuid', '6f1e0e2c-5f6f-4c58-9b8f-0123456789ab'],
    ['int4[]', '[0:1][5:6]={{1,2},{3,NULL}}'],
    ['numeric[]', '{1.10,NaN,NULL}'],
    ['text[]', '{"a,b","say \\"hi\\"",NULL,"NULL",""}'],
    ['bool[]', '{t,f,NULL}'],
    ['jsonb[]', '{"{\\"a\\": 1}",null}'],
  ])('%s %s is the JSON that PostgreSQL itself makes of it', async (type, value) => {
    const { rows } = await client.query(
      `SELECT v::text AS text, to_jsonb(v)::text AS json FROM (SELECT $1::text::${type}) AS x (v)`,
      [value],
    );
    const json = cellToJson(type, rows[0].text);
    const same = await client.query('SELECT $1::jsonb::text AS json', [json]);
    expect(same.rows[0].json).toBe(rows[0].json);
  });
});

/** The same number as JavaScript writes it. */
function javaScript(micros: string): string {
  return String(Number(micros));
}
