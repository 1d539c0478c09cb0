import type { CelNode } from './cel-js.ts';
import { rewriteLiteral } from './cel-js.ts';
import { holderOf, resolveField, resolveName } from './names.ts';
import { mistake, type Resolution } from './resolution.ts';
import { resolveAggregate, resolveStepField } from './step-names.ts';
import { ARITHMETIC, COMPARISONS, LOGIC, MACROS, type MacroName, type Term } from './term.ts';
import { unknownFunction } from './unknown-function.ts';

const BINARY = [...COMPARISONS, ...ARITHMETIC, ...LOGIC, 'in'] as const;

/** Gives every name its meaning, and reports all that have none. */
export function resolve(node: CelNode, to: Resolution): Term {
  switch (node.op) {
    case 'value':
      return resolveLiteral(node, node.args, to);
    case 'id':
      return resolveName(node, node.args, to);
    case '.':
      return resolveDot(node, node.args[0], node.args[1], to);
    case '[]':
      return resolveBrackets(node, node.args[0], node.args[1], to);
    case '!_':
      return { kind: 'unary', node, op: '!', operand: resolve(node.args, to) };
    case '-_':
      return { kind: 'unary', node, op: '-', operand: resolve(node.args, to) };
    case '?:': {
      const [condition, yes, no] = node.args;
      const parts = {
        condition: resolve(condition, to),
        yes: resolve(yes, to),
        no: resolve(no, to),
      };
      return { kind: 'conditional', node, ...parts };
    }
    case 'list':
      return { kind: 'list', node, items: node.args.map((item) => resolve(item, to)) };
    case 'call':
      return resolveCall(node, { name: node.args[0], receiver: null, args: node.args[1] }, to);
    case 'rcall':
      return resolveCall(node, { name: node.args[0], receiver: node.args[1], args: node.args[2] }, to);
    case 'map':
      return mistake(node, to, 'maps are not part of conditions', 'write a list: [1, 2]');
    case '.?':
    case '[?]':
      return mistake(
        node,
        to,
        'optional fields are not part of conditions',
        'is_null(x) asks whether x is known',
      );
    default: {
      const op = BINARY.find((name) => name === node.op);
      if (op === undefined) return mistake(node, to, `${node.op} is not part of conditions`);
      const [left, right] = node.args;
      return { kind: 'binary', node, op, left: resolve(left, to), right: resolve(right, to) };
    }
  }
}

type LiteralNode = Extract<CelNode, { op: 'value' }>;

function resolveLiteral(node: LiteralNode, value: LiteralNode['args'], to: Resolution): Term {
  if (typeof value === 'bigint') {
    const double = Number(value);
    rewriteLiteral(node, double);
    if (Number.isSafeInteger(double)) return { kind: 'literal', node, value: double };
    return mistake(
      node,
      to,
      `${value} has more digits than a number in a condition holds`,
      `compare its text: string(x) == "${value}", or x in lists.NAME`,
    );
  }
  if (typeof value === 'object' && value !== null) {
    return mistake(node, to, 'bytes and unsigned literals are not part of conditions', 'write "text" or 1');
  }
  return { kind: 'literal', node, value };
}

/** `row.x`, `old.x`, `lists.x`; nothing else has fields. */
function resolveDot(node: CelNode, of: CelNode, name: string, to: Resolution): Term {
  const holder = holderOf(of, to);
  if (holder !== null) return resolveField(node, { holder, name, at: node.pos, holderAt: of.pos }, to);
  const taken = resolveStepField(node, to);
  if (taken !== null) return taken;
  const inner = resolve(of, to);
  if (inner.kind === 'mistake') return { kind: 'mistake', node, parts: [inner] };
  const json = jsonHint(inner);
  if (json !== null) return mistake(node, to, `.${name}: ${JSON_IS_TEXT}`, json);
  if (to.scope.match !== null)
    return mistake(node, to, `.${name}: only row, old, lists and steps have fields`);
  const hint = to.scope.row.has(name) ? `row.${name}` : undefined;
  return mistake(node, to, `.${name}: only row, old and lists have fields`, hint);
}

/** `row["x"]` is a column; elsewhere brackets take an element of a list. */
function resolveBrackets(node: CelNode, of: CelNode, index: CelNode, to: Resolution): Term {
  const holder = holderOf(of, to);
  if (holder === null) {
    const taken = resolveStepField(node, to);
    return taken ?? resolveElement(node, { list: resolve(of, to), index: resolve(index, to) }, to);
  }
  if (index.op === 'value' && typeof index.args === 'string') {
    return resolveField(node, { holder, name: index.args, at: index.pos, holderAt: of.pos }, to);
  }
  return mistake(index, to, `${holder}[…] takes a name in quotes`, `${holder}["name"]`);
}

function resolveElement(node: CelNode, parts: { list: Term; index: Term }, to: Resolution): Term {
  const json = jsonHint(parts.list);
  if (json !== null) return mistake(node, to, `[…]: ${JSON_IS_TEXT}`, json);
  return { kind: 'element', node, ...parts };
}

const JSON_IS_TEXT = 'json and jsonb are text in conditions, and have no fields';

/** The hint; null: it is no json. */
function jsonHint(term: Term): string | null {
  if (term.kind !== 'variable') return null;
  const { name, origin } = term.variable;
  if (origin.kind !== 'column' && origin.kind !== 'old') return null;
  return /^jsonb?$/.test(origin.pgType) ? `look into the text: like(${name}, "%…%")` : null;
}

interface CallNode {
  readonly name: string;
  readonly receiver: CelNode | null;
  readonly args: readonly CelNode[];
}

function resolveCall(node: CelNode, call: CallNode, to: Resolution): Term {
  const { name, receiver, args } = call;
  if (receiver === null && (name === 'is_null' || name === 'has')) return resolveKnown(node, name, args, to);
  const macro = MACROS.find((candidate) => candidate === name);
  if (receiver !== null && macro !== undefined && args.length >= 2) {
    return resolveMacro(node, macro, receiver, args, to);
  }
  const aggregate = receiver === null ? resolveAggregate(node, { name, args }, to) : null;
  if (aggregate !== null) return aggregate;
  const parts = {
    receiver: receiver === null ? null : resolve(receiver, to),
    args: args.map((arg) => resolve(arg, to)),
  };
  const unknown = unknownFunction(name, receiver !== null, args.length);
  if (unknown === null) return { kind: 'call', node, name, ...parts };
  to.problems.push({ offset: node.pos, ...unknown });
  return {
    kind: 'mistake',
    node,
    parts: parts.receiver === null ? parts.args : [parts.receiver, ...parts.args],
  };
}

function resolveKnown(
  node: CelNode,
  name: 'is_null' | 'has',
  args: readonly CelNode[],
  to: Resolution,
): Term {
  const [arg] = args;
  if (arg === undefined || args.length > 1) return mistake(node, to, `${name}() takes one argument`);
  const of = resolve(arg, to);
  if (name === 'has' && of.kind !== 'variable' && of.kind !== 'mistake') {
    return mistake(node, to, 'has() takes a column, as in has(row.x)', 'is_null(x) takes any expression');
  }
  return { kind: 'known', node, of, answer: name === 'has' };
}

function resolveMacro(
  node: CelNode,
  macro: MacroName,
  ...rest: [CelNode, readonly CelNode[], Resolution]
): Term {
  const [receiver, [variable, first, second], to] = rest;
  const local = variable?.op === 'id' ? variable.args : null;
  if (local === null || first === undefined)
    return mistake(node, to, `${macro}(x, …) needs the name of a variable first`);
  const list = resolve(receiver, to);
  const inside: Resolution = { ...to, locals: new Set([...to.locals, local]) };
  const predicate = macro === 'map' && second === undefined ? null : resolve(first, inside);
  const result = macro === 'map' ? resolve(second ?? first, inside) : null;
  return { kind: 'macro', node, macro, list, local, predicate, result };
}
