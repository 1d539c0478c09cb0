/** What Weir knows of the tables: from PostgreSQL's catalog at run, from `columns:` where no database is at hand. */
export interface Catalog {
  /** By `schema.name`. */
  readonly tables: ReadonlyMap<string, CatalogTable>;
}

export interface CatalogTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly CatalogColumn[];
  readonly primaryKey: readonly string[];
  readonly replicaIdentity: 'default' | 'nothing' | 'full' | 'index';
  /** The columns of the replica identity; empty when there is none. */
  readonly identityColumns: readonly string[];
}

export interface CatalogColumn {
  readonly name: string;
  /** format_type's short name, domains resolved: `int8`, `numeric`, `timestamptz`, `text[]`; an enum is `enum`. */
  readonly pgType: string;
  readonly notNull: boolean;
  readonly generated: boolean;
  /** PostgreSQL 18: computed when it is read, so never in the WAL. */
  readonly virtual?: true;
}
