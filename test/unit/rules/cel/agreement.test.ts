import { Environment } from '@marcbachmann/cel-js/evaluator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cell } from '../../../../src/events/row.ts';
import { compileCel } from '../../../../src/rules/cel/compile.ts';
import { scopeOf } from '../../../../src/rules/cel/scope.ts';
import type { Frame, ValueType } from '../../../../src/rules/plan-parts.ts';

const COLUMNS: readonly { readonly name: string; readonly pgType: string; readonly type: ValueType }[] = [
  { name: 'a', pgType: 'float8', type: 'double' },
  { name: 'b', pgType: 'numeric', type: 'double' },
  { name: 's', pgType: 'text', type: 'string' },
  { name: 't', pgType: 'text', type: 'string' },
  { name: 'p', pgType: 'bool', type: 'bool' },
  { name: 'q', pgType: 'bool', type: 'bool' },
  { name: 'at1', pgType: 'timestamptz', type: 'timestamp' },
];
const SCOPE = scopeOf({ columns: COLUMNS, old: false, lets: [], lists: new Map() });

interface Row {
  readonly a: number;
  readonly b: number;
  readonly s: string;
  readonly t: string;
  readonly p: boolean;
  readonly q: boolean;
  readonly at1: number;
}

const number = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.double({ noNaN: true, min: -1e6, max: 1e6 }));
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', ' ', ','), maxLength: 6 });
const millis = fc.integer({ min: 0, max: 4_000_000_000_000 });
const row: fc.Arbitrary<Row> = fc.record({
  a: number,
  b: number,
  s: text,
  t: text,
  p: fc.boolean(),
  q: fc.boolean(),
  at1: millis,
});

/** Expressions of the subset that both evaluate; numbers are written as doubles, which cel-js needs. */
const { bool } = fc.letrec<{ num: string; str: string; bool: string; list: string }>((tie) => ({
  num: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a', 'b', '1.0', '2.5', '-3.0', '10.0'),
    fc
      .tuple(tie('num'), fc.constantFrom('+', '-', '*', '/'), tie('num'))
      .map(([l, op, r]) => `(${l} ${op} ${r})`),
    tie('num').map((n) => `(-${n})`),
    fc.tuple(tie('bool'), tie('num'), tie('num')).map(([c, l, r]) => `(${c} ? ${l} : ${r})`),
    tie('str').map((s) => `double(size(${s}))`),
    tie('str').map((s) => `double(${s}.indexOf("b"))`),
    fc
      .constantFrom('getHours', 'getDayOfWeek', 'getMonth', 'getMilliseconds')
      .map((get) => `double(at1.${get}())`),
    fc.constantFrom('double(s)', 'double(t)'),
  ),
  str: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('s', 't', '"a"', '"ab"', '""'),
    fc.tuple(tie('str'), tie('str')).map(([l, r]) => `(${l} + ${r})`),
    fc
      .tuple(tie('str'), fc.constantFrom('lowerAscii', 'upperAscii', 'trim'))
      .map(([s, name]) => `${s}.${name}()`),
    tie('bool').map((b) => `string(${b})`),
    fc.tuple(tie('str'), tie('str')).map(([l, r]) => `${l}.split(",").join(${r})`),
  ),
  list: fc.oneof(
    fc.array(tie('num'), { minLength: 1, maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    tie('num').map((n) => `[1.0, 2.5, ${n}].filter(x, x > a)`),
    tie('num').map((n) => `[1.0, ${n}].map(x, x + b)`),
  ),
  bool: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('p', 'q', 'true', 'false'),
    fc
      .tuple(tie('num'), fc.constantFrom('<', '<=', '>', '>=', '==', '!='), tie('num'))
      .map((x) => `(${x.join(' ')})`),
    fc
      .tuple(tie('str'), fc.constantFrom('<', '<=', '>', '>=', '==', '!='), tie('str'))
      .map((x) => `(${x.join(' ')})`),
    fc
      .tuple(tie('bool'), fc.constantFrom('&&', '||', '==', '!='), tie('bool'))
      .map((x) => `(${x.join(' ')})`),
    tie('bool').map((b) => `!(${b})`),
    fc
      .tuple(tie('str'), fc.constantFrom('contains', 'startsWith', 'endsWith'), tie('str'))
      .map(([l, f, r]) => `${l}.${f}(${r})`),
    fc.tuple(tie('num'), tie('list')).map(([n, l]) => `(${n} in ${l})`),
    fc
      .tuple(tie('list'), fc.constantFrom('all', 'exists', 'exists_one'), tie('num'))
      .map(([l, m, n]) => `${l}.${m}(x, x < ${n})`),
    fc.tuple(tie('list'), tie('list')).map(([l, r]) => `(${l} == ${r})`),
    millis.map((ms) => `(at1 - timestamp("${new Date(ms).toISOString()}") < duration("1000h"))`),
  ),
}));

const environment = new Environment();
for (const [name, type] of Object.entries({
  a: 'double',
  b: 'double',
  s: 'string',
  t: 'string',
  p: 'bool',
  q: 'bool',
})) {
  environment.registerVariable(name, type);
}
environment.registerVariable('at1', 'google.protobuf.Timestamp');

function frameOf(cells: readonly Cell[]): Frame {
  const times = { at: 0, commitAt: 0, watermark: 0, late: false };
  return {
    row: { table: 0, op: 'insert', cells, old: null, position: '', roles: 1, ...times },
    lets: [],
    lists: [],
  };
}

function cellsOf({ a, b, s, t, p, q, at1 }: Row): readonly Cell[] {
  const flag = (value: boolean) => (value ? 't' : 'f');
  const at = `${new Date(at1).toISOString().replace('T', ' ').replace('Z', '')}+00`;
  return [String(a), String(b), s, t, flag(p), flag(q), at];
}

/** A value, or the fact that it throws. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch {
    return 'error';
  }
}

function compileBool(source: string): (frame: Frame) => unknown {
  const result = compileCel(source, SCOPE, 'bool');
  if (result.kind === 'error') throw new Error(`${source}: ${JSON.stringify(result.problems)}`);
  return result.run;
}

describe('our closures', () => {
  it('agree with cel-js on rows without NULL', () => {
    fc.assert(
      fc.property(bool, fc.array(row, { minLength: 1, maxLength: 5 }), (source, rows) => {
        const run = compileBool(source);
        for (const values of rows) {
          const theirs = outcome(() =>
            environment.evaluate(source, { ...values, at1: new Date(values.at1) }),
          );
          expect(
            outcome(() => run(frameOf(cellsOf(values)))),
            source,
          ).toEqual(theirs);
        }
      }),
      { numRuns: 800 },
    );
  });
});

type Values = readonly (number | null)[];

/** A condition and what SQL says of it, by its truth tables: 0 false, ½ unknown, 1 true. */
interface Logic {
  readonly source: string;
  readonly truth: (values: Values) => number;
}

const HALF = 0.5;
const NAMES = ['a', 'b'] as const;

function comparison(index: 0 | 1, op: '<' | '>' | '==', bound: number): Logic {
  const compare = {
    '<': (x: number) => x < bound,
    '>': (x: number) => x > bound,
    '==': (x: number) => x === bound,
  }[op];
  return {
    source: `${NAMES[index]} ${op} ${bound}`,
    truth: (values) => {
      const value = values[index] ?? null;
      return value === null ? HALF : Number(compare(value));
    },
  };
}

const { logic } = fc.letrec<{ logic: Logic }>((tie) => ({
  logic: fc.oneof(
    { depthSize: 'medium' },
    fc
      .tuple(fc.constantFrom(0, 1), fc.constantFrom('<', '>', '=='), fc.integer({ min: -2, max: 2 }))
      .map(([index, op, bound]) => comparison(index as 0 | 1, op as '<' | '>' | '==', bound)),
    fc.tuple(tie('logic'), tie('logic')).map(([l, r]) => ({
      source: `(${l.source} && ${r.source})`,
      truth: (v: Values) => Math.min(l.truth(v), r.truth(v)),
    })),
    fc.tuple(tie('logic'), tie('logic')).map(([l, r]) => ({
      source: `(${l.source} || ${r.source})`,
      truth: (v: Values) => Math.max(l.truth(v), r.truth(v)),
    })),
    tie('logic').map((l) => ({ source: `!(${l.source})`, truth: (v: Values) => 1 - l.truth(v) })),
    fc.tuple(tie('logic'), tie('logic'), tie('logic')).map(([c, l, r]) => ({
      source: `(${c.source} ? ${l.source} : ${r.source})`,
      truth: (v: Values) => (c.truth(v) === HALF ? HALF : c.truth(v) === 1 ? l.truth(v) : r.truth(v)),
    })),
    tie('logic').map((l) => ({
      source: `is_null(${l.source})`,
      truth: (v: Values) => Number(l.truth(v) === HALF),
    })),
    fc
      .tuple(fc.constantFrom(0, 1), fc.array(fc.integer({ min: -2, max: 2 }), { maxLength: 3 }))
      .map(([index, items]) => ({
        source: `${NAMES[index]} in [${[...items, 'b'].join(', ')}]`,
        truth: (v: Values) =>
          Math.max(0, ...[...items, v[1] ?? null].map((item) => equal(v[index] ?? null, item))),
      })),
  ),
}));

function equal(left: number | null, right: number | null): number {
  return left === null || right === null ? HALF : Number(left === right);
}

describe('three-valued logic', () => {
  it('is that of SQL, whatever is unknown', () => {
    const value = fc.option(fc.integer({ min: -2, max: 2 }));
    fc.assert(
      fc.property(logic, value, value, ({ source, truth }, a, b) => {
        const wanted = truth([a, b]);
        const cells = [a, b].map((cell) => (cell === null ? null : String(cell)));
        expect(compileBool(source)(frameOf(cells)), source).toBe(wanted === HALF ? null : wanted === 1);
      }),
      { numRuns: 1500 },
    );
  });
});
