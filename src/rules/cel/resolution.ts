import type { CelNode } from './cel-js.ts';
import type { CelProblem } from './result.ts';
import type { Scope } from './scope.ts';
import type { Term } from './term.ts';

/** What resolving a condition needs to know, and where it leaves its mistakes. */
export interface Resolution {
  readonly scope: Scope;
  readonly problems: CelProblem[];
  /** Variables of the list macros around. */
  readonly locals: ReadonlySet<string>;
}

export function report(
  to: Resolution,
  offset: number,
  ...[message, hint]: [string, (string | undefined)?]
): void {
  to.problems.push({ offset, message, ...(hint === undefined ? {} : { hint }) });
}

/** Reports a mistake that is the whole node. */
export function mistake(node: CelNode, to: Resolution, ...said: [string, (string | undefined)?]): Term {
  report(to, node.pos, ...said);
  return { kind: 'mistake', node, parts: [] };
}
