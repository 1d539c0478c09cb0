import type { ValueType } from '../plan-parts.ts';
import { typeName } from '../value-type.ts';
import { CONVERSIONS } from './functions/convert.ts';
import { MATCH_FUNCTIONS } from './functions/match.ts';
import { NUMBER_FUNCTIONS } from './functions/number.ts';
import { TEXT_FUNCTIONS } from './functions/text.ts';
import { TIME_FUNCTIONS } from './functions/time.ts';
import type { ParameterType, Signature } from './signature.ts';

/** All that a condition can call, beside the macros. */
export const SIGNATURES: readonly Signature[] = [
  ...TEXT_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...CONVERSIONS,
  ...TIME_FUNCTIONS,
  ...MATCH_FUNCTIONS,
];

/** `types` are those of the arguments, the receiver's first. */
export function findSignature(name: string, method: boolean, types: readonly ValueType[]): Signature | null {
  const found = SIGNATURES.find(({ name: own, receiver, args }) => {
    const wanted = receiver === null ? args : [receiver, ...args];
    if (own !== name || (receiver !== null) !== method || wanted.length !== types.length) return false;
    return wanted.every((parameter, index) => accepts(parameter, types[index]));
  });
  return found ?? null;
}

function accepts(parameter: ParameterType, type: ValueType | undefined): boolean {
  if (type === undefined) return false;
  if (parameter === 'any') return true;
  return parameter === 'list' ? typeof type !== 'string' : typeName(parameter) === typeName(type);
}
