import { describe, expect, it } from 'vitest';
import { UNCHANGED } from '../../../../src/events/row.ts';
import type { Value } from '../../../../src/rules/plan-parts.ts';
import { compile, evaluate, type RowParts } from './condition.ts';

type Case = readonly [condition: string, expected: Value, parts?: RowParts];

function table(cases: readonly Case[]): void {
  for (const [condition, expected, parts] of cases) {
    const where = parts === undefined ? '' : ` where ${JSON.stringify(parts)}`;
    it(`${condition} is ${JSON.stringify(expected)}${where}`, () => {
      expect(evaluate(condition, parts)).toEqual(expected);
    });
  }
}

const NULL_AMOUNT: RowParts = { row: { amount: null } };
const NULL_BOTH: RowParts = { row: { amount: null, type: null } };

describe('numbers are doubles', () => {
  table([
    ['amount > 10000', true],
    ['amount > 12000.50', false],
    ['amount >= 12000.50', true],
    ['amount * 2', 24001],
    ['1 / 2', 0.5],
    ['7 % 4', 3],
    ['-7 % 4', -3],
    ['1 / 0', Number.POSITIVE_INFINITY],
    ['-user_id + 2', -40],
    ['1 - 2 - 3', -4],
    ['2 + 3 * 4', 14],
    ['price', -1234.56],
    ['0x10 == 16', true],
    ['tx_count > 10', true],
    ['user_id in [1, 42]', true],
    ['user_id in [1, 2]', false],
    ['user_id in []', false],
    ['amount == 12000.5', true],
    ['amount != 12000.5', false],
  ]);
});

describe('whole-number columns compare as texts', () => {
  table([
    ['id == friend_id', false],
    ['id != friend_id', true],
    ['id == friend_id', true, { row: { friend_id: '9007199254740993' } }],
    ['id == friend_id', null, { row: { friend_id: null } }],
    ['id == old.id', true, { old: { id: '9007199254740993' } }],
    ['id in friend_ids', true],
    ['friend_id in friend_ids', false],
    ['friend_id in [id, user_id]', false],
    ['id in [id, user_id]', true],
    ['string(id)', '9007199254740993'],
    ['string(amount)', '12000.5'],
  ]);
});

describe('texts', () => {
  table([
    ['type == "transfer"', true],
    ['type < "u" && type > "a"', true],
    ['"\\U0001F600" > "\\uFFFD"', true],
    ['"\\U0001F600" < "\\uFFFD"', false],
    ['"ab" > "a" && "a" <= "a"', true],
    ['country == "DE"', true],
    ['type + "!" == "transfer!"', true],
    ['type.contains("ans") && type.startsWith("tr") && type.endsWith("er")', true],
    ['size("a\\U0001F600b")', 3],
    ['"a\\U0001F600b".indexOf("b")', 2],
    ['"a\\U0001F600b".substring(1, 2)', '😀'],
    ['"a\\U0001F600b".substring(2)', 'b'],
    ['"abcabc".lastIndexOf("b")', 4],
    ['"abcabc".lastIndexOf("b", 3)', 1],
    ['"abcabc".indexOf("b", 2)', 4],
    ['"abc".indexOf("x")', -1],
    ['"ÄbC".lowerAscii()', 'Äbc'],
    ['"äbc".upperAscii()', 'äBC'],
    ['"  a ".trim()', 'a'],
    ['"a,b,c".split(",")', ['a', 'b', 'c']],
    ['"a,b,c".split(",", 2)', ['a', 'b,c']],
    ['"a,b,c".split(",", 0)', []],
    ['["a", "b"].join("-")', 'a-b'],
    ['["a", "b"].join()', 'ab'],
    ['"aaa".replace("a", "$&")', '$&$&$&'],
    ['"aaa".replace("a", "b", 2)', 'bba'],
    ['size(type) + 1', 9],
    ['details.contains("\\"a\\"")', true],
  ]);
});

describe('unknown values', () => {
  table([
    ['amount > 1', null, NULL_AMOUNT],
    ['amount > 1', null, { row: { amount: UNCHANGED } }],
    ['!(amount > 1)', null, NULL_AMOUNT],
    ['amount + 1', null, NULL_AMOUNT],
    ['amount == amount', null, NULL_AMOUNT],
    ['amount > 1 && flag', null, NULL_AMOUNT],
    ['amount > 1 && !flag', false, NULL_AMOUNT],
    ['!flag && amount > 1', false, NULL_AMOUNT],
    ['amount > 1 || flag', true, NULL_AMOUNT],
    ['flag || amount > 1', true, NULL_AMOUNT],
    ['amount > 1 || !flag', null, NULL_AMOUNT],
    ['amount > 1 && type == "x"', null, NULL_BOTH],
    ['amount > 1 ? 1 : 2', null, NULL_AMOUNT],
    ['flag ? amount : 2', null, NULL_AMOUNT],
    ['flag ? 2 : amount', 2, NULL_AMOUNT],
    ['is_null(amount)', true, NULL_AMOUNT],
    ['is_null(amount)', true, { row: { amount: UNCHANGED } }],
    ['is_null(amount)', false],
    ['is_null(amount + 1) && !is_null(type == "x")', true, NULL_AMOUNT],
    ['has(row.amount)', false, NULL_AMOUNT],
    ['has(row.amount)', true],
    ['amount in [1, 2]', null, NULL_AMOUNT],
    ['1 in [1, amount]', true, NULL_AMOUNT],
    ['3 in [1, amount]', null, NULL_AMOUNT],
    ['user_id in lists.trusted_users', null, { row: { user_id: null } }],
    ['abs(amount)', null, NULL_AMOUNT],
    ['max(1, 2, amount)', null, NULL_AMOUNT],
    ['type.contains("a")', null, NULL_BOTH],
    ['"a".contains(type)', null, NULL_BOTH],
    ['old.amount < amount', null],
    ['old.amount < amount', true, { old: { amount: '1' } }],
    ['last_country != country', null, { lets: [1, null] }],
    ['last_country != country', true],
  ]);
});

describe('lists', () => {
  table([
    ['user_id in lists.trusted_users', true],
    ['id in lists.trusted_users', true],
    ['friend_id in lists.trusted_users', false],
    ['string(user_id) in lists.trusted_users', true],
    ['user_id + 0 in lists.trusted_users', true],
    ['country in lists["countries"]', true],
    ['amount in lists.amounts', false],
    ['amount + 0 in lists.amounts', true],
    ['lists.countries.exists(c, c == country)', true],
    ['"new" in tags', true],
    ['"old" in tags', null],
    ['"old" in tags', false, { row: { tags: '{new}' } }],
    ['"new" in tags', null, { row: { tags: null } }],
    ['"b" in tags', true, { row: { tags: '{{a,b},{c,d}}' } }],
    ['tags.exists(t, t == "a b")', true],
    ['tags.exists(t, t == "x")', null],
    ['tags.all(t, t != "x")', null],
    ['tags.all(t, t == "x")', false],
    ['tags.exists_one(t, t == "new")', null],
    ['tags.exists_one(t, t == "new" || t == "a b")', false],
    ['[1, 2, 3].exists_one(x, x > 2)', true],
    ['tags.filter(t, t == "new")', ['new']],
    ['tags.map(t, is_null(t))', [false, false, true]],
    ['[1, 2, 3].map(x, x > 1, x * 10)', [20, 30]],
    [
      '[1, 2].map(x, [3, 4].map(y, x * y))',
      [
        [3, 4],
        [6, 8],
      ],
    ],
    ['[1, 2].map(amount, amount)', [1, 2]],
    ['tags.size() + size([1, 2])', 5],
    ['[1, 2][1]', 2],
    ['tags[0] == "new" && is_null(tags[2])', true],
    ['[1, 2] == [1, 2]', true],
    ['[1, amount] == [2, 1]', false, NULL_AMOUNT],
    ['[1, amount] == [1, 1]', null, NULL_AMOUNT],
    ['[1] + [2] == [1, 2]', true],
    ['tags.join()', null],
  ]);
});

describe('times', () => {
  table([
    ['at == timestamp("2026-03-29T00:30:00Z")', true],
    ['created_at > at', true],
    ['created_at - at', 123456],
    ['created_at - at < duration("124ms")', true],
    ['at + duration("1h30m") == timestamp("2026-03-29T02:00:00Z")', true],
    ['duration("1h") + at - duration("1h") == at', true],
    ['timestamp("2026-03-29T02:30:00+02:00") == at', true],
    ['timestamp(0) == timestamp("1970-01-01T00:00:00Z")', true],
    ['int(timestamp("1970-01-01T00:01:00.5Z"))', 60],
    ['session', 26 * 3_600_000_000],
    ['session > duration("25h") && session.getHours() == 26', true],
    ['duration("-1.5h").getMinutes()', -90],
    ['duration("1m1.5s").getSeconds() + duration("1m1.5s").getMilliseconds()', 61 + 61_500],
    ['born.getFullYear()', 1999],
    ['born.getMonth() * 100 + born.getDate()', 1131],
    ['born.getDayOfMonth()', 30],
    ['born.getDayOfYear()', 364],
    ['born.getDayOfWeek()', 5],
    ['created_at.getHours() * 100 + created_at.getMinutes()', 30],
    ['created_at.getSeconds() * 1000 + created_at.getMilliseconds()', 123],
    // The clocks of Berlin went forward an hour on that day, at 01:00 UTC.
    ['hour(created_at, "Europe/Berlin")', 1],
    ['hour(created_at + duration("1h"), "Europe/Berlin")', 3],
    ['created_at.getHours("-08:00")', 16],
    ['created_at.getDate("America/New_York")', 28],
    ['hour(created_at, "Asia/Kathmandu")', 6],
    ['hour(created_at, type)', 0, { row: { type: 'UTC' } }],
    ['created_at.getHours()', null, { row: { created_at: 'infinity' } }],
    ['created_at > at', true, { row: { created_at: 'infinity' } }],
    ['string(created_at)', '2026-03-29T00:30:00.123456Z'],
    ['string(duration("90s"))', '1m30s'],
  ]);
});

describe('functions', () => {
  table([
    ['abs(-2) + min(3, 1, 2) + max(3, 1)', 6],
    ['[round(2.5), round(-2.5), round(2.4)]', [3, -3, 2]],
    ['int(2.9) + int(-2.9) + int("7")', 7],
    ['double("1e3") + double("-.5")', 999.5],
    ['double("-Infinity")', Number.NEGATIVE_INFINITY],
    ['string(true) + string(2.0) + string(0.1)', 'true20.1'],
    ['bool("t") && !bool("false") && bool(flag)', true],
    ['round(distance_km(52.52, 13.405, 48.8566, 2.3522))', 877],
    ['distance_km(0, 0, 0, 180) == distance_km(90, 0, -90, 0)', true],
    ['like(type, "tr_ns%") && !like(type, "tr_ns")', true],
    ['re2(type, "^(trans|x)fer$") && !re2(type, "^fer")', true],
    ['in_cidr(ip, "10.0.0.0/8") && !in_cidr(ip, "10.2.0.0/16")', true],
    ['in_cidr("2001:db8::1", "2001:db8::/32") && !in_cidr(ip, "::/0")', true],
    ['in_cidr(ip, type)', true, { row: { type: '10.1.2.3/32' } }],
    ['in_cidr(ip, "10.0.0.0/8")', null, { row: { ip: null } }],
  ]);
});

describe('names', () => {
  table([
    ['type == row.type && row["type"] == type', true],
    ['row["package"] == "gold" && row.package == "gold"', true],
    ['row["Odd name"] == "odd"', true],
    ['row.at == at', false],
    ['row.at == timestamp("2020-01-01T00:00:00Z")', true],
    ['old["type"] == "x"', true, { old: { type: 'x' } }],
  ]);
});

describe('errors', () => {
  it('come where CEL has them', () => {
    expect(() => evaluate('double(type) > 1')).toThrow('"transfer" is not a number');
    expect(() => evaluate('tags[7] == "a"')).toThrow('element 7 of a list of 3');
    expect(() => evaluate('type.substring(9) == ""')).toThrow('substring(9, 8)');
    expect(() => evaluate('in_cidr(type, "10.0.0.0/8")')).toThrow('"transfer" is not an IP address');
    expect(() => evaluate('hour(at, type) > 1')).toThrow('"transfer" is not a time zone');
  });

  it('are silenced by a side of && or || that decides', () => {
    expect(evaluate('double(type) > 1 || flag')).toBe(true);
    expect(evaluate('flag || double(type) > 1')).toBe(true);
    expect(evaluate('double(type) > 1 && !flag')).toBe(false);
    expect(() => evaluate('double(type) > 1 && flag')).toThrow('not a number');
    expect(() => evaluate('flag && double(type) > 1')).toThrow('not a number');
    expect(evaluate('["x", "1"].exists(t, double(t) == 1)')).toBe(true);
  });
});

describe('what a condition reads', () => {
  it('is listed: cells, old cells, let values, lists', () => {
    const condition =
      'row.amount > 1 && old.type == type && tx_count > 1 && tags.exists(t, t in lists.countries)';
    const { columns, oldColumns, lets, lists, type } = compile(condition);
    expect({
      columns: [...columns].sort(),
      oldColumns: [...oldColumns],
      lets: [...lets],
      lists: [...lists],
    }).toEqual({
      columns: [11, 3, 5],
      oldColumns: [5],
      lets: [0],
      lists: ['countries'],
    });
    expect(type).toBe('bool');
  });

  it('tells the literal true from what is only always true', () => {
    expect(compile('true').literalTrue).toBe(true);
    expect(compile('1 == 1').literalTrue).toBe(false);
  });
});
