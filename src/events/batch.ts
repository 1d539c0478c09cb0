import { z } from 'zod';
import { type PositionText, positionText } from './position.ts';
import { type Cell, type Letter, OPS, type Row } from './row.ts';

/**
 * What a BullMQ job carries: the rows in `(from, to]` for one partition, chained, of one rule set version.
 * `to` is how far the source had read, not the last row in it; an empty batch is a punctuation.
 */
export const batchSchema = z.object({
  v: z.literal(1),
  epoch: z.int(),
  partition: z.int(),
  /** Positions, fixed-width. */
  from: z.string(),
  to: z.string(),
  /** `Plan.version` that all rows are to be judged by. */
  rules: z.string(),
  /** Revision of the lists that all rows are to be judged by; jobs from before there were revisions have none. */
  lists: z.int().default(0),
  rows: z.int(),
  /** Bytes of WAL text in it: what the byte budget counts. */
  bytes: z.int(),
  /** Time at `to`, made by the source: the monotone commit time, and W of each table's event (-1: no row yet). */
  commitAt: z.number(),
  watermarks: z.array(z.number().nullable()),
  /** Commit LSN (16 hex digits) and monotone commit time of the transactions that the rows index. */
  transactions: z.array(z.tuple([z.string(), z.number()])),
  /** Flat: see `encodeRow`. */
  events: z.array(z.array(z.any())),
});
export type Batch = Readonly<z.infer<typeof batchSchema>>;

const LATE = 4;
const HAS_OLD = 8;
const LETTER = 16;

export interface RowParts {
  readonly table: number;
  readonly op: number;
  readonly late: boolean;
  readonly transaction: number;
  readonly ordinal: number;
  readonly at: number;
  readonly watermark: number;
  readonly roles: number;
  readonly cells: readonly Cell[];
  readonly old: readonly Cell[] | null;
}

/** [table, op | late | has old | letter, transaction, ordinal, at, watermark, roles, ...cells, ...old]; infinities as text. */
export type EncodedRow = readonly (Cell | number | string)[];

/** Once a row and partition: no spread, no intermediate array. */
export function encodeRow(row: RowParts): EncodedRow {
  const { cells, old } = row;
  const encoded: (Cell | number | string)[] = [
    row.table,
    row.op + (row.late ? LATE : 0) + (old === null ? 0 : HAS_OLD),
    row.transaction,
    row.ordinal,
    encodeTime(row.at),
    encodeTime(row.watermark),
    row.roles,
  ];
  for (let i = 0; i < cells.length; i++) encoded.push(cells[i] as Cell);
  if (old !== null) for (let i = 0; i < old.length; i++) encoded.push(old[i] as Cell);
  return encoded;
}

const HEAD = 7;

/** What a dead letter's row has beside its place in the stream. */
export interface LetterParts extends Omit<Letter, 'asked'> {
  /** Where the row stood at first, and the commit time of its transaction. */
  readonly position: PositionText;
  readonly commitAt: number;
}

/** A row as `encodeRow` has it, `ordinal` being that of the message that asks for it; what it was comes last. */
export function encodeLetter(row: RowParts, letter: LetterParts): EncodedRow {
  const [table, flags, ...rest] = encodeRow(row);
  const { id, rule, position, commitAt } = letter;
  return [table as number, (flags as number) + LETTER, ...rest, id, rule, position, encodeTime(commitAt)];
}
const LETTER_PARTS = 4;

function decodeLetter(encoded: EncodedRow, batch: Batch, columns: (table: number) => number): Row {
  const [table, flags, ...rest] = encoded as readonly number[];
  const [id, rule, position, commitAt] = encoded.slice(-LETTER_PARTS) as [string, string, string, number];
  const plain = [table as number, (flags as number) - LETTER, ...rest.slice(0, -LETTER_PARTS)];
  const row = decodeRow(plain, batch, columns);
  return { ...row, position, commitAt: decodeTime(commitAt), letter: { id, rule, asked: row.position } };
}

/** `columns` of a table: how many cells a row of it has. */
export function decodeRow(encoded: EncodedRow, batch: Batch, columns: (table: number) => number): Row {
  const [table, flags, transaction, ordinal, at, watermark, roles] = encoded as readonly number[];
  if (((flags as number) & LETTER) !== 0) return decodeLetter(encoded, batch, columns);
  const tx = batch.transactions[transaction as number];
  const op = OPS[(flags as number) & 3];
  if (tx === undefined || op === undefined)
    throw new Error(`malformed row in batch ${batch.from}..${batch.to}`);
  const width = columns(table as number);
  return {
    table: table as number,
    op,
    cells: encoded.slice(HEAD, HEAD + width) as Cell[],
    old: ((flags as number) & HAS_OLD) === 0 ? null : (encoded.slice(HEAD + width) as Cell[]),
    position: positionText(tx[0], ordinal as number),
    at: decodeTime(at as number | string),
    commitAt: tx[1],
    watermark: decodeTime(watermark as number | string),
    late: ((flags as number) & LATE) !== 0,
    roles: roles as number,
  };
}

/** JSON has no infinities. */
export function encodeTime(at: number): number | string {
  if (at === Infinity) return 'infinity';
  return at === -Infinity ? '-infinity' : at;
}

export function decodeTime(at: number | string): number {
  if (typeof at === 'number') return at;
  return at === 'infinity' ? Infinity : -Infinity;
}

/** Unique in its epoch, so BullMQ's deduplication never swallows a replay. No `:`, never an integer. */
export function jobId(batch: Pick<Batch, 'epoch' | 'partition' | 'from' | 'to'>): string {
  return `${batch.epoch}-${batch.partition}-${batch.from}-${batch.to}`;
}
