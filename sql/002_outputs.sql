-- What Weir puts out: ordinary tables, safe to query and join.

create table weir.alerts (
  alert_id text primary key,
  rule_id text not null,
  kind text not null,
  severity text not null,
  subject jsonb not null,
  message text not null,
  event_time timestamptz not null,
  detected_at timestamptz not null default clock_timestamp(),
  commit_lsn pg_lsn not null,
  events jsonb not null,
  details jsonb not null,
  rules_version text not null,
  mode text not null,
  processor_id text not null
);
create index alerts_detected_at on weir.alerts (detected_at);
comment on table weir.alerts is 'Alerts, each once. A live one is also sent as NOTIFY weir_alerts, in the transaction that writes it.';
comment on column weir.alerts.alert_id is 'Derived from rule, key and positions: a replay makes the same one.';
comment on column weir.alerts.rule_id is 'The rule or pattern; of a decision''s band, the event and the band.';
comment on column weir.alerts.kind is 'rule, pattern, decision or anomaly.';
comment on column weir.alerts.severity is 'info, warning, high or critical.';
comment on column weir.alerts.subject is 'Whom it is about: key column to value.';
comment on column weir.alerts.message is 'For people.';
comment on column weir.alerts.event_time is 'Time of the event that caused it.';
comment on column weir.alerts.detected_at is 'When it was written, by this server''s clock.';
comment on column weir.alerts.commit_lsn is 'Commit record of the transaction that caused it.';
comment on column weir.alerts.events is 'The events behind it.';
comment on column weir.alerts.details is 'The values that the rule computed.';
comment on column weir.alerts.rules_version is 'The rule set that made it: weir.rule_versions.version.';
comment on column weir.alerts.mode is 'live, or shadow: recorded, never sent.';
comment on column weir.alerts.processor_id is 'The instance that made it.';

create table weir.decisions (
  event text not null,
  entity_id text not null,
  position text collate "C" not null,
  score numeric not null,
  band text,
  reasons jsonb not null,
  event_time timestamptz not null,
  decided_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  rules_version text not null,
  mode text not null,
  processor_id text not null,
  primary key (event, position, mode, processor_id)
) with (fillfactor = 80);
create index decisions_entity on weir.decisions (event, entity_id, position);
comment on table weir.decisions is 'One decision a row of a table that has scoring and that a rule hit. Each partition adds its part, so scores only rise.';
comment on column weir.decisions.event is 'Name of the table''s event.';
comment on column weir.decisions.entity_id is 'What it is about: the event''s id, by default the primary key.';
comment on column weir.decisions.position is 'Position of the row change in the WAL.';
comment on column weir.decisions.score is 'Sum (or maximum) over the rules that hit.';
comment on column weir.decisions.band is 'The highest band whose bound the score is above; NULL: none.';
comment on column weir.decisions.reasons is 'The rules that hit, with their scores and values, sorted by rule.';
comment on column weir.decisions.event_time is 'Time of the event.';
comment on column weir.decisions.decided_at is 'When its first part was written.';
comment on column weir.decisions.updated_at is 'When its last part was written.';
comment on column weir.decisions.rules_version is 'The rule set that made its last part.';
comment on column weir.decisions.mode is 'live; or shadow: live points plus those of rules in shadow.';
comment on column weir.decisions.processor_id is 'The instance that made it.';

create view weir.latest_decisions as
  select distinct on (event, entity_id)
    event, entity_id, position, score, band, reasons, event_time, decided_at, updated_at, rules_version, mode, processor_id
  from weir.decisions where mode = 'live'
  order by event, entity_id, position desc;
comment on view weir.latest_decisions is 'The last live decision of each entity.';

create view weir.flagged_transactions as
  select event, entity_id, position, score, band, reasons, event_time, decided_at, updated_at, rules_version, processor_id
  from weir.latest_decisions where band is not null;
comment on view weir.flagged_transactions is 'Entities whose last live decision reached a band.';

create table weir.blocks (
  subject_key text not null,
  subject_value text not null,
  reason text not null,
  until timestamptz not null,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  processor_id text not null,
  primary key (subject_key, subject_value)
);
comment on table weir.blocks is 'Who is blocked, and until when. A rule only ever prolongs a block.';
comment on column weir.blocks.subject_key is 'The key''s columns, e.g. user_id.';
comment on column weir.blocks.subject_value is 'The key''s value, as text.';
comment on column weir.blocks.reason is 'The rule or band that set the latest end.';
comment on column weir.blocks.until is 'The end of the block.';
comment on column weir.blocks.created_at is 'When it was first blocked.';
comment on column weir.blocks.updated_at is 'When the block was last prolonged.';
comment on column weir.blocks.processor_id is 'The instance that set the latest end.';

create table weir.lists (
  name text primary key,
  description text,
  created_at timestamptz not null default now()
);
comment on table weir.lists is 'Named lists of values, which rules look up as lists.NAME.';
comment on column weir.lists.name is 'The name in the rule files.';
comment on column weir.lists.description is 'For people.';
comment on column weir.lists.created_at is 'When it was made.';

create table weir.list_entries (
  list_name text not null references weir.lists on delete cascade,
  value text not null,
  present boolean not null default true,
  changed_at timestamptz not null default now(),
  changed_by text not null default session_user,
  note text,
  primary key (list_name, value)
);
comment on table weir.list_entries is 'Changes to lists at run time, over the values that the rule files seed.';
comment on column weir.list_entries.list_name is 'The list.';
comment on column weir.list_entries.value is 'The entry, compared as text.';
comment on column weir.list_entries.present is 'true: in the list; false: taken out of it, even where the rule files seed it.';
comment on column weir.list_entries.changed_at is 'When it was last put in or taken out.';
comment on column weir.list_entries.changed_by is 'By which role.';
comment on column weir.list_entries.note is 'Why.';

create table weir.late_events (
  event text not null,
  position text collate "C" not null,
  event_time timestamptz not null,
  watermark timestamptz not null,
  payload jsonb not null,
  recorded_at timestamptz not null default clock_timestamp(),
  processor_id text not null,
  primary key (event, position, processor_id)
);
comment on table weir.late_events is 'Rows that came after their time had been closed: rules scored them by what the windows still held, and no window took them in.';
comment on column weir.late_events.event is 'Name of the table''s event.';
comment on column weir.late_events.position is 'Position of the row change in the WAL.';
comment on column weir.late_events.event_time is 'The row''s own time.';
comment on column weir.late_events.watermark is 'The time that was closed when it came.';
comment on column weir.late_events.payload is 'The row.';
comment on column weir.late_events.recorded_at is 'When it was written.';
comment on column weir.late_events.processor_id is 'The instance.';

create table weir.dead_letters (
  dead_letter_id bigint generated always as identity primary key,
  rule_id text not null,
  event text not null,
  position text collate "C" not null,
  error text not null,
  payload jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  resolved_at timestamptz,
  processor_id text not null
);
create index dead_letters_open on weir.dead_letters (rule_id) where resolved_at is null;
comment on table weir.dead_letters is 'Events that a rule failed on, and outputs that PostgreSQL refused. Everything else went on.';
comment on column weir.dead_letters.dead_letter_id is 'In order of writing.';
comment on column weir.dead_letters.rule_id is 'The rule that failed.';
comment on column weir.dead_letters.event is 'Name of the event, or of the output that was refused.';
comment on column weir.dead_letters.position is 'Position of the row change in the WAL.';
comment on column weir.dead_letters.error is 'What went wrong.';
comment on column weir.dead_letters.payload is 'The row, or the output.';
comment on column weir.dead_letters.created_at is 'When it was written.';
comment on column weir.dead_letters.resolved_at is 'Set by an operator once it has been seen to.';
comment on column weir.dead_letters.processor_id is 'The instance.';
