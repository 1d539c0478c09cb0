import { CONVERSIONS } from './functions/convert.ts';
import { MATCH_FUNCTIONS } from './functions/match.ts';
import { NUMBER_FUNCTIONS } from './functions/number.ts';
import { TEXT_FUNCTIONS } from './functions/text.ts';
import { TIME_FUNCTIONS } from './functions/time.ts';
import type { Signature } from './signature.ts';

/** All that a condition can call, beside the macros. */
export const SIGNATURES: readonly Signature[] = [
  ...TEXT_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...CONVERSIONS,
  ...TIME_FUNCTIONS,
  ...MATCH_FUNCTIONS,
];
