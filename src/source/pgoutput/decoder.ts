import type { Lsn } from '../../events/position.ts';
import type { Change, Relation, RelationColumn } from '../change.ts';
import { MessageReader } from './message-reader.ts';
import { readKeyTuple, readTuple } from './tuple.ts';

const KEY = 0x4b; // 'K'
const OLD = 0x4f; // 'O'
const NEW = 0x4e; // 'N'
const TRANSACTIONAL = 1;
const CASCADE = 1;
const RESTART_IDENTITY = 2;

const REPLICA_IDENTITIES: Readonly<Record<string, Relation['replicaIdentity']>> = {
  d: 'default',
  n: 'nothing',
  f: 'full',
  i: 'index',
};

/**
 * Decodes pgoutput, protocol version 1: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 * One for each connection: PostgreSQL sends a table's Relation once a connection, before its first row, and
 * again after DDL.
 */
export class PgoutputDecoder {
  private readonly relations = new Map<number, Relation>();
  private readonly reader = new MessageReader();

  /** One message, whole; throws `WEIR_PROTOCOL` for whatever is not one. */
  decode(bytes: Buffer): Change {
    const { reader } = this;
    reader.open(bytes);
    const change = this.read(reader.uint8('a message type'));
    reader.end();
    // Only now: a malformed Relation must not replace the one we have.
    if (change.kind === 'relation') this.relations.set(change.relation.oid, change.relation);
    return change;
  }

  private read(type: number): Change {
    switch (type) {
      case 0x49: // 'I'
        return this.insert();
      case 0x55: // 'U'
        return this.update();
      case 0x44: // 'D'
        return this.delete();
      case 0x42: // 'B'
        return this.begin();
      case 0x43: // 'C'
        return this.commit();
      case 0x52: // 'R'
        return this.relation();
      case 0x4d: // 'M'
        return this.message();
      case 0x54: // 'T'
        return this.truncate();
      case 0x59: // 'Y'
        return this.type();
      case 0x4f: // 'O'
        return this.origin();
      default:
        this.reader.offset = 0;
        return this.reader.fail(`a message of protocol version 1 (B C D I M O R T U Y), not byte ${type}`);
    }
  }

  private begin(): Change {
    const { reader } = this;
    reader.kind = 'Begin';
    return {
      kind: 'begin',
      commitLsn: reader.uint64('the commit LSN') as Lsn,
      commitAt: reader.timestamp('a commit time'),
      xid: reader.uint32('the transaction id'),
    };
  }

  private commit(): Change {
    const { reader } = this;
    reader.kind = 'Commit';
    reader.uint8('flags');
    return {
      kind: 'commit',
      commitLsn: reader.uint64('the commit LSN') as Lsn,
      endLsn: reader.uint64('the end LSN') as Lsn,
      commitAt: reader.timestamp('a commit time'),
    };
  }

  private origin(): Change {
    const { reader } = this;
    reader.kind = 'Origin';
    const originLsn = reader.uint64('the LSN at the origin') as Lsn;
    return { kind: 'origin', originLsn, name: reader.string('a name') };
  }

  private message(): Change {
    const { reader } = this;
    reader.kind = 'Message';
    const transactional = (reader.uint8('flags') & TRANSACTIONAL) !== 0;
    const lsn = reader.uint64('an LSN') as Lsn;
    const prefix = reader.string('a prefix');
    const length = reader.int32('the length of the content');
    const content = reader.copy(length, 'content');
    return { kind: 'message', transactional, lsn, prefix, content };
  }

  private type(): Change {
    const { reader } = this;
    reader.kind = 'Type';
    const oid = reader.uint32('an OID');
    const schema = reader.string('a schema') || 'pg_catalog';
    return { kind: 'type', oid, schema, name: reader.string('a name') };
  }

  private relation(): Change {
    const { reader } = this;
    reader.kind = 'Relation';
    const oid = reader.uint32('an OID');
    // PostgreSQL sends its own schema as nothing.
    const schema = reader.string('a schema') || 'pg_catalog';
    const name = reader.string('a name');
    const replicaIdentity = REPLICA_IDENTITIES[String.fromCharCode(reader.uint8('a replica identity'))];
    if (replicaIdentity === undefined) {
      reader.offset--;
      return reader.fail('a replica identity (d, n, f or i)');
    }
    const count = reader.uint16('a column count');
    const columns: RelationColumn[] = [];
    for (let i = 0; i < count; i++) columns.push(readColumn(reader));
    return { kind: 'relation', relation: { oid, schema, name, replicaIdentity, columns } };
  }

  private insert(): Change {
    const { reader } = this;
    reader.kind = 'Insert';
    const relation = this.known();
    if (reader.uint8('a new row') !== NEW) this.wrongTuple('a new row (N)');
    return { kind: 'insert', relation, row: readTuple(reader, relation) };
  }

  private update(): Change {
    const { reader } = this;
    reader.kind = 'Update';
    const relation = this.known();
    const part = reader.uint8('a row');
    if (part === NEW) return { kind: 'update', relation, row: readTuple(reader, relation), old: null };
    const old = this.old(part, relation, 'a key (K), an old row (O) or a new row (N)');
    if (reader.uint8('a new row') !== NEW) this.wrongTuple('a new row (N)');
    return { kind: 'update', relation, row: readTuple(reader, relation), old };
  }

  private delete(): Change {
    const { reader } = this;
    reader.kind = 'Delete';
    const relation = this.known();
    const part = reader.uint8('a row');
    return { kind: 'delete', relation, old: this.old(part, relation, 'a key (K) or an old row (O)') };
  }

  private truncate(): Change {
    const { reader } = this;
    reader.kind = 'Truncate';
    const count = reader.uint32('a count of tables');
    const flags = reader.uint8('flags');
    const relations: Relation[] = [];
    for (let i = 0; i < count; i++) relations.push(this.known());
    return {
      kind: 'truncate',
      relations,
      cascade: (flags & CASCADE) !== 0,
      restartIdentity: (flags & RESTART_IDENTITY) !== 0,
    };
  }

  private old(part: number, relation: Relation, expected: string) {
    if (part === KEY) return readKeyTuple(this.reader, relation);
    return part === OLD ? readTuple(this.reader, relation) : this.wrongTuple(expected);
  }

  private known(): Relation {
    const { reader } = this;
    const oid = reader.uint32('the OID of a table');
    const relation = this.relations.get(oid);
    if (relation !== undefined) return relation;
    reader.offset -= 4;
    return reader.fail(`a table that a Relation message has described, not OID ${oid}`);
  }

  private wrongTuple(expected: string): never {
    this.reader.offset--;
    return this.reader.fail(expected);
  }
}

const KEY_COLUMN = 1;

function readColumn(reader: MessageReader): RelationColumn {
  const flags = reader.uint8('the flags of a column');
  const name = reader.string('the name of a column');
  const typeOid = reader.uint32("the OID of a column's type");
  const typmod = reader.int32("a column's type modifier");
  return { name, typeOid, typmod, key: (flags & KEY_COLUMN) !== 0 };
}
