import { timestampMicros } from '../events/cell-time.ts';
import type { Micros } from '../events/row.ts';
import { parseIso } from './cel/time.ts';

/** A timestamp as people and PostgreSQL write it; without a zone it is UTC; also `infinity`. null: not one. */
export function parseInstant(text: string): Micros | null {
  return parseIso(text) ?? timestampMicros(text);
}
