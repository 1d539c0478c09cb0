import type { Lsn } from '../events/position.ts';

/** Microseconds of 2000-01-01, the epoch of PostgreSQL's clock. */
const POSTGRES_EPOCH = 946_684_800_000_000n;

export interface StandbyStatus {
  /** One past the last byte received: shown in pg_stat_replication, means nothing else. */
  readonly received: Lsn;
  /** One past the last byte that is done with: from here the slot keeps WAL. */
  readonly flushed: Lsn;
  readonly nowMs: number;
  /** Asks the server to answer at once: how a silent peer is told from a quiet one. */
  readonly ping: boolean;
}

/** Standby status update: https://www.postgresql.org/docs/current/protocol-replication.html */
export function standbyStatus({ received, flushed, nowMs, ping }: StandbyStatus): Buffer {
  const bytes = Buffer.alloc(34);
  bytes.writeUInt8(0x72, 0); // 'r'
  bytes.writeBigUInt64BE(received > flushed ? received : flushed, 1);
  bytes.writeBigUInt64BE(flushed, 9);
  bytes.writeBigUInt64BE(flushed, 17);
  bytes.writeBigInt64BE(BigInt(Math.round(nowMs * 1000)) - POSTGRES_EPOCH, 25);
  bytes.writeUInt8(ping ? 1 : 0, 33);
  return bytes;
}
