/** The host application of the demo: what a payment service keeps. Weir knows nothing of it but its rules. */
export const DEMO_SCHEMA = `
create table public.transactions (
  id         bigint generated always as identity primary key,
  user_id    bigint not null,
  amount     numeric(12, 2) not null,
  currency   text not null default 'EUR',
  type       text not null default 'payment',
  country    text not null,
  device_id  text not null,
  status     text not null default 'approved',
  receiver_id bigint,
  created_at timestamptz not null default clock_timestamp()
);
create table public.user_behavior (
  id            bigint generated always as identity primary key,
  user_id       bigint not null,
  behavior_type text not null,
  item_id       text,
  country       text not null,
  timestamp     timestamptz not null default clock_timestamp()
);
create table public.devices (
  id        bigint generated always as identity primary key,
  user_id   bigint not null,
  device_id text not null,
  added_at  timestamptz not null default clock_timestamp()
);
`;
