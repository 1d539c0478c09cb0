import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js';
import type { ValueType } from '../plan-parts.ts';
import type { ParameterType, Signature } from './signature.ts';
import { SIGNATURES } from './signatures.ts';

/**
 * All that Weir knows of cel-js (8.0.0, pinned): its parser, and its type checker, which asks each node for its
 * type through `node.check(checker, node, context)` and keeps the answer in `node.checkedType`. We put our own
 * `check` before that of the node, since names, lists and numbers are ours, and since the checker alone would
 * stop at the first mistake. test/unit/rules/cel/cel-js.test.ts holds these internals to what is written here.
 */
export type CelNode = ASTNode;

/** cel-js's declaration of a type. */
export interface CelType {
  readonly kind: string;
  readonly name: string;
  readonly type: string;
  readonly valueType?: CelType;
}

export interface Checker {
  check(node: CelNode, context: unknown): CelType;
  getType(name: string): CelType;
}

export type Check = (checker: Checker, context: unknown) => CelType;

interface Checkable {
  check(checker: Checker, node: CelNode, context: unknown): CelType;
  checkedType?: CelType;
}

const TIMESTAMP = 'google.protobuf.Timestamp';
const DURATION = 'google.protobuf.Duration';

/** Our functions are declared for the checker alone; cel-js evaluates nothing. */
function never(): never {
  throw new Error('conditions are evaluated by closures of our own');
}

function declaration({ receiver, name, args, result }: Signature): string {
  const on = receiver === null ? '' : `${parameterName(receiver)}.`;
  return `${on}${name}(${args.map(parameterName).join(', ')}): ${celName(result)}`;
}

function parameterName(type: ParameterType): string {
  if (type === 'any') return 'dyn';
  return type === 'list' ? 'list' : celName(type);
}

/** Checking and evaluating go as deep as a chain of `||` is long: the stack has room for some thousands. */
export const MAX_PARTS = 4000;

function createEnvironment(): Environment {
  const environment = new Environment({ limits: { maxAstNodes: MAX_PARTS } });
  environment.registerOperator('double % double', never);
  for (const signature of SIGNATURES) {
    if (signature.own) environment.registerFunction(declaration(signature), never, { async: false });
  }
  return environment;
}

const environment = createEnvironment();

export interface Parsed {
  readonly root: CelNode;
  /** Asks the root for its type, and so every node below. */
  readonly check: () => void;
}

export interface ParseFailure {
  readonly offset: number;
  readonly code: string;
  readonly summary: string;
}

export function parseCel(source: string): Parsed | ParseFailure {
  try {
    const parsed = environment.parse(source);
    return { root: parsed.ast, check: () => void parsed.check() };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { offset: error.range?.start ?? 0, code: error.code, summary: error.summary };
  }
}

/** Lets `check` give the node's type; `original` is cel-js's own answer, which may throw. */
export function interceptCheck(node: CelNode, check: (original: Check) => Check): void {
  const own = node as unknown as Checkable;
  const original = own.check.bind(own);
  const ours = check((checker, context) => original(checker, node, context));
  own.check = (checker, _node, context) => ours(checker, context);
}

/** Whole-number literals are doubles; cel-js's own are bigints. */
export function rewriteLiteral(node: CelNode, value: number): void {
  Object.assign(node, { args: value });
}

export function checkedType(node: CelNode): CelType | null {
  return (node as unknown as Checkable).checkedType ?? null;
}

export function celName(type: ValueType): string {
  if (typeof type !== 'string') return `list<${celName(type.list)}>`;
  if (type === 'timestamp') return TIMESTAMP;
  return type === 'duration' ? DURATION : type;
}

/** null: a type that conditions do not have. An empty list's elements pass for text. */
export function valueTypeFrom(type: CelType): ValueType | null {
  if (type.kind === 'list') {
    if (type.valueType === undefined || type.valueType.kind === 'param') return { list: 'string' };
    const element = valueTypeFrom(type.valueType);
    return element === null ? null : { list: element };
  }
  if (type.name === TIMESTAMP) return 'timestamp';
  if (type.name === DURATION) return 'duration';
  if (type.name === 'int') return 'double';
  return type.name === 'double' || type.name === 'string' || type.name === 'bool' ? type.name : null;
}
