import type { CelNode } from './cel-js.ts';
import type { Variable } from './scope.ts';

interface Placed {
  /** Where it stands, and what the checker knows of it. */
  readonly node: CelNode;
}

export const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='] as const;
export const ARITHMETIC = ['+', '-', '*', '/', '%'] as const;
export const LOGIC = ['&&', '||'] as const;
export const MACROS = ['all', 'exists', 'exists_one', 'map', 'filter'] as const;

export type Comparison = (typeof COMPARISONS)[number];
export type Arithmetic = (typeof ARITHMETIC)[number];
export type Logic = (typeof LOGIC)[number];
export type MacroName = (typeof MACROS)[number];

/** A condition whose names are resolved: cel-js's tree, as Weir sees it. */
export type Term =
  | (Placed & { readonly kind: 'literal'; readonly value: number | string | boolean | null })
  | (Placed & { readonly kind: 'variable'; readonly variable: Variable })
  /** The variable of a list macro. */
  | (Placed & { readonly kind: 'local'; readonly name: string })
  | (Placed & { readonly kind: 'unary'; readonly op: '!' | '-'; readonly operand: Term })
  | (Placed & {
      readonly kind: 'binary';
      readonly op: Comparison | Arithmetic | Logic | 'in';
      readonly left: Term;
      readonly right: Term;
    })
  | (Placed & {
      readonly kind: 'conditional';
      readonly condition: Term;
      readonly yes: Term;
      readonly no: Term;
    })
  | (Placed & {
      readonly kind: 'call';
      readonly name: string;
      readonly receiver: Term | null;
      readonly args: readonly Term[];
    })
  | (Placed & MacroParts & { readonly kind: 'macro' })
  /** `has(row.x)` and `is_null(x)`. */
  | (Placed & { readonly kind: 'known'; readonly of: Term; readonly answer: boolean })
  | (Placed & { readonly kind: 'element'; readonly list: Term; readonly index: Term })
  | (Placed & { readonly kind: 'list'; readonly items: readonly Term[] })
  /** A mistake that was reported; what stands below is looked at all the same. */
  | (Placed & { readonly kind: 'mistake'; readonly parts: readonly Term[] });

export interface MacroParts {
  readonly macro: MacroName;
  readonly list: Term;
  readonly local: string;
  /** The condition of all but a `map` of two arguments. */
  readonly predicate: Term | null;
  /** What `map` makes of an element. */
  readonly result: Term | null;
}

/** The terms right below. */
export function partsOf(term: Term): readonly Term[] {
  switch (term.kind) {
    case 'literal':
    case 'variable':
    case 'local':
      return [];
    case 'unary':
      return [term.operand];
    case 'binary':
      return [term.left, term.right];
    case 'conditional':
      return [term.condition, term.yes, term.no];
    case 'call':
      return term.receiver === null ? term.args : [term.receiver, ...term.args];
    case 'macro':
      return [term.list, term.predicate, term.result].filter((part) => part !== null);
    case 'known':
      return [term.of];
    case 'element':
      return [term.list, term.index];
    case 'list':
      return term.items;
    case 'mistake':
      return term.parts;
  }
}
