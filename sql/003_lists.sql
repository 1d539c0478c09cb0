-- Lists that are edited at run time. weir.list_changes is the truth and only grows: a list at a revision is what its
-- changes up to there add up to. weir.list_entries shows what is in force, and is where people edit, in plain SQL.
-- Who edits locks one row until the end of the transaction, so revisions are numbered in the order of commits: the
-- order of the WAL, in which the stream announces them.

drop table weir.list_entries; -- of 002, and never used

create table weir.list_clock (
  only_row boolean primary key default true check (only_row),
  revision bigint not null
) with (fillfactor = 50);
insert into weir.list_clock (revision) values (0);
comment on table weir.list_clock is 'One row: the last revision of the lists. Its lock puts those who edit in one order.';
comment on column weir.list_clock.only_row is 'Keeps it one row.';
comment on column weir.list_clock.revision is 'The last one that was given out.';

create table weir.list_revisions (
  revision bigint primary key,
  token uuid not null unique default gen_random_uuid(),
  changed_by text not null,
  on_behalf_of text,
  changed_at timestamptz not null default clock_timestamp()
);
comment on table weir.list_revisions is 'Who has edited lists, and when: a row a statement. Only grows.';
comment on column weir.list_revisions.revision is 'In the order of commits.';
comment on column weir.list_revisions.token is 'What the stream announces it by: nobody can name a revision that is not committed yet.';
comment on column weir.list_revisions.changed_by is 'The role that had logged in.';
comment on column weir.list_revisions.on_behalf_of is 'Whom that role named by the setting weir.on_behalf_of: the user at the command line, or `rules` for what rule files put into a new list.';
comment on column weir.list_revisions.changed_at is 'When.';

create table weir.list_changes (
  revision bigint not null,
  list_name text collate "C" not null,
  value text collate "C" not null,
  added boolean not null,
  note text,
  primary key (list_name, value, revision)
);
create index list_changes_revision on weir.list_changes (revision);
comment on table weir.list_changes is 'Every change of every list. Only grows; workers read from it what a list was at a place of the stream.';
comment on column weir.list_changes.revision is 'When and by whom: weir.list_revisions.';
comment on column weir.list_changes.list_name is 'The list.';
comment on column weir.list_changes.value is 'The entry, compared as text.';
comment on column weir.list_changes.added is 'true: put in; false: taken out.';
comment on column weir.list_changes.note is 'Why: the note of the entry; of one that is taken out, the setting weir.note.';

alter table weir.lists add column revision bigint not null default 0;
comment on column weir.lists.revision is 'From this one on the list is as the store says; before it, as the rule files do.';

create table weir.list_entries (
  list_name text collate "C" not null,
  value text collate "C" not null check (octet_length(value) <= 1024),
  note text,
  primary key (list_name, value)
);
comment on table weir.list_entries is 'What is in the lists now. Insert into it and delete from it: each statement becomes a revision, by whom and when, that the rules see from its commit on.';
comment on column weir.list_entries.list_name is 'The list: weir.lists.name.';
comment on column weir.list_entries.value is 'The entry, compared as text: 42 is the entry ''42''.';
comment on column weir.list_entries.note is 'Why it is there.';

create view weir.list_history as
  select c.revision, c.list_name, case when c.added then 'added' else 'removed' end as change, c.value,
    r.changed_at, r.changed_by, r.on_behalf_of, c.note
  from weir.list_changes c join weir.list_revisions r using (revision);
comment on view weir.list_history is 'Every change of every list, with who and when.';

alter table weir.acks add column lists bigint not null default 0;
comment on column weir.acks.lists is 'The revision of the lists in force at that position: a replay starts with it.';

create function weir.streams_here(instance weir.instances) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
  select instance.database = current_database()
    and instance.system_identifier = (select system_identifier::text from pg_control_system()) $$;
comment on function weir.streams_here(weir.instances) is 'Whether the instance reads the WAL of this very database: what is announced here, it hears of.';

-- Whoever edits runs these with the rights of their owner. Without pg_temp in its place, the last, an editor's own
-- temporary types would be found before PostgreSQL's.

-- Before a statement, so that two who edit never wait for each other's rows.
create function weir.lock_lists() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform from weir.list_clock for update;
  return null;
end $$;
comment on function weir.lock_lists() is 'Trigger: who edits lists does so alone, until the end of the transaction.';

create function weir.next_list_revision() returns bigint language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  given bigint;
begin
  update weir.list_clock set revision = revision + 1 returning revision into strict given;
  insert into weir.list_revisions (revision, changed_by, on_behalf_of)
    values (given, session_user, nullif(current_setting('weir.on_behalf_of', true), ''));
  return given;
end $$;
comment on function weir.next_list_revision() is 'Begins a revision of the lists.';
revoke all on function weir.next_list_revision() from public;

create function weir.record_list_changes() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  given bigint;
  unknown text;
  reason text := nullif(current_setting('weir.note', true), '');
begin
  if tg_op <> 'DELETE' then
    select a.list_name into unknown from added a
      where not exists (select from weir.lists l where l.name = a.list_name) limit 1;
    if found then
      raise foreign_key_violation using message = format('there is no list %L', unknown),
        hint = format('insert into weir.lists (name) values (%L) makes it', unknown);
    end if;
  end if;
  if tg_op = 'INSERT' then
    if exists (select from added) then
      given := weir.next_list_revision();
      insert into weir.list_changes (revision, list_name, value, added, note)
        select given, a.list_name, a.value, true, coalesce(a.note, reason) from added a;
    end if;
  elsif tg_op = 'DELETE' then
    if exists (select from removed) then
      given := weir.next_list_revision();
      insert into weir.list_changes (revision, list_name, value, added, note)
        select given, r.list_name, r.value, false, reason from removed r;
    end if;
  elsif exists (select list_name, value from removed except select list_name, value from added) then
    given := weir.next_list_revision();
    insert into weir.list_changes (revision, list_name, value, added, note)
      select given, r.list_name, r.value, false, reason from removed r
        where not exists (select from added a where a.list_name = r.list_name and a.value = r.value)
      union all
      select given, a.list_name, a.value, true, coalesce(a.note, reason) from added a
        where not exists (select from removed r where r.list_name = a.list_name and r.value = a.value);
  end if;
  return null;
end $$;
comment on function weir.record_list_changes() is 'Trigger: what a statement has put into lists, or taken out of them, becomes a revision.';

create function weir.begin_list() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  new.revision := weir.next_list_revision();
  return new;
end $$;
comment on function weir.begin_list() is 'Trigger: a new list begins with a revision.';

create function weir.refuse_list_edit() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception using errcode = 'object_not_in_prerequisite_state',
    message = format('weir.%s: %s', tg_table_name, tg_argv[0]), hint = tg_argv[1];
end $$;
comment on function weir.refuse_list_edit() is 'Trigger: refuses what would change the history of lists.';

-- At the end of the transaction, once for all that it has changed: others see it from there on, and so do rules.
create function weir.announce_lists() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if new.revision = (select c.revision from weir.list_clock c) then
    perform pg_logical_emit_message(true, 'weir/' || i.slot,
        json_build_object('kind', 'lists', 'token', new.token)::text)
      from weir.instances i where weir.streams_here(i);
  end if;
  return null;
end $$;
comment on function weir.announce_lists() is 'Trigger: announces a revision of the lists in the WAL. Where an instance reads another database, its source asks the store.';

create trigger lock_lists before insert or update or delete on weir.list_entries
  for each statement execute function weir.lock_lists();
create trigger record_inserts after insert on weir.list_entries referencing new table as added
  for each statement execute function weir.record_list_changes();
create trigger record_updates after update on weir.list_entries referencing old table as removed new table as added
  for each statement execute function weir.record_list_changes();
create trigger record_deletes after delete on weir.list_entries referencing old table as removed
  for each statement execute function weir.record_list_changes();
create trigger begin_list before insert on weir.lists for each row execute function weir.begin_list();
create constraint trigger announce_lists after insert on weir.list_revisions deferrable initially deferred
  for each row execute function weir.announce_lists();

create trigger refuse_truncate before truncate on weir.list_entries
  for each statement execute function weir.refuse_list_edit('it is not truncated', 'delete from weir.list_entries');
create trigger refuse_removal before delete or truncate on weir.lists
  for each statement execute function weir.refuse_list_edit('a list stays, with its history', 'delete its entries from weir.list_entries');
create trigger refuse_renaming before update of name, revision on weir.lists
  for each statement execute function weir.refuse_list_edit('a list keeps its name', 'make another one');
create trigger refuse_rewriting before update or delete or truncate on weir.list_changes
  for each statement execute function weir.refuse_list_edit('what was, was', 'change weir.list_entries');
create trigger refuse_rewriting before update or delete or truncate on weir.list_revisions
  for each statement execute function weir.refuse_list_edit('what was, was', 'change weir.list_entries');
