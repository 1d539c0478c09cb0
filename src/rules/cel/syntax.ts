import { MAX_PARTS, type ParseFailure } from './cel-js.ts';
import type { CelProblem } from './result.ts';
import type { Scope } from './scope.ts';

/** cel-js's names of tokens, as they are written. */
const TOKENS: Readonly<Record<string, string>> = {
  EOF: 'the end',
  LPAREN: '(',
  RPAREN: ')',
  LBRACKET: '[',
  RBRACKET: ']',
  LBRACE: '{',
  RBRACE: '}',
  DOT: '.',
  COMMA: ',',
  COLON: ':',
  QUESTION: '?',
  EQ: '==',
  NE: '!=',
  LT: '<',
  LE: '<=',
  GT: '>',
  GE: '>=',
  AND: '&&',
  OR: '||',
  NOT: '!',
  PLUS: '+',
  MINUS: '-',
  MULTIPLY: '*',
  DIVIDE: '/',
  MODULO: '%',
  IN: 'in',
  IDENTIFIER: 'a name',
  STRING: 'a text',
  NUMBER: 'a number',
  BOOLEAN: 'true or false',
  NULL: 'null',
};

/** What is written out of habit, by what stands where the parser stopped. */
const HABITS: readonly (readonly [RegExp, string])[] = [
  [/and\b/iy, 'CEL writes && for and'],
  [/or\b/iy, 'CEL writes || for or'],
  [/not\b/iy, 'CEL writes ! for not'],
  [/is\s+not\s+null\b/iy, 'CEL writes !is_null(x)'],
  [/is\s+null\b/iy, 'CEL writes is_null(x)'],
  [/like\b/iy, 'CEL writes like(text, "a%")'],
  [/between\b/iy, 'CEL writes x >= 1 && x <= 2'],
  [/=/y, 'CEL writes == for equal'],
  [/&/y, 'CEL writes && for and'],
  [/\|/y, 'CEL writes || for or'],
  [/(?<=<)>/y, 'CEL writes != for not equal'],
  [/(?<=\bnot\s+)\S/iy, 'CEL writes ! for not'],
  [/(?<=\bin\s*\([^()]*),/iy, 'a list is written ["a", "b"]'],
  [/(?<=\d)[_,'’]\d/y, 'the digits of a number stand together: 10000'],
];

export function explainSyntax(failure: ParseFailure, source: string, scope: Scope): CelProblem {
  const { offset, code, summary } = failure;
  const rest = source.slice(offset);
  if (source.trim() === '') return { offset: 0, message: 'the condition is empty' };
  if (code === 'reserved_identifier') {
    const name = /^\w+/.exec(rest)?.[0] ?? '';
    const hint = scope.row.has(name) ? { hint: `the column is row["${name}"]` } : {};
    return { offset, message: `${name} is a word of CEL's own`, ...hint };
  }
  if (code === 'limit_exceeded') {
    const message = `the condition is too long (${MAX_PARTS} parts, 1000 in a list)`;
    return { offset, message, hint: 'many values belong in a list: x in lists.NAME' };
  }
  const found = /^\S+/.exec(rest)?.[0];
  const stopped = code === 'unexpected_character' && found !== undefined;
  const message = stopped ? `unexpected ${JSON.stringify(found)}` : inWords(summary);
  const habit = habitAt(source, offset) ?? fieldHint(source, offset);
  return { offset, message, ...(habit === undefined ? {} : { hint: habit }) };
}

function habitAt(source: string, offset: number): string | undefined {
  return HABITS.find(([pattern]) => {
    pattern.lastIndex = offset;
    return pattern.test(source);
  })?.[1];
}

/** `row.in`: a word that cannot stand after the dot. */
function fieldHint(source: string, offset: number): string | undefined {
  const holder = /\b(row|old|lists)\.\s*$/.exec(source.slice(0, offset))?.[1];
  const word = /^\w+/.exec(source.slice(offset))?.[0];
  return holder === undefined || word === undefined ? undefined : `write ${holder}["${word}"]`;
}

function inWords(summary: string): string {
  if (summary === 'Unexpected token: EOF') return 'the condition ends where a value must follow';
  const words = summary.replace(/\b[A-Z]+\b/g, (token) => TOKENS[token] ?? token);
  return words.charAt(0).toLowerCase() + words.slice(1);
}
