import { EXIT, WeirError } from '../../errors.ts';

/** The PostgreSQL epoch, 2000-01-01, in microseconds since the Unix epoch. */
const POSTGRES_EPOCH = 946_684_800_000_000;
/** Up to here a message is decoded once, and its values are parts of that string. */
const SHARED_BYTES = 4096;

/**
 * Reads one pgoutput message, front to back. Every length is checked before its bytes are touched, so whatever
 * the bytes are, the only error is `WEIR_PROTOCOL`.
 */
export class MessageReader {
  bytes: Buffer = Buffer.alloc(0);
  offset = 0;
  /** What the message is called in errors. */
  kind = 'message';
  private text: string | null = null;

  open(bytes: Buffer): void {
    this.bytes = bytes;
    this.offset = 0;
    this.text = null;
    this.kind = 'message';
  }

  uint8(what: string): number {
    this.need(1, what);
    return this.bytes[this.offset++] as number;
  }

  uint16(what: string): number {
    this.need(2, what);
    const value = this.bytes.readUInt16BE(this.offset);
    this.offset += 2;
    return value;
  }

  int32(what: string): number {
    this.need(4, what);
    const { bytes, offset } = this;
    this.offset = offset + 4;
    return (
      ((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)
    );
  }

  /** OIDs and transaction ids. */
  uint32(what: string): number {
    return this.int32(what) >>> 0;
  }

  uint64(what: string): bigint {
    this.need(8, what);
    const value = this.bytes.readBigUInt64BE(this.offset);
    this.offset += 8;
    return value;
  }

  /** A TimestampTz, microseconds since 2000-01-01, as microseconds since the Unix epoch. */
  timestamp(what: string): number {
    const high = this.int32(what);
    const value = high * 0x1_0000_0000 + this.uint32(what) + POSTGRES_EPOCH;
    if (!Number.isSafeInteger(value)) this.fail(`${what} that is between the years 1684 and 2255`);
    return value;
  }

  /** Text that ends in a NUL. */
  string(what: string): string {
    const end = this.bytes.indexOf(0, this.offset);
    if (end === -1) this.fail(`${what} that ends in a zero byte`);
    const text = this.bytes.toString('utf8', this.offset, end);
    this.offset = end + 1;
    return text;
  }

  /** A copy: pg reuses the memory of what it has parsed. */
  copy(length: number, what: string): Uint8Array {
    const start = this.offset;
    return new Uint8Array(this.bytes.subarray(start, this.skip(length, what)));
  }

  /** Moves over so many bytes, and returns where they end. */
  skip(length: number, what: string): number {
    if (length < 0 || length > this.bytes.length - this.offset) this.fail(`${what} of ${length} bytes`);
    this.offset += length;
    return this.offset;
  }

  /** Bytes that are ASCII, as text: a part of one string that is decoded once a message. */
  latin1(start: number, end: number): string {
    // Parts keep the whole alive: a large message is not worth that.
    if (this.bytes.length > SHARED_BYTES) return this.bytes.toString('latin1', start, end);
    this.text ??= this.bytes.toString('latin1');
    return this.text.substring(start, end);
  }

  need(length: number, what: string): void {
    if (length > this.bytes.length - this.offset) this.fail(what);
  }

  /** The whole message has been read: more bytes mean that it is not what we took it for. */
  end(): void {
    if (this.offset !== this.bytes.length) this.fail('the end of the message');
  }

  fail(expected: string): never {
    const { kind, offset, bytes } = this;
    const left = bytes.length - offset;
    throw new WeirError({
      code: 'WEIR_PROTOCOL',
      message: `malformed pgoutput ${kind} at byte ${offset} of ${bytes.length}: expected ${expected}, ${left} bytes are left`,
      hint: 'restart Weir; if it comes again, report it with the version of PostgreSQL: nothing was acknowledged',
      exit: EXIT.bug,
    });
  }
}
