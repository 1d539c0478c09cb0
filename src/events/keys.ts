import { createHash } from 'node:crypto';
import type { Cell } from './row.ts';

/** A key hashes to one of these for good; partitions own buckets, so state moves by bucket. */
export const BUCKETS = 1024;

/** The key of every row of a lane. */
export const LANE_KEY = '';
/** PostgreSQL's btree refuses what is much longer; 512 leaves room for several columns in an index. */
const MAX_KEY_BYTES = 512;
/** Of a key that is too long: enough for a person to recognise it. */
const PREFIX_CODE_UNITS = 64;
const HIGH_SURROGATE = 0xd800;
const LOW_SURROGATE = 0xdc00;

/**
 * The key of a row as text: one column's own text, several as a JSON array of texts; null when any of them is
 * NULL or unknown. No columns at all are the one lane of a pattern without `by`: the empty text. Over 512 bytes of UTF-8 it is a 64-character prefix, `#`, and the SHA-256 of the whole.
 */
export function keyText(cells: readonly Cell[], columns: readonly number[]): string | null {
  return columns.length === 1 ? single(cells[columns[0] as number]) : composite(cells, columns);
}

function single(cell: Cell | undefined): string | null {
  return typeof cell === 'string' ? boundedKey(cell) : null;
}

function composite(cells: readonly Cell[], columns: readonly number[]): string | null {
  const texts: string[] = [];
  for (const column of columns) {
    const cell = cells[column];
    if (typeof cell !== 'string') return null;
    texts.push(cell);
  }
  return texts.length === 0 ? LANE_KEY : boundedKey(JSON.stringify(texts));
}

/** Over 512 bytes of UTF-8: its prefix and hash. */
export function boundedKey(text: string): string {
  // A UTF-16 code unit is at most three bytes of UTF-8: short keys need no count.
  if (text.length * 3 <= MAX_KEY_BYTES || Buffer.byteLength(text) <= MAX_KEY_BYTES) return text;
  const hash = createHash('sha256').update(text).digest('hex');
  return `${text.slice(0, prefixEnd(text))}#${hash}`;
}

/** Never between the halves of a surrogate pair: a lone one is no UTF-8, and PostgreSQL refuses it. */
function prefixEnd(text: string): number {
  const last = text.charCodeAt(PREFIX_CODE_UNITS - 1);
  return last >= HIGH_SURROGATE && last < LOW_SURROGATE ? PREFIX_CODE_UNITS - 1 : PREFIX_CODE_UNITS;
}

/** FNV-1a, 32 bits, over the UTF-16 code units, modulo the buckets. State is stored by it: never change it. */
export function bucketOf(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash & (BUCKETS - 1);
}

export function partitionOf(bucket: number, partitions: number): number {
  return bucket % partitions;
}
