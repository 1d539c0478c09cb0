import type { Arithmetic, Comparison } from '../cel/term.ts';
import { type SqlPart, sqlPart, textSql } from './sql-part.ts';

/** null: it has no such operator. */
export function comparison(op: Comparison, left: SqlPart, right: SqlPart): string | null {
  if (typeof left.type !== 'string' || typeof right.type !== 'string') return null;
  switch (op) {
    case '==':
      return equal(left, right);
    case '!=':
      return `(not ${equal(left, right)})`;
    case '>':
    case '>=':
      return ordered(left, op, right);
    case '<':
      return ordered(right, '>', left);
    case '<=':
      return ordered(right, '>=', left);
  }
}

export function equal(left: SqlPart, right: SqlPart): string {
  if (left.whole !== null && right.whole !== null) return `(${left.whole} = ${right.whole})`;
  return ordered(left, '=', right);
}

/** In CEL nothing holds of NaN; in PostgreSQL NaN is above all numbers, so that only one on the left matters. */
function ordered(left: SqlPart, op: '=' | '>' | '>=', right: SqlPart): string {
  const plain = `${left.sql} ${op} ${right.sql}`;
  if (!left.nan) return `(${plain})`;
  // Of a number that is known, so that the usual answer, which is no, looks at the column once.
  if (right.constant !== null && !right.nan) {
    return op === '=' ? `(${plain})` : `(${plain} and ${left.sql} <> 'NaN'::float8)`;
  }
  // `x <> x` is false, or NULL where x is.
  return `(case when ${left.sql} = 'NaN'::float8 then ${right.sql} <> ${right.sql} else ${plain} end)`;
}

/** null: it has no such operator. PostgreSQL raises where a double goes out of its range; CEL has infinities. */
export function arithmetic(op: Arithmetic, left: SqlPart, right: SqlPart): SqlPart | null {
  const { type } = left;
  if (typeof type !== 'string' || op === '%') return null;
  if (type === 'string') return sqlPart(type, textSql(`(${left.sql} || ${right.sql})`));
  if (left.plain && right.plain && !(op === '/' && !isNumber(right))) {
    return sqlPart(type, `(${left.sql} ${op} ${right.sql})`, { nan: false });
  }
  return sqlPart(type, `weir.${HELPERS[op]}(${left.sql}, ${op === '-' ? `-${right.sql}` : right.sql})`, {
    nan: true,
  });
}

const HELPERS = { '+': 'cel_add', '-': 'cel_add', '*': 'cel_multiply', '/': 'cel_divide' } as const;

/** A constant that can be divided by. */
function isNumber({ constant }: SqlPart): boolean {
  return typeof constant?.value === 'number' && constant.value !== 0;
}
