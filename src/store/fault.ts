import pg from 'pg';
import { WeirError } from '../errors.ts';

/**
 * What an error of the store asks for: `retry` the same again (on a new connection when `connectionLost`), find the
 * `poison` output that PostgreSQL refuses, or `fatal`: it will fail again until a person mends something.
 */
export interface Fault {
  readonly kind: 'retry' | 'poison' | 'fatal';
  /** SQLSTATE, Node's code of a socket error, or a WeirError's. */
  readonly code: string;
  readonly connectionLost: boolean;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html; the class or the whole code. */
const CONNECTION_LOST = ['08', '57P01', '57P02', '57P03', '57P05', '25P03', '25P04'];
const RETRY = [
  '40', // rolled back: serialisation, deadlock
  '53', // no disk, memory, connections
  '55P03', // lock timeout
  '55006', // in use
  '57014', // statement timeout
  '58', // I/O error
  '25006', // read only: connected to what was the primary
];
const POISON = ['22', '23', '54'];
const SOCKET = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ENOENT', // a Unix socket that is not there (yet)
  'EAI_AGAIN',
  'ERR_STREAM_DESTROYED',
]);

export function classify(error: unknown): Fault {
  if (error instanceof pg.DatabaseError) return bySqlState(error.code ?? 'XX000');
  if (error instanceof WeirError) {
    const kind = error.retry === 'backoff' ? 'retry' : 'fatal';
    return { kind, code: error.code, connectionLost: false };
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (SOCKET.has(code)) return { kind: 'retry', code, connectionLost: true };
  if (error instanceof AggregateError && error.errors.length > 0) return classify(error.errors[0]);
  if (error instanceof Error && CLIENT_LOST.test(error.message)) {
    return { kind: 'retry', code: '08006', connectionLost: true };
  }
  return { kind: 'fatal', code, connectionLost: false };
}

/** pg's own errors of a connection that is gone have a message only. */
const CLIENT_LOST =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout|timeout expired|timeout exceeded|Cannot use a pool|write after end)/i;

function bySqlState(code: string): Fault {
  const of = (codes: readonly string[]) => codes.some((prefix) => code.startsWith(prefix));
  if (of(CONNECTION_LOST)) return { kind: 'retry', code, connectionLost: true };
  if (of(RETRY)) return { kind: 'retry', code, connectionLost: false };
  return { kind: of(POISON) ? 'poison' : 'fatal', code, connectionLost: false };
}
