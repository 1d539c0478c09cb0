import { describe, expect, it } from 'vitest';
import { levenshtein, nearest } from '../../../src/rules/nearest.ts';
import type { Value, ValueType } from '../../../src/rules/plan-parts.ts';
import { formatValue, valueToJson } from '../../../src/rules/value-format.ts';
import { isIntegerType, typeName, valueTypeOf } from '../../../src/rules/value-type.ts';

const AT = Date.UTC(2026, 0, 31, 8, 30) * 1000;

describe('a value as people read it', () => {
  it.each<[Value, ValueType, string, unknown]>([
    [5, 'double', '5', 5],
    [12.5, 'double', '12.5', 12.5],
    [-0, 'double', '0', -0],
    [1e21, 'double', '1000000000000000000000', 1e21],
    [Number.NaN, 'double', 'NaN', 'NaN'],
    [Number.POSITIVE_INFINITY, 'double', 'Infinity', 'Infinity'],
    ['a', 'string', 'a', 'a'],
    [true, 'bool', 'true', true],
    [null, 'double', 'NULL', null],
    [AT, 'timestamp', '2026-01-31T08:30:00Z', '2026-01-31T08:30:00Z'],
    [AT + 1, 'timestamp', '2026-01-31T08:30:00.000001Z', '2026-01-31T08:30:00.000001Z'],
    [Number.POSITIVE_INFINITY, 'timestamp', 'infinity', 'infinity'],
    [90_000_000, 'duration', '1m30s', '1m30s'],
    [['a', null], { list: 'string' }, '[a, NULL]', ['a', null]],
    [[AT], { list: 'timestamp' }, '[2026-01-31T08:30:00Z]', ['2026-01-31T08:30:00Z']],
  ])('%j, a %j', (value, type, text, json) => {
    expect(formatValue(value, type)).toBe(text);
    expect(valueToJson(value, type)).toEqual(json);
  });
});

describe('what PostgreSQL types are in conditions', () => {
  it.each([
    ['int8', 'double'],
    ['numeric(12,2)', 'double'],
    ['money', 'double'],
    ['double', 'double'],
    ['bool', 'bool'],
    ['timestamptz', 'timestamp'],
    ['timestamp(3) without time zone', 'timestamp'],
    ['date', 'timestamp'],
    ['interval', 'duration'],
    ['jsonb', 'string'],
    ['enum', 'string'],
    ['uuid', 'string'],
    ['time', 'string'],
    ['text[]', 'list<string>'],
    ['int8[]', 'list<double>'],
  ])('%s is a %s', (pgType, type) => {
    expect(typeName(valueTypeOf(pgType))).toBe(type);
  });

  it('whole numbers are those whose equal values have equal texts', () => {
    expect(['int2', 'int4', 'int8', 'bigint'].every(isIntegerType)).toBe(true);
    expect(['numeric', 'float8', 'text', 'money'].some(isIntegerType)).toBe(false);
  });
});

describe('the nearest name', () => {
  it('has the fewest edits, or holds what was written', () => {
    expect(levenshtein('kitten', 'sitting')).toBe(3);
    expect(nearest('amuont', ['count', 'amount', 'at'])).toBe('amount');
    expect(nearest('trusted', ['trustees', 'trusted_users_of_the_bank'])).toBe('trusted_users_of_the_bank');
    expect(nearest('AMOUNT', ['count', 'amount'])).toBe('amount');
    expect(nearest('x', [])).toBe(null);
  });
});
