import type pg from 'pg';
import { textTable } from './text-table.ts';

/** What `weir list show` shows: for programs, for people, and how much of it is left out. */
export interface Shown {
  readonly rows: readonly object[];
  readonly text: string;
  readonly more: number;
}

/** Of what: null is all of it. */
export interface Wanted {
  readonly name: string | null;
  readonly values: readonly string[] | null;
  readonly limit: number | null;
}

interface Who {
  readonly changedAt: Date | null;
  readonly changedBy: string | null;
  readonly onBehalfOf: string | null;
}

interface ListRow extends Who {
  readonly list: string;
  readonly entries: number;
  readonly revision: number;
}

const LISTS = `select l.name as list, coalesce(n.entries, 0) as entries, coalesce(r.revision, l.revision)::float8 as revision,
    r.changed_at as "changedAt", r.changed_by as "changedBy", r.on_behalf_of as "onBehalfOf"
  from weir.lists l
    left join (select list_name, count(*)::float8 as entries from weir.list_entries group by 1) n on n.list_name = l.name
    left join (select list_name, max(revision) as revision from weir.list_changes group by 1) c on c.list_name = l.name
    left join weir.list_revisions r on r.revision = coalesce(c.revision, l.revision)
  order by 1`;

export async function showLists(store: pg.Client): Promise<Shown> {
  const { rows } = await store.query<ListRow>(LISTS);
  const lines = rows.map((row) => [row.list, String(row.entries), String(row.revision), when(row), who(row)]);
  const text =
    rows.length === 0
      ? 'no lists\n'
      : textTable([['list', 'entries', 'revision', 'changed', 'by'], ...lines]);
  return { rows, text, more: 0 };
}

interface EntryRow extends Who {
  readonly value: string;
  readonly note: string | null;
}

const ENTRIES = `select e.value, e.note, r.changed_at as "changedAt", r.changed_by as "changedBy", r.on_behalf_of as "onBehalfOf"
  from weir.list_entries e left join lateral (
    select max(c.revision) as revision from weir.list_changes c where c.list_name = e.list_name and c.value = e.value
  ) c on true left join weir.list_revisions r using (revision)
  where e.list_name = $1 and ($2::text[] is null or e.value = any ($2)) order by e.value limit $3`;
const COUNT_ENTRIES = `select count(*) from weir.list_entries
  where list_name = $1 and ($2::text[] is null or value = any ($2))`;

export async function showList(store: pg.Client, { name, values, limit }: Wanted): Promise<Shown> {
  const { rows } = await store.query<EntryRow>(ENTRIES, [name, values, limit]);
  const all = await count(store, COUNT_ENTRIES, [name, values]);
  const lines = rows.map((row) => [row.value, when(row), who(row), row.note ?? '']);
  const none = values === null ? 'empty\n' : 'not in it\n';
  const text = rows.length === 0 ? none : textTable([['value', 'added', 'by', 'note'], ...lines]);
  return { rows, text, more: all - rows.length };
}

interface HistoryRow extends Who {
  readonly list: string;
  readonly revision: number;
  readonly change: string;
  readonly value: string;
  readonly note: string | null;
}

const HISTORY = `select list_name as list, revision::float8 as revision, change, value, note,
    changed_at as "changedAt", changed_by as "changedBy", on_behalf_of as "onBehalfOf"
  from weir.list_history where ($1::text is null or list_name = $1) and ($2::text[] is null or value = any ($2))
  order by revision desc, change desc, value limit $3`;
const COUNT_HISTORY = `select count(*) from weir.list_changes
  where ($1::text is null or list_name = $1) and ($2::text[] is null or value = any ($2))`;

export async function showHistory(store: pg.Client, { name, values, limit }: Wanted): Promise<Shown> {
  const { rows } = await store.query<HistoryRow>(HISTORY, [name, values, limit]);
  const all = await count(store, COUNT_HISTORY, [name, values]);
  const lines = rows.map((row) => [
    ...[String(row.revision), row.list, row.change, row.value, when(row), who(row), row.note ?? ''],
  ]);
  const head = ['revision', 'list', 'change', 'value', 'at', 'by', 'note'];
  const text = rows.length === 0 ? 'no changes\n' : textTable([head, ...lines]);
  return { rows, text, more: all - rows.length };
}

async function count(store: pg.Client, sql: string, values: unknown[]): Promise<number> {
  const { rows } = await store.query<{ count: string }>(sql, values);
  return Number(rows[0]?.count ?? 0);
}

function when({ changedAt }: Who): string {
  return changedAt?.toISOString() ?? '';
}

function who({ changedBy, onBehalfOf }: Who): string {
  return onBehalfOf === null ? (changedBy ?? '') : `${onBehalfOf} as ${changedBy}`;
}
