import type { Op } from '../events/row.ts';
import type { Plan } from './plan.ts';

export interface PublishedTable {
  readonly schema: string;
  readonly name: string;
  readonly ops: readonly Op[];
  /** null: no column list is allowed (updates or deletes of a table with REPLICA IDENTITY FULL). */
  readonly columns: readonly string[] | null;
}

/** What each publication must carry: the columns in use, which hold primary key and replica identity. */
export function publishedColumns(plan: Plan): PublishedTable[] {
  return plan.tables.map(({ schema, name, ops, columns, identityFull }) => ({
    schema,
    name,
    ops,
    columns: identityFull === true ? null : columns.map((column) => column.name),
  }));
}
