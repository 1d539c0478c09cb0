import { join } from 'node:path';

/** The example rules, as they are shipped. */
export const EXAMPLE_RULES = join(import.meta.dirname, '../../../rules');

/** A host that knows nothing of Weir. `numeric` without a limit takes NaN and infinity. */
export const SHOP_SCHEMA = `
create table public.transactions (
  id         bigint generated always as identity primary key,
  user_id    bigint not null,
  amount     numeric not null,
  currency   text not null default 'EUR',
  type       text not null default 'payment',
  country    text not null default 'DE',
  device_id  text not null default gen_random_uuid()::text,
  status     text not null default 'approved',
  receiver_id bigint,
  created_at timestamptz not null default clock_timestamp()
);
create table public.user_behavior (
  id            bigint generated always as identity primary key,
  user_id       bigint not null,
  behavior_type text not null,
  item_id       text,
  country       text not null default 'DE',
  timestamp     timestamptz not null default clock_timestamp()
);
create table public.devices (
  id        bigint generated always as identity primary key,
  user_id   bigint not null,
  device_id text not null,
  added_at  timestamptz not null default clock_timestamp()
);
create table public.customers (user_id bigint primary key, name text);`;

/** Alerts in the order of what caused them: rule, row, severity, subject, message. */
export const ALERTS = `
select rule_id as rule, (events -> 0 -> 'columns' ->> 'id')::int as row, severity, subject, message
from weir.alerts order by commit_lsn, row, rule_id`;
