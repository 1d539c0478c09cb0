import { userInfo } from 'node:os';
import type pg from 'pg';
import { transaction } from '../store/transaction.ts';

export interface Edit {
  readonly action: 'add' | 'remove';
  readonly name: string;
  /** Makes the list where it is not there. */
  readonly make: boolean;
  readonly note: string | null;
  readonly values: AsyncIterable<string>;
}

export interface Edited {
  readonly changed: number;
  /** Were in it already, or not in it. */
  readonly unchanged: number;
  /** The last of the lists: of this edit, if it has changed anything. */
  readonly revision: number;
}

const VALUES_AT_ONCE = 10_000;

const STATEMENTS: Readonly<Record<Edit['action'], string>> = {
  add: `insert into weir.list_entries (list_name, value, note) select $1, value, $2 from edit_list
    on conflict (list_name, value) do nothing`,
  remove: `delete from weir.list_entries e using edit_list t
    where e.list_name = $1 and e.value = t.value`,
};

/**
 * One transaction and one statement, so one revision, of any number of values.
 *
 * A crash here can leave the list as it was, never a part of the edit.
 */
export function editList(store: pg.Client, { action, name, make, note, values }: Edit): Promise<Edited> {
  return transaction(store, async () => {
    const asked = await gather(store, values);
    await store.query("select set_config('weir.on_behalf_of', $1, true), set_config('weir.note', $2, true)", [
      userName(),
      note ?? '',
    ]);
    if (make) {
      await store.query(
        'insert into weir.lists (name) select $1::text where not exists (select from weir.lists where name = $1)',
        [name],
      );
    }
    const done = await store.query(STATEMENTS[action], action === 'add' ? [name, note] : [name]);
    const changed = done.rowCount ?? 0;
    const clock = await store.query<{ revision: string }>('select revision from weir.list_clock');
    return { changed, unchanged: asked - changed, revision: Number(clock.rows[0]?.revision ?? 0) };
  });
}

/** Into a table of the session, in pieces: a million values are never here at once. Returns how many there are. */
async function gather(store: pg.Client, values: AsyncIterable<string>): Promise<number> {
  await store.query('create temporary table edit_list (value text primary key) on commit drop');
  let asked = 0;
  let piece: string[] = [];
  const flush = async (): Promise<void> => {
    const added = await store.query(
      'insert into edit_list select unnest($1::text[]) on conflict (value) do nothing',
      [piece],
    );
    asked += added.rowCount ?? 0;
    piece = [];
  };
  for await (const value of values) if (piece.push(value) === VALUES_AT_ONCE) await flush();
  if (piece.length > 0) await flush();
  return asked;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return ''; // a user id without a name, as in a container
  }
}
