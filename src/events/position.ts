/**
 * A position names every event: the LSN of its transaction's commit record, and its ordinal among the
 * transaction's row changes and transactional messages, in wire order, before any filter.
 */
export type Lsn = bigint & { readonly __brand: 'Lsn' };

export interface Position {
  readonly lsn: Lsn;
  readonly ordinal: number;
}

/** Twelve hex digits: more ordinals than a transaction can have, and still an exact JS number. */
const ORDINAL_DIGITS = 12;
/** A Commit that was read closes its transaction at `(lsn, MAX_ORDINAL)`. */
export const MAX_ORDINAL = 0xffff_ffff_ffff;
export const ZERO_LSN = 0n as Lsn;

/** PostgreSQL's form, `16/B374D848` → Lsn. */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (match === null) throw new Error(`not an LSN: ${JSON.stringify(text)}`);
  return ((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)) as Lsn;
}

/** Lsn → PostgreSQL's form. */
export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`;
}

/** Sixteen hex digits: the fixed-width form of an LSN inside a position. */
export function lsnHex(lsn: Lsn): string {
  return lsn.toString(16).toUpperCase().padStart(16, '0');
}

/** `00000016B374D848.00000000002A`: text order is position order. */
export function formatPosition(lsn: Lsn, ordinal: number): PositionText {
  return positionText(lsnHex(lsn), ordinal);
}

/** The same from an LSN that is hex already: rows of one transaction share it. */
export function positionText(lsn: string, ordinal: number): PositionText {
  return `${lsn}.${ordinal.toString(16).toUpperCase().padStart(ORDINAL_DIGITS, '0')}`;
}

/** A position as fixed-width text; compare with `<` and `===` (text order is position order). */
export type PositionText = string;

/** Before every event. */
export const ORIGIN: PositionText = positionText('0'.repeat(16), 0);

export function parsePosition(text: PositionText): Position {
  const match = /^([0-9A-F]{16})\.([0-9A-F]{12})$/.exec(text);
  if (match === null) throw new Error(`not a position: ${JSON.stringify(text)}`);
  return { lsn: BigInt(`0x${match[1]}`) as Lsn, ordinal: Number.parseInt(match[2] as string, 16) };
}

/** The position that closes the transaction whose commit record starts at `lsn`. */
export function closing(lsn: Lsn): PositionText {
  return positionText(lsnHex(lsn), MAX_ORDINAL);
}
