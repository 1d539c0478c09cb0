import type { Expression } from '../plan-parts.ts';
import { asBool, type Compiled, compiled } from './compiled.ts';
import type { Logic } from './term.ts';

/**
 * SQL's three values: false && unknown is false, true || unknown is true. As in CEL, a side that decides
 * silences an error of the other; only a left side that can throw pays for that.
 */
export function compileLogic(op: Logic, left: Compiled, right: Compiled): Compiled {
  const decides = op === '||';
  const run = left.throws ? guarded(decides, left, right) : op === '||' ? or(left, right) : and(left, right);
  return compiled('bool', run, left.throws || right.throws);
}

function and(left: Compiled, right: Compiled): Expression {
  const [a, b] = [asBool(left), asBool(right)];
  return (frame) => {
    const first = a(frame);
    if (first === false) return false;
    const second = b(frame);
    return second === false ? false : first === null ? null : second;
  };
}

function or(left: Compiled, right: Compiled): Expression {
  const [a, b] = [asBool(left), asBool(right)];
  return (frame) => {
    const first = a(frame);
    if (first === true) return true;
    const second = b(frame);
    return second === true ? true : first === null ? null : second;
  };
}

function guarded(decides: boolean, left: Compiled, right: Compiled): Expression {
  const [a, b] = [asBool(left), asBool(right)];
  return (frame) => {
    let first: boolean | null;
    try {
      first = a(frame);
    } catch (error) {
      if (b(frame) === decides) return decides;
      throw error;
    }
    if (first === decides) return decides;
    const second = b(frame);
    return second === decides ? decides : first === null ? null : second;
  };
}

export function compileNot(operand: Compiled): Compiled {
  const run = asBool(operand);
  const not: Expression = (frame) => {
    const value = run(frame);
    return value === null ? null : !value;
  };
  return compiled('bool', not, operand.throws);
}

/** An unknown condition makes the whole unknown. */
export function compileConditional(condition: Compiled, yes: Compiled, no: Compiled): Compiled {
  const ask = asBool(condition);
  const run: Expression = (frame) => {
    const answer = ask(frame);
    if (answer === null) return null;
    return answer ? yes.run(frame) : no.run(frame);
  };
  return compiled(yes.type, run, condition.throws || yes.throws || no.throws);
}

/** `is_null(x)` and `has(row.x)`: never unknown. `answer` is given for a known value. */
export function compileKnown(of: Compiled, answer: boolean): Compiled {
  const { run } = of;
  return compiled('bool', (frame) => (run(frame) === null) !== answer, of.throws);
}
