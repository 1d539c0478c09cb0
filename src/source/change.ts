import type { Lsn } from '../events/position.ts';
import type { Cell, Micros } from '../events/row.ts';

export interface RelationColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typmod: number;
  /** Part of the replica identity. */
  readonly key: boolean;
}

/** What a Relation message says of a table; sent again after DDL, at each reconnect, before its first row. */
export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly replicaIdentity: 'default' | 'nothing' | 'full' | 'index';
  readonly columns: readonly RelationColumn[];
}

/** A decoded pgoutput message (protocol version 1): https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html */
export type Change =
  | { readonly kind: 'begin'; readonly commitLsn: Lsn; readonly commitAt: Micros; readonly xid: number }
  | { readonly kind: 'commit'; readonly commitLsn: Lsn; readonly endLsn: Lsn; readonly commitAt: Micros }
  | { readonly kind: 'origin'; readonly originLsn: Lsn; readonly name: string }
  | { readonly kind: 'relation'; readonly relation: Relation }
  | { readonly kind: 'type'; readonly oid: number; readonly schema: string; readonly name: string }
  | { readonly kind: 'insert'; readonly relation: Relation; readonly row: readonly Cell[] }
  | {
      readonly kind: 'update';
      readonly relation: Relation;
      readonly row: readonly Cell[];
      /** The old key columns (others NOT_SENT) or the whole old row (identity FULL); null when the key did not change. */
      readonly old: readonly Cell[] | null;
    }
  | { readonly kind: 'delete'; readonly relation: Relation; readonly old: readonly Cell[] }
  | {
      readonly kind: 'truncate';
      readonly relations: readonly Relation[];
      readonly cascade: boolean;
      readonly restartIdentity: boolean;
    }
  | {
      readonly kind: 'message';
      readonly transactional: boolean;
      readonly lsn: Lsn;
      readonly prefix: string;
      readonly content: Uint8Array;
    };
