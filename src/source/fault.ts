/**
 * Why an epoch ended: all faults end in the same move, and differ only in what is said of them. `reason` is few and
 * fixed, for metrics; `detail` is for people.
 */
export class Fault extends Error {
  readonly reason: FaultReason;

  constructor(reason: FaultReason, detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'Fault';
    this.reason = reason;
  }
}

export type FaultReason =
  /** Another source holds a newer epoch: this one can write nothing more. */
  | 'fenced'
  /** A worker saw a gap or gained a partition. */
  | 'requested'
  /** Work was lost between source and workers. */
  | 'liveness'
  /** The queue refused or went away. */
  | 'queue'
  /** A connection to PostgreSQL went away, or anything else. */
  | 'connection';

/** What an epoch died of. */
export function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Fault('connection', message, error);
}
