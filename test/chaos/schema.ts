export const CHAOS_SCHEMA = `
-- Of both tables: the order in which a transaction wrote its rows.
create sequence public.chaos_ids;
create table public.transactions (
  id         bigint primary key default nextval('public.chaos_ids'),
  user_id    bigint not null,
  amount     numeric(12, 2) not null,
  type       text not null,
  country    text not null,
  device_id  text not null,
  note       text,
  -- The transaction that wrote the row, subtransactions included: how the oracle finds its commit.
  txid       bigint not null default pg_current_xact_id()::text::bigint
);
create index on public.transactions (user_id);
create table public.sessions (
  id         bigint primary key default nextval('public.chaos_ids'),
  user_id    bigint not null,
  kind       text not null,
  txid       bigint not null default pg_current_xact_id()::text::bigint
);
-- What the host did to the list, beside what it did to weir.list_entries, in the same transaction.
create table public.list_edits (
  id         bigint primary key default nextval('public.chaos_ids'),
  value      text not null,
  added      boolean not null,
  txid       bigint not null default pg_current_xact_id()::text::bigint
);
`;

export const COLUMNS = '(user_id, amount, type, country, device_id, note)';
export const USERS = 400;

/** One transaction with rows of each user: every partition has a part in it, and nothing waits for time after it. */
export const EVERY_USER = `
insert into public.transactions ${COLUMNS}
select user_id, 1001, 'transfer', 'DE', 'own-' || user_id, '' from generate_series(1, ${USERS}) as user_id;
insert into public.sessions (user_id, kind)
select user_id, 'logout' from generate_series(1, ${USERS}) as user_id`;
