import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WeirError } from '../../../src/errors.ts';
import { parseLsn } from '../../../src/events/position.ts';
import { NOT_SENT, UNCHANGED } from '../../../src/events/row.ts';
import type { Change } from '../../../src/source/change.ts';
import { PgoutputDecoder } from '../../../src/source/pgoutput/decoder.ts';

const POSTGRES = [14, 18] as const;

function golden(version: number): Buffer[] {
  const file = new URL(`./golden/postgres-${version}.json`, import.meta.url);
  const { messages } = JSON.parse(readFileSync(file, 'utf8')) as { messages: string[] };
  return messages.map((hex) => Buffer.from(hex, 'hex'));
}

function decodeAll(messages: readonly Buffer[]): Change[] {
  const decoder = new PgoutputDecoder();
  return messages.map((message) => decoder.decode(message));
}

/** The row changes of one table. */
function rowsOf(changes: readonly Change[], table: string) {
  return changes.flatMap((change) => {
    if (change.kind !== 'insert' && change.kind !== 'update' && change.kind !== 'delete') return [];
    if (change.relation.name !== table) return [];
    const row = change.kind === 'delete' ? null : change.row;
    return [{ kind: change.kind, row, old: change.kind === 'insert' ? null : change.old }];
  });
}

const LONG = 'long '.repeat(1000);
const BLANK = (count: number) => new Array<null>(count).fill(null);

describe.each(POSTGRES)('the bytes of PostgreSQL %i', (version) => {
  const changes = decodeAll(golden(version));

  test('give each type its exact text', () => {
    const [first, one, two, three] = rowsOf(changes, 'every_type');
    expect(first?.row).toEqual([
      '9223372036854775807',
      '-32768',
      '2147483647',
      '1234567890123456789012345678901234567890.0123456789',
      '-0.00000000000000000001',
      '1.5',
      '0.1',
      't',
      'grüße 🎉',
      'x',
      'ab   ',
      '2026-03-01 06:30:00.123456+00',
      '1969-12-31 23:59:59.999999',
      '2026-03-01',
      '23:59:59.5',
      '23:59:59.5+02',
      '1 year 2 mons -3 days +04:05:06.789',
      '{"a": [null, "é"], "b": 1.10}',
      '{"b": 1.10,  "a": 1}',
      '{1,NULL,3}',
      '{"a,b","say \\"hi\\"","NULL",NULL,""}',
      '[0:1][5:6]={{1,2},{3,4}}',
      'very "happy"',
      'a@b',
      '6f1e0e2c-5f6f-4c58-9b8f-0123456789ab',
      '\\x00ff10',
      '10.0.0.1',
      '10.0.0.0/8',
      '(1.5,-2)',
      '[1,5)',
    ]);
    const sparse = (id: string, exact: string, floats: [string, string], word: string | null) => [
      ...[id, null, null, exact, null, ...floats, null, word, null, null],
    ];
    const tail = (ids: string | null) => [...BLANK(5), ids, ...BLANK(10)];
    expect([one?.row, two?.row, three?.row]).toEqual([
      [...sparse('1', 'NaN', ['NaN', 'Infinity'], ''), 'infinity', '-infinity', 'infinity', ...tail('{}')],
      [
        ...sparse('2', '0.000000000000000000000000000001', ['-Infinity', '5e-324'], 'x'.repeat(200)),
        ...['-infinity', 'infinity', '-infinity', ...tail(null)],
      ],
      [
        ...sparse('-9223372036854775808', '0', ['1e+20', '1e+300'], 'tab\tline\n'),
        ...['0044-03-15 12:00:00+00 BC', '294276-12-31 23:59:59.999999', '4713-01-01 BC', ...tail('{-1}')],
      ],
    ]);
  });

  test('tell NULL, an unchanged TOAST value and what is outside the key apart', () => {
    expect(rowsOf(changes, 'by_key')).toEqual([
      { kind: 'insert', row: ['1', 'word 1', LONG], old: null },
      { kind: 'insert', row: ['2', 'word 2', null], old: null },
      { kind: 'insert', row: ['3', 'word 3', null], old: null },
      { kind: 'insert', row: ['4', 'word 4', null], old: null },
      { kind: 'update', row: ['1', 'same key', UNCHANGED], old: null },
      { kind: 'update', row: ['10', null, null], old: ['2', NOT_SENT, NOT_SENT] },
      { kind: 'delete', row: null, old: ['3', NOT_SENT, NOT_SENT] },
      { kind: 'insert', row: ['5', 'after DDL', null, '7'], old: null },
    ]);
  });

  test('have the whole old row with REPLICA IDENTITY FULL, its NULLs and its TOAST values too', () => {
    expect(rowsOf(changes, 'Full; "Row"')).toEqual([
      { kind: 'insert', row: ['1', null, LONG], old: null },
      { kind: 'update', row: ['1', 'new', UNCHANGED], old: ['1', null, LONG] },
      { kind: 'delete', row: null, old: ['1', 'new', LONG] },
    ]);
  });

  test('have the columns of the index with REPLICA IDENTITY USING INDEX', () => {
    expect(rowsOf(changes, 'by_index')).toEqual([
      { kind: 'insert', row: ['1', 'a', 'w'], old: null },
      { kind: 'update', row: ['1', 'b', 'w'], old: ['1', 'a', NOT_SENT] },
      { kind: 'delete', row: null, old: ['1', 'b', NOT_SENT] },
      { kind: 'insert', row: ['2', 'o', null], old: null },
    ]);
  });

  test('describe each table, again after DDL', () => {
    const tables = changes.flatMap((change) => (change.kind === 'relation' ? [change.relation] : []));
    const names = (index: number) => tables[index]?.columns.map((column) => column.name);
    expect(tables.map((table) => table.replicaIdentity)).toContain('full');
    expect(tables.find((table) => table.name === 'every_type')?.columns[4]).toEqual({
      name: 'scaled',
      typeOid: 1700,
      typmod: ((40 << 16) | 20) + 4,
      key: false,
    });
    expect(tables[1]).toMatchObject({ schema: 'public', name: 'by_key', replicaIdentity: 'default' });
    expect(tables[1]?.columns.map((column) => column.key)).toEqual([true, false, false]);
    expect(tables.find((table) => table.name === 'by_index')?.replicaIdentity).toBe('index');
    expect(names(1)).toEqual(['id', 'word', 'long']);
    expect(names(4)).toEqual(['id', 'word', 'long', 'more']);
  });

  test('name the types that are not built in', () => {
    const types = changes.flatMap((change) => (change.kind === 'type' ? [change] : []));
    expect(types.map(({ schema, name }) => ({ schema, name }))).toEqual([
      { schema: 'public', name: 'mood' },
      { schema: 'pg_catalog', name: 'text' }, // the base of the domain
    ]);
  });

  test('hold truncates of one table and of several', () => {
    const truncates = changes.flatMap((change) => (change.kind === 'truncate' ? [change] : []));
    const flat = truncates.map(({ relations, cascade, restartIdentity }) => ({
      tables: relations.map((relation) => relation.name),
      cascade,
      restartIdentity,
    }));
    expect(flat).toEqual([
      { tables: ['by_key'], cascade: false, restartIdentity: false },
      { tables: ['by_key', 'by_index'], cascade: true, restartIdentity: true },
    ]);
  });

  test('hold logical messages, inside and outside of transactions', () => {
    const messages = changes.flatMap((change) => (change.kind === 'message' ? [change] : []));
    const flat = messages.map(({ transactional, prefix, content }) => ({
      transactional,
      prefix,
      content: Buffer.from(content).toString(),
    }));
    expect(flat).toEqual([
      { transactional: true, prefix: 'weir/golden', content: 'hällo' },
      { transactional: false, prefix: 'weir/golden', content: '' },
      { transactional: true, prefix: 'weir/golden', content: 'end' },
    ]);
  });

  test('name the origin of a transaction, whose commit time is that of the origin', () => {
    const index = changes.findIndex((change) => change.kind === 'origin');
    expect(changes[index]).toEqual({ kind: 'origin', originLsn: parseLsn('1/2A'), name: 'elsewhere' });
    expect(changes[index - 1]).toMatchObject({ kind: 'begin', commitAt: Date.UTC(2026, 0, 1) * 1000 });
  });

  test('begin and end each transaction at the same LSN and time', () => {
    let open: Change | null = null;
    let last = 0n;
    for (const change of changes) {
      if (change.kind === 'begin') {
        expect(open).toBeNull();
        expect(change.commitLsn).toBeGreaterThan(last);
        open = change;
      } else if (change.kind === 'commit') {
        expect(open).toMatchObject({ commitLsn: change.commitLsn, commitAt: change.commitAt });
        expect(change.endLsn).toBeGreaterThan(change.commitLsn);
        last = change.commitLsn;
        open = null;
      }
    }
    expect(open).toBeNull();
  });

  test('are a clean error at every length short of a message, and with one byte more', () => {
    const decoder = new PgoutputDecoder();
    for (const message of golden(version)) {
      decoder.decode(message);
      for (let length = 0; length < message.length; length++)
        expectProtocolError(
          () => decoder.decode(message.subarray(0, length)),
          `${length} of ${message.length}`,
        );
      expectProtocolError(() => decoder.decode(Buffer.concat([message, Buffer.from([0])])), 'one byte more');
    }
  });

  test('may have any byte changed: a change or a clean error, and the tables known before stay', () => {
    const messages = golden(version).filter((message) => message.length < 1000);
    fc.assert(
      fc.property(fc.nat(messages.length - 1), fc.nat(), fc.nat(255), (index, place, byte) => {
        const decoder = new PgoutputDecoder();
        for (const message of messages.slice(0, index)) decoder.decode(message);
        const message = Buffer.from(messages[index] as Buffer);
        message[place % message.length] = byte;
        expectChangeOrProtocolError(() => decoder.decode(message));
      }),
    );
  });
});

describe('a malformed message', () => {
  const relation = Buffer.from('R\0\0\0\x07public\0t\0d\0\x01\x01id\0\0\0\0\x17\xff\xff\xff\xff', 'latin1');
  const known = () => {
    const decoder = new PgoutputDecoder();
    decoder.decode(relation);
    return decoder;
  };
  const insert = (tail: string) => Buffer.from(`I\0\0\0\x07N${tail}`, 'latin1');

  test.each([
    [
      'of no bytes',
      '',
      'malformed pgoutput message at byte 0 of 0: expected a message type, 0 bytes are left',
    ],
    [
      'of a streamed transaction',
      'S',
      /at byte 0 of 1: expected a message of protocol version 1 .*, not byte 83/,
    ],
    [
      'cut short',
      'I\0\0',
      'malformed pgoutput Insert at byte 1 of 3: expected the OID of a table, 2 bytes are left',
    ],
    [
      'of a table never described',
      'I\0\0\0\x08N',
      /Insert at byte 1 of 6: expected a table that .* not OID 8/,
    ],
    ['of a table with a high OID', 'I\xff\xff\xff\xffN', /not OID 4294967295/],
    ['with no new row', 'I\0\0\0\x07K', /Insert at byte 5 of 6: expected a new row \(N\)/],
    [
      'with too many columns',
      'I\0\0\0\x07N\0\x02nn',
      /at byte 6 of 10: expected 1 columns of public\.t, not 2/,
    ],
    ['with a binary value', 'I\0\0\0\x07N\0\x01b\0\0\0\x01x', /byte 8 of 14: .*not binary/],
    ['with a value of an unknown format', 'I\0\0\0\x07N\0\x01z', /byte 8 of 9: .*not byte 122/],
    [
      'with a value that is too long',
      'I\0\0\0\x07N\0\x01t\x7f\xff\xff\xffx',
      /a value of 2147483647 bytes, 1 bytes/,
    ],
    ['with a negative length', 'I\0\0\0\x07N\0\x01t\xff\xff\xff\xffx', /expected a value of -1 bytes/],
    [
      'with bytes after its end',
      'I\0\0\0\x07N\0\x01nn',
      /byte 9 of 10: expected the end of the message, 1 bytes/,
    ],
    [
      'with an old row of no kind',
      'D\0\0\0\x07N',
      /Delete at byte 5 of 6: expected a key \(K\) or an old row/,
    ],
    ['with two old rows', 'U\0\0\0\x07K\0\x01nK', /Update at byte 9 of 10: expected a new row \(N\)/],
    ['with a name that does not end', 'Y\0\0\0\x01a', /Type at byte 5 of 6: expected a schema that ends/],
    [
      'with a replica identity of no kind',
      'R\0\0\0\x01s\0t\0x\0\0',
      /Relation at byte 9 of 12: expected a replica/,
    ],
    [
      'with more tables than bytes',
      'T\xff\xff\xff\xff\0',
      /Truncate at byte 6 of 6: expected the OID of a table/,
    ],
    [
      'with a time out of range',
      `B${'\0'.repeat(8)}\x7f${'\xff'.repeat(7)}\0\0\0\x01`,
      /expected a commit time that/,
    ],
  ])('%s says its kind, the place, and what was expected', (_, bytes, message) => {
    expect(() => known().decode(Buffer.from(bytes, 'latin1'))).toThrow(message);
    expectProtocolError(() => known().decode(Buffer.from(bytes, 'latin1')), bytes);
  });

  test('leaves the tables as they were', () => {
    const decoder = known();
    const more = Buffer.concat([relation, Buffer.from('x')]);
    more[4] = 8;
    expectProtocolError(() => decoder.decode(more), 'trailing byte');
    expect(() => decoder.decode(Buffer.from('I\0\0\0\x08N\0\x01n', 'latin1'))).toThrow('not OID 8');
    expect(decoder.decode(insert('\0\x01n'))).toMatchObject({ kind: 'insert', row: [null] });
  });

  test('is never anything but a clean error, whatever the bytes', () => {
    const decoder = known();
    const kinds = fc.constantFrom(...'BCDIMORTUY').map((kind) => Buffer.from(kind));
    const bytes = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(fc.oneof(kinds, fc.constant(insert(''))), bytes, (head, tail) => {
        expectChangeOrProtocolError(() => decoder.decode(Buffer.concat([head, tail])));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('values', () => {
  test('keep every character, at any length', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary-ascii', maxLength: 200 }));
    fc.assert(
      fc.property(fc.array(fc.option(text), { minLength: 1, maxLength: 9 }), fc.nat(2), (values, times) => {
        const cells = values.map((value) => value?.repeat(1 + times * times * 20) ?? null);
        const decoder = new PgoutputDecoder();
        decoder.decode(relationOf(cells.length));
        expect(decoder.decode(insertOf(cells))).toMatchObject({ kind: 'insert', row: cells });
      }),
    );
  });

  test('of a message outlive the memory it came in', () => {
    const decoder = new PgoutputDecoder();
    decoder.decode(relationOf(1));
    const bytes = insertOf(['a value of some length']);
    const change = decoder.decode(bytes);
    const message = Buffer.from('M\x01\0\0\0\0\0\0\0\x05p\0\0\0\0\x02hi', 'latin1');
    const logical = decoder.decode(message);
    bytes.fill(0);
    message.fill(0);
    expect(change).toMatchObject({ row: ['a value of some length'] });
    expect(logical).toMatchObject({ transactional: true, lsn: 5n, content: new Uint8Array([0x68, 0x69]) });
  });
});

function relationOf(columns: number): Buffer {
  const column = Buffer.from('\x01c\0\0\0\0\x19\xff\xff\xff\xff', 'latin1');
  const head = Buffer.from(`R\0\0\0\x01s\0t\0d\0${String.fromCharCode(columns)}`, 'latin1');
  return Buffer.concat([head, ...new Array<Buffer>(columns).fill(column)]);
}

function insertOf(cells: readonly (string | null)[]): Buffer {
  const parts = cells.map((cell) => {
    if (cell === null) return Buffer.from('n');
    const text = Buffer.from(cell);
    const head = Buffer.alloc(5, 't');
    head.writeInt32BE(text.length, 1);
    return Buffer.concat([head, text]);
  });
  return Buffer.concat([Buffer.from([0x49, 0, 0, 0, 1, 0x4e, 0, cells.length]), ...parts]);
}

/** Not `expect(…).toThrow`: it runs a hundred thousand times. */
function thrownBy(work: () => unknown): unknown {
  try {
    work();
    return null;
  } catch (error) {
    return error;
  }
}

function expectProtocolError(work: () => unknown, what: string): void {
  const error = thrownBy(work);
  if (!(error instanceof WeirError) || error.code !== 'WEIR_PROTOCOL')
    expect.fail(`${what}: expected WEIR_PROTOCOL, got ${String(error)}`);
}

function expectChangeOrProtocolError(work: () => unknown): void {
  if (thrownBy(work) !== null) expectProtocolError(work, 'these bytes');
}
