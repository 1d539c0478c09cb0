import { codeOf } from './postgres-database.ts';

/** Classes 08 and 57P: the connection broke, or the server stops or starts. 53300: too many clients. */
const LOST = /^(08...|57P0[1-5]|53300|ECONN[A-Z]+|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|EHOSTUNREACH)$/;
const LOST_MESSAGE =
  /Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired|Query read timeout/;

/** The server is away, for now. */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined && LOST.test(code)) return true;
  return error instanceof Error && LOST_MESSAGE.test(error.message);
}

/**
 * BullMQ knows a lost connection by the words of its Redis driver: only then does it wait and try again.
 * Any other error ends a completion at once, and makes a worker's loop spin.
 */
export function lost(cause: unknown): Error {
  return new Error('Connection is closed.', { cause });
}
