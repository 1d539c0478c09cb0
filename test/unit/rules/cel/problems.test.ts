import { describe, expect, it } from 'vitest';
import { compileCel } from '../../../../src/rules/cel/compile.ts';
import { problemsOf, scope } from './condition.ts';

/** Each mistake as `offset: message (hint)`. */
function told(source: string): string[] {
  return problemsOf(source).map(
    ({ offset, message, hint }) => `${offset}: ${message}${hint ? ` (${hint})` : ''}`,
  );
}

/** The text at the place of the first mistake. */
function at(source: string, expected: 'bool' | 'any' = 'any'): string {
  return source.slice(problemsOf(source, expected)[0]?.offset);
}

describe('all mistakes of a condition are told at once', () => {
  it('with the nearest name for each that is unknown', () => {
    expect(
      told('amuont > 1 && row.contry == "DE" && user_id in lists.trusted && tx_cont > row["typ"]'),
    ).toEqual([
      '0: unknown name "amuont" (did you mean amount?)',
      '18: unknown column "contry" (did you mean row.country?)',
      '53: unknown list "trusted" (did you mean lists.trusted_users?)',
      '64: unknown name "tx_cont" (did you mean tx_count?)',
      '78: unknown column "typ" (did you mean row.type?)',
    ]);
  });

  it('and wrong types beside them, each once', () => {
    expect(told('country == 5 || amnt == "x" || abs("a") > 1 || flag == "t"')).toEqual([
      '0: country == 5: string cannot be compared with double (a text is written "5")',
      '16: unknown name "amnt" (did you mean amount?)',
      '31: abs(string): no such arguments (abs(double): double)',
      '47: flag == "t": bool cannot be compared with string (flag is a condition itself: flag or !flag)',
    ]);
  });

  it('and those inside calls, lists and macros', () => {
    expect(
      told('foo(amuont) || tags.exists(t, t == contry) || typ in ["a", cuntry]').map((p) => p.split(' (')[0]),
    ).toEqual([
      '0: unknown function foo()',
      '4: unknown name "amuont"',
      '35: unknown name "contry"',
      '46: unknown name "typ"',
      '59: unknown name "cuntry"',
    ]);
  });
});

describe('the hint is the fix', () => {
  it.each([
    ['created_at > "2026-01-01T00:00:00Z"', 'write timestamp("2026-01-01T00:00:00Z")'],
    ['session > 30', 'a duration is written duration("30s")'],
    ['details == null', 'NULL is asked for by is_null(details)'],
    ['user_id == "42"', 'a number has no quotes'],
    ['type == user_id', 'convert one: double(type) or string(user_id)'],
    ['type.matches("a+")', 'use re2(text, pattern)'],
    ['matches(type, "a+")', 'use re2(text, pattern)'],
    ['startsWith(type, "a")', 'write x.startsWith(…)'],
    ['type.like("a%")', 'write like(x, …)'],
    ['lowerASCII(type) == "a"', 'did you mean x.lowerAscii()?'],
    ['type.lowerASCII() == "a"', 'did you mean x.lowerAscii()?'],
    ['user_id in trusted_users', 'the list is lists.trusted_users'],
    ['row["odd name"] == "a"', 'did you mean row["Odd name"]?'],
    ['package == "a"', 'the column is row["package"]'],
    ['row.in == "a"', 'write row["in"]'],
    ['amount > 1 AND flag', 'CEL writes && for and'],
    ['amount > 1 or flag', 'CEL writes || for or'],
    ['amount = 1', 'CEL writes == for equal'],
    ['amount <> 1', 'CEL writes != for not equal'],
    ['amount is null', 'CEL writes is_null(x)'],
    ['type like "a%"', 'CEL writes like(text, "a%")'],
    ['id == 9007199254740993', 'compare its text: string(x) == "9007199254740993", or x in lists.NAME'],
    ['old.amount > 1', 'give the event ops: [update] or [delete]'],
    ['details.country == "DE"', 'look into the text: like(details, "%…%")'],
    ['details["country"] == "DE"', 'look into the text: like(details, "%…%")'],
    ['type.country == "DE"', 'row.country'],
    ['not flag', 'CEL writes ! for not'],
    ['type in ("a", "b")', 'a list is written ["a", "b"]'],
    ['amount > 10,000', 'the digits of a number stand together: 10000'],
    ['amount > 10_000', 'the digits of a number stand together: 10000'],
    ['length(type) > 1', 'did you mean x.size()?'],
    ['lower(type) == "a"', 'did you mean x.lowerAscii()?'],
    ['amount', 'a condition is true or false: compare it, as in x > 1'],
    ['abs(1, 2) > 1', 'abs(double): double'],
    ['tags.exists(t)', 'list.exists(x, x > 1)'],
  ])('%s: %s', (source, hint) => {
    expect(problemsOf(source).map((problem) => problem.hint)).toContain(hint);
  });
});

describe('a mistake in a constant is found at load, at its place', () => {
  it.each([
    ['re2(type, "a(")', '"a(")', 'is not a pattern of RE2'],
    ['flag && re2(type, type)', 'type)', 'must be a text in quotes'],
    ['in_cidr(ip, "10.0.0.0/33")', '"10.0.0.0/33")', 'is not a network'],
    ['hour(at, "Mars/Base") > 1', '"Mars/Base") > 1', 'is not a time zone'],
    ['at.getHours("+25:00") > 1', '"+25:00") > 1', 'is not a time zone'],
    ['at > timestamp("2026-02-30T00:00:00Z")', 'timestamp("2026-02-30T00:00:00Z")', 'is not a timestamp'],
    ['at > timestamp("2026-01-01T00:00:00")', 'timestamp("2026-01-01T00:00:00")', 'is not a timestamp'],
    ['session > duration("1w")', 'duration("1w")', 'is not a duration'],
    ['amount > double("x")', 'double("x")', 'is not a number'],
  ])('%s', (source, place, message) => {
    expect(at(source)).toBe(place);
    expect(problemsOf(source)[0]?.message).toContain(message);
  });
});

describe('what does not parse', () => {
  it.each([
    ['', 0, 'the condition is empty'],
    ['  ', 0, 'the condition is empty'],
    ['(amount > 1', 11, 'expected ), got the end'],
    ['amount >', 8, 'the condition ends where a value must follow'],
    ['amount > 50%', 12, 'the condition ends where a value must follow'],
    ['type == "abc', 8, 'unterminated string'],
    ['amount > 1 # note', 11, 'unexpected "#"'],
    ['"😀" == type && @', 16, 'unexpected "@"'],
  ])('%j: at %i, %s', (source, offset, message) => {
    expect(problemsOf(source)).toMatchObject([{ offset, message }]);
  });

  it('nor is compiled when it is longer than the stack is deep', () => {
    const long = Array.from({ length: 20_000 }, (_, i) => `amount == ${i}`).join(' || ');
    expect(problemsOf(long)[0]).toMatchObject({ hint: 'many values belong in a list: x in lists.NAME' });
    const most = Array.from({ length: 1000 }, (_, i) => `amount == ${i}`).join(' || ');
    expect(compileCel(most, scope(), 'bool').kind).toBe('ok');
  });
});

describe('types', () => {
  it.each([
    ['amount > 1 ? 1 : "a"', 'both sides of : must have one type, not double and string'],
    ['amount ? 1 : 2', 'amount: before ? stands a bool, not a double'],
    ['amount && flag', '&& stands between conditions, and amount is a double'],
    ['!amount', '!amount: double has no opposite'],
    ['tags.all(t, size(t))', 'all(x, …): size(t) must be a bool, and is a double'],
    ['amount.exists(t, t > 1)', 'amount.exists(…): double is not a list'],
    ['[1, "a"] == [1]', 'the elements of a list must have one type'],
    ['tags in lists.countries', 'a list is not looked up in a list'],
    ['type[0] == "t"', 'brackets take an element of a list by its number, from 0'],
    ['{"a": 1} == {"a": 1}', 'maps are not part of conditions'],
    ['b"a" == b"a"', 'bytes and unsigned literals are not part of conditions'],
    ['row == 1', 'row is not a value: name one of its columns'],
    ['row[type] == "a"', 'row[…] takes a name in quotes'],
    ['has(amount + 1)', 'has() takes a column, as in has(row.x)'],
    ['null', 'this has no type that a condition can have'],
    ['dyn(amount) > 1', 'unknown function dyn()'],
  ])('%s: %s', (source, message) => {
    expect(problemsOf(source, 'any').map((problem) => problem.message)).toContain(message);
  });

  it('the type that is asked for is the type that is given', () => {
    expect(problemsOf('amount', 'bool')[0]?.message).toBe('this is a double, and must be a bool');
    expect(compileCel('amount', scope(), 'double').kind).toBe('ok');
    expect(compileCel('tags', scope(), { list: 'string' }).kind).toBe('ok');
  });
});
