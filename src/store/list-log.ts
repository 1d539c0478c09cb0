import type { ClientBase, Pool } from 'pg';
import { transaction, withClient } from './transaction.ts';

/** A change in `weir.list_changes`. */
export interface ListChange {
  readonly list: string;
  readonly value: string;
  /** The revision; its negative where the value was taken out. */
  readonly toggle: number;
}

/** What the store says of lists, all of it as of one moment. */
export interface ListReading {
  /** The last revision. */
  readonly revision: number;
  /** The revision of the last acknowledgement: no batch of an older one is to be folded any more. */
  readonly acknowledged: number;
  /** Of those that were asked for, the lists that are in the store: the revision from which on. */
  readonly since: ReadonlyMap<string, number>;
}

/** The lists in the store. Whatever it reads is told in small pieces: a list may have millions of entries. */
export interface ListLog {
  read<Result>(names: readonly string[], work: (log: ListReader) => Promise<Result>): Promise<Result>;
}

export interface ListReader extends ListReading {
  /** What is in the list now. */
  entries(list: string, take: (value: string) => void): Promise<void>;
  /** What has changed in the lists after a revision, in order. */
  changes(lists: readonly string[], after: number, take: (change: ListChange) => void): Promise<void>;
}

const ROWS_AT_ONCE = 10_000;

/** The lists as the instance `processorId` reads them. */
export function openLists(pool: Pool, processorId: string): ListLog {
  return {
    read: (names, work) =>
      withClient(pool, (client) =>
        transaction(client, async () => {
          await client.query('set transaction isolation level repeatable read read only');
          return work(await readerOf(client, processorId, names));
        }),
      ),
  };
}

async function readerOf(
  client: ClientBase,
  processorId: string,
  names: readonly string[],
): Promise<ListReader> {
  const stand = await client.query<{ revision: string; acknowledged: string | null }>(STAND, [processorId]);
  const lists = await client.query<{ name: string; revision: string }>(
    'select name, revision from weir.lists where name = any ($1)',
    [names],
  );
  const [row] = stand.rows;
  return {
    revision: Number(row?.revision ?? 0),
    acknowledged: Number(row?.acknowledged ?? 0),
    since: new Map(lists.rows.map(({ name, revision }) => [name, Number(revision)])),
    entries: (list, take) =>
      stream<[string]>(client, { text: ENTRIES, values: [list] }, ([value]) => take(value)),
    changes: (of, after, take) =>
      stream<[string, string, string]>(
        client,
        { text: CHANGES, values: [of, after] },
        ([list, value, toggle]) => take({ list, value, toggle: Number(toggle) }),
      ),
  };
}

const STAND = `select c.revision, (select a.lists from weir.acks a where a.processor_id = $1) as acknowledged
  from weir.list_clock c`;
const ENTRIES = 'select value from weir.list_entries where list_name = $1';
const CHANGES = `select list_name, value, case when added then revision else -revision end from weir.list_changes
  where revision > $2 and list_name = any ($1) order by revision`;

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** By a cursor: of a million rows only some are here at a time. */
async function stream<Row extends unknown[]>(
  client: ClientBase,
  { text, values }: Statement,
  take: (row: Row) => void,
): Promise<void> {
  await client.query(`declare lists no scroll cursor for ${text}`, [...values]);
  for (;;) {
    const { rows } = await client.query<Row>({ text: `fetch ${ROWS_AT_ONCE} from lists`, rowMode: 'array' });
    for (const row of rows) take(row);
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await client.query('close lists');
}
