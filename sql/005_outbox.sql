-- The outbox: what webhooks are to be told. A row is written with its alert, in one transaction; BullMQ carries its id.

create table weir.outbox (
  delivery_id text collate "C" primary key,
  webhook text not null,
  alert_id text not null,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'dead')),
  attempts integer not null default 0,
  last_error text,
  created_at timestamptz not null default clock_timestamp(),
  since timestamptz not null default clock_timestamp(),
  enqueued_at timestamptz,
  finished_at timestamptz,
  processor_id text not null
) with (fillfactor = 70);
create index outbox_pending on weir.outbox (processor_id, webhook, enqueued_at nulls first) where status = 'pending';
create index outbox_dead on weir.outbox (processor_id, webhook) where status = 'dead';
create index outbox_finished on weir.outbox (finished_at) where finished_at is not null;
comment on table weir.outbox is 'Deliveries to webhooks: each is written with its alert, and sent until the receiver takes it. Delivered ones leave after a week.';
comment on column weir.outbox.delivery_id is 'Derived from alert and webhook: the idempotency key that the receiver sees, as webhook-id.';
comment on column weir.outbox.webhook is 'Its name in weir.yaml.';
comment on column weir.outbox.alert_id is 'The alert that it tells of.';
comment on column weir.outbox.status is 'pending; delivered: the receiver took it; dead: given up, to be retried by weir webhooks retry.';
comment on column weir.outbox.attempts is 'How often it was sent.';
comment on column weir.outbox.last_error is 'What the last attempt that failed met.';
comment on column weir.outbox.created_at is 'When it was written, with its alert.';
comment on column weir.outbox.since is 'From when on it is tried: give_up_after counts from here, and a retry begins anew.';
comment on column weir.outbox.enqueued_at is 'When it was last put into its queue; the queue may be lost, this row is not.';
comment on column weir.outbox.finished_at is 'When it was delivered, or given up.';
comment on column weir.outbox.processor_id is 'The instance that made it.';
