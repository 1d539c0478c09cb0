/**
 * What went wrong, for the log and for readiness: the words only, since errors of the Redis driver carry the
 * whole command, and so the rows in it.
 */
export function reasonOf(error: unknown): string {
  // A transaction that Redis refused says only that: the first of its commands' errors says why.
  if (error instanceof Error && 'previousErrors' in error && Array.isArray(error.previousErrors)) {
    const [first]: readonly unknown[] = error.previousErrors;
    if (first instanceof Error) return reasonOf(first);
  }
  // BullMQ's words for a lost connection (see `lost`): what broke it says more.
  if (error instanceof Error && error.cause instanceof Error) return reasonOf(error.cause);
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/ script: [0-9a-f]{40}.*$/s, ''); // which of BullMQ's scripts met it
}
