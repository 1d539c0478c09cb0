/** Mistakes that a world can be built with, to show that the properties see them. */
export const BUGS = [
  /** Commits are fenced by the epoch alone. */
  'no position check',
  /** Commits are fenced by the position alone: outputs stay right, but an old epoch writes. */
  'no epoch check',
  /** The slot hears of one transaction more than the positions have. */
  'acknowledges too far',
  /** An acknowledgement keeps no times, so a replay stamps rows anew. */
  'forgets time',
  /** Nor does it keep what lists were in force there. */
  'forgets lists',
  /** Workers look at the lists as they are now. */
  'newest lists',
  /** A segment table is emptied before its buckets have snapshots. */
  'truncates too early',
  /** What another partition added to a decision is overwritten. */
  'overwrites decisions',
] as const;
export type Bug = (typeof BUGS)[number];

/** A promise of the design that a schedule has broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
}
