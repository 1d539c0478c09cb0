import { z } from 'zod';
import { decodeTime, encodeTime } from './batch.ts';
import { type Cell, type Micros, NOT_SENT, OPS, type Row, UNCHANGED } from './row.ts';

/** A row as it was read, by the names of its table and columns: it outlives the rules that it was read for. */
export interface RowChange extends Pick<Row, 'op' | 'at' | 'commitAt'> {
  /** `public.transactions` */
  readonly table: string;
  readonly columns: ReadonlyMap<string, Cell>;
  readonly old: ReadonlyMap<string, Cell> | null;
}

interface NamedTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly { readonly name: string }[];
}

export function tableName({ schema, name }: Pick<NamedTable, 'schema' | 'name'>): string {
  return `${schema}.${name}`;
}

/** As JSON text. */
export function encodeRowChange(table: NamedTable, row: Row): string {
  const { op, at, commitAt, cells, old } = row;
  const named = (values: readonly Cell[]): [string, Cell][] =>
    table.columns.flatMap(({ name }, i): [string, Cell][] => {
      const cell = values[i];
      return cell === undefined ? [] : [[name, cell]];
    });
  return JSON.stringify({
    ...{ table: tableName(table), op, at: encodeTime(at), commitAt: encodeTime(commitAt) },
    columns: Object.fromEntries(named(cells)),
    old: old === null ? null : Object.fromEntries(named(old)),
  });
}

const cell = z.union([z.string(), z.null(), z.literal(UNCHANGED), z.literal(NOT_SENT)]);
const cells = z.record(z.string(), cell).transform((named) => new Map<string, Cell>(Object.entries(named)));
const time = z
  .union([z.number(), z.literal(['infinity', '-infinity'])])
  .transform((at): Micros => decodeTime(at));

const rowChangeSchema = z.object({
  ...{ table: z.string(), op: z.enum(OPS), at: time, commitAt: time },
  ...{ columns: cells, old: cells.nullable() },
});

/** null: it is none. */
export function decodeRowChange(json: unknown): RowChange | null {
  const parsed = rowChangeSchema.safeParse(json);
  return parsed.success ? parsed.data : null;
}

/** The cells in the order of these columns; one that was not read then is not known. */
export function cellsOf(named: ReadonlyMap<string, Cell>, columns: NamedTable['columns']): readonly Cell[] {
  return columns.map(({ name }) => named.get(name) ?? (named.has(name) ? null : NOT_SENT));
}
