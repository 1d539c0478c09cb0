-- The control rows of Weir: which instances exist, where each partition stands, what was acknowledged to the slot.
-- Positions are `<commit LSN, 16 hex>.<ordinal, 12 hex>`; the collation "C" makes text order position order.

create schema if not exists weir;
comment on schema weir is 'Weir: stream processing of this database''s WAL. Outputs (alerts, decisions, blocks) are safe to query; the rest is Weir''s own state.';

create table if not exists weir.migrations (
  version integer primary key,
  name text not null,
  applied_at timestamptz not null default now()
);
comment on table weir.migrations is 'The numbered migrations of this schema that were applied. A Weir that knows fewer of them refuses to run.';
comment on column weir.migrations.version is 'Number of the file in sql/.';
comment on column weir.migrations.name is 'Name of the file, without its extension.';
comment on column weir.migrations.applied_at is 'When it was applied.';

create table weir.instances (
  processor_id text primary key,
  epoch bigint not null default 1,
  requested_epoch bigint,
  requested_reason text,
  partitions integer not null check (partitions between 1 and 1024),
  system_identifier text not null,
  timeline integer not null,
  database text not null,
  slot text not null,
  publications jsonb not null default '{}',
  created_at timestamptz not null default now()
) with (fillfactor = 50);
comment on table weir.instances is 'One row for each Weir: a replication slot of one database of one PostgreSQL system. Written by `weir init`; the epoch by whoever holds the slot.';
comment on column weir.instances.processor_id is 'Name of the instance: the name of its slot.';
comment on column weir.instances.epoch is 'Raised at each start and recovery of the source; what belongs to an older epoch is never written.';
comment on column weir.instances.requested_epoch is 'A worker asks for this epoch (it saw a gap or gained a partition); answered once epoch has reached it.';
comment on column weir.instances.requested_reason is 'Why it was asked for.';
comment on column weir.instances.partitions is 'Number of partitions; a change of WEIR_PARTITIONS re-shards.';
comment on column weir.instances.system_identifier is 'pg_control_system() of the source that the positions are of; another one is refused at start.';
comment on column weir.instances.timeline is 'Timeline of the source; another one is refused at start.';
comment on column weir.instances.database is 'Database of the source.';
comment on column weir.instances.slot is 'Replication slot of the source.';
comment on column weir.instances.publications is 'Publication name to OID: one that was dropped and recreated is found out at start.';
comment on column weir.instances.created_at is 'When `weir init` made it.';

create table weir.checkpoints (
  processor_id text not null references weir.instances on delete cascade,
  partition integer not null,
  position text collate "C" not null,
  epoch bigint not null,
  owner text,
  status text not null default 'active' check (status in ('active', 'idle')),
  last_checkpoint_time timestamptz not null default now(),
  primary key (processor_id, partition)
) with (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
comment on table weir.checkpoints is 'Where each partition stands. A commit moves the row from its old position to the new one, and only under the current epoch, so that of two workers one wins. Updated at each commit: no index but the key, so that updates stay in the page (HOT).';
comment on column weir.checkpoints.processor_id is 'The instance.';
comment on column weir.checkpoints.partition is 'From 0.';
comment on column weir.checkpoints.position is 'All events of the partition up to this position have had their effect, none above it has.';
comment on column weir.checkpoints.epoch is 'Always the epoch of the instance; it is here so that one row fences a commit.';
comment on column weir.checkpoints.owner is 'The process that moved it last: how a worker that lost its connection during COMMIT finds out whether it committed.';
comment on column weir.checkpoints.status is 'active: the last commit had rows; idle: only time has moved since.';
comment on column weir.checkpoints.last_checkpoint_time is 'When the position last moved.';

create table weir.acks (
  processor_id text primary key references weir.instances on delete cascade,
  epoch bigint not null,
  lsn pg_lsn not null,
  rules_version text not null,
  times jsonb not null,
  recorded_at timestamptz not null default now()
) with (fillfactor = 50);
comment on table weir.acks is 'What was acknowledged to the slot, recorded before it is sent: a slot beyond it was moved by someone else, and Weir refuses to start.';
comment on column weir.acks.processor_id is 'The instance.';
comment on column weir.acks.epoch is 'Always the epoch of the instance.';
comment on column weir.acks.lsn is 'Start of the commit record of the last transaction that every partition is done with.';
comment on column weir.acks.rules_version is 'The rule set in force at that position: a replay starts with it.';
comment on column weir.acks.times is 'Time as the source had made it there (microseconds since 1970): a replay stamps the same.';
comment on column weir.acks.recorded_at is 'When it was recorded.';

create table weir.rule_versions (
  version text primary key,
  content text not null,
  created_at timestamptz not null default now()
);
comment on table weir.rule_versions is 'Validated rule sets, whole. Rules are taken from here at a position of the stream, never from a disk.';
comment on column weir.rule_versions.version is 'Hash of the content.';
comment on column weir.rule_versions.content is 'The rule files and the column types that they were checked against, as JSON.';
comment on column weir.rule_versions.created_at is 'When it was stored.';

create table weir.state (
  processor_id text not null references weir.instances on delete cascade,
  partition integer not null,
  bucket integer not null check (bucket between 0 and 1023),
  position text collate "C" not null,
  payload text not null,
  primary key (processor_id, partition, bucket)
) with (autovacuum_vacuum_scale_factor = 0.1, toast.autovacuum_vacuum_scale_factor = 0.1);
comment on table weir.state is 'Compacted state of the windows, a row a bucket of keys: what the segments up to its position add up to.';
comment on column weir.state.processor_id is 'The instance.';
comment on column weir.state.partition is 'bucket modulo the number of partitions.';
comment on column weir.state.bucket is 'Hash of a key, 0 to 1023.';
comment on column weir.state.position is 'Segments of the bucket up to this position are in the payload; those above it are added on load.';
comment on column weir.state.payload is 'The state, in the engines'' own format.';

-- State is appended as segments, two tables a partition: while one takes the commits the other is compacted into
-- weir.state and truncated. Tables of their own, so that TRUNCATE meets nobody but the partition's owner.
create function weir.segment_table(instance text, partition integer, generation integer) returns text
language sql immutable parallel safe as $$
  select 'segments_' || case when length(instance) <= 40 then instance
                             else left(instance, 31) || '_' || left(md5(instance), 8) end
    || '_p' || partition || '_' || generation $$;
comment on function weir.segment_table(text, integer, integer) is 'Name of a segment table; long slot names are cut, as an identifier has 63 bytes.';

create function weir.compress_lightly(table_name text) returns void
language plpgsql set search_path = pg_catalog as $$
begin
  execute format('alter table weir.%I alter column payload set compression lz4', table_name);
exception when feature_not_supported then
  -- pglz would cost more time than the rest of the commit: a millisecond for 45 kB.
  execute format('alter table weir.%I alter column payload set storage external', table_name);
end $$;
comment on function weir.compress_lightly(text) is 'lz4 for the payload column where this server has it, else no compression.';

create function weir.make_segments(instance text, first_partition integer, last_partition integer)
returns void language plpgsql set search_path = pg_catalog as $$
declare
  table_name text;
begin
  for p in first_partition .. last_partition loop
    for generation in 0 .. 1 loop
      table_name := weir.segment_table(instance, p, generation);
      execute format(
        'create table weir.%I (position text collate "C" primary key, payload text not null)
           with (autovacuum_enabled = false, toast.autovacuum_enabled = false)', table_name);
      perform weir.compress_lightly(table_name);
      execute format('comment on table weir.%I is %L', table_name,
        format('State deltas of instance %s, partition %s: a row a commit. Compacted into weir.state, then truncated.', instance, p));
      execute format('comment on column weir.%I.position is %L', table_name, 'The position that the commit moved the partition to.');
      execute format('comment on column weir.%I.payload is %L', table_name, 'JSON object: bucket to the delta of its state, in the engines'' own format.');
    end loop;
  end loop;
end $$;
comment on function weir.make_segments(text, integer, integer) is 'Makes the segment tables of partitions first to last of an instance.';

create function weir.drop_segments(instance text, first_partition integer, last_partition integer)
returns void language plpgsql set search_path = pg_catalog as $$
begin
  for p in first_partition .. last_partition loop
    execute format('drop table if exists weir.%I, weir.%I',
      weir.segment_table(instance, p, 0), weir.segment_table(instance, p, 1));
  end loop;
end $$;
comment on function weir.drop_segments(text, integer, integer) is 'Drops the segment tables of partitions first to last of an instance.';

-- A new number of partitions: state and segments move by bucket. false: the partitions do not all stand at one position.
create function weir.reshard(instance text, new_partitions integer) returns boolean
language plpgsql set search_path = pg_catalog as $$
declare
  old_partitions integer;
  stands text;
  old_tables text[];
  segments text;
begin
  select i.partitions into strict old_partitions from weir.instances i where i.processor_id = instance for no key update;
  if old_partitions = new_partitions then
    return true;
  end if;
  perform from weir.checkpoints c where c.processor_id = instance order by c.partition for update;
  if (select count(distinct c.position) from weir.checkpoints c where c.processor_id = instance) <> 1 then
    return false;
  end if;
  select max(c.position) into stands from weir.checkpoints c where c.processor_id = instance;

  select array_agg(weir.segment_table(instance, p, g)) into old_tables
    from generate_series(0, old_partitions - 1) p, generate_series(0, 1) g;
  for i in 1 .. cardinality(old_tables) loop
    execute format('alter table weir.%I rename to %I', old_tables[i], 'old_' || old_tables[i]);
  end loop;
  perform weir.make_segments(instance, 0, new_partitions - 1);
  select string_agg(format('select position, payload from weir.%I', 'old_' || t), ' union all ') into segments
    from unnest(old_tables) t;
  for p in 0 .. new_partitions - 1 loop
    execute format(
      'insert into weir.%I select s.position, json_object_agg(d.key, d.value)::text
         from (%s) s cross join json_each(s.payload::json) d
         left join weir.state st on st.processor_id = $1 and st.partition = d.key::integer %% $3 and st.bucket = d.key::integer
         where d.key::integer %% $4 = $2 and (st.position is null or s.position > st.position)
         group by s.position',
      weir.segment_table(instance, p, 0), segments) using instance, p, old_partitions, new_partitions;
  end loop;
  for i in 1 .. cardinality(old_tables) loop
    execute format('drop table weir.%I', 'old_' || old_tables[i]);
  end loop;

  update weir.state s set partition = s.bucket % new_partitions where s.processor_id = instance;
  update weir.instances i set partitions = new_partitions, epoch = i.epoch + 1 where i.processor_id = instance;
  delete from weir.checkpoints c where c.processor_id = instance and c.partition >= new_partitions;
  insert into weir.checkpoints (processor_id, partition, position, epoch)
    select instance, p, stands, 0 from generate_series(old_partitions, new_partitions - 1) p;
  update weir.checkpoints c set epoch = i.epoch from weir.instances i
    where c.processor_id = instance and i.processor_id = instance;
  update weir.acks a set epoch = i.epoch from weir.instances i
    where a.processor_id = instance and i.processor_id = instance;
  return true;
end $$;
comment on function weir.reshard(text, integer) is 'Changes the number of partitions, and raises the epoch; false when the partitions do not all stand at one position.';

-- The fence of a commit: all of the positions move, or none does and the error names the partitions that stood elsewhere.
create function weir.advance(instance text, writer text, partitions integer[], epochs bigint[], expected text[], targets text[])
returns void language plpgsql set search_path = pg_catalog as $$
declare
  moved bigint;
begin
  perform from weir.checkpoints c where c.processor_id = instance and c.partition = any (partitions)
    order by c.partition for update;
  update weir.checkpoints c
    set position = m.target, owner = writer, status = 'active', last_checkpoint_time = clock_timestamp()
    from unnest(partitions, epochs, expected, targets) as m (partition, epoch, expected, target)
    where c.processor_id = instance and c.partition = m.partition and c.position = m.expected and c.epoch = m.epoch
      and m.target collate "C" >= m.expected;
  get diagnostics moved = row_count;
  if moved <> cardinality(partitions) then
    raise exception using errcode = 'WE001', message = 'a partition does not stand where its commit begins';
  end if;
end $$;
comment on function weir.advance(text, text, integer[], bigint[], text[], text[]) is 'Compare-and-swap of the positions of several partitions under their epoch; raises WE001 when one of them does not match.';

create function weir.at(micros double precision) returns timestamptz language sql stable parallel safe
as $$ select case when micros = 'infinity'::float8 then 'infinity'::timestamptz
                  when micros = '-infinity'::float8 then '-infinity'::timestamptz
                  else timestamptz 'epoch' + micros * interval '1 microsecond' end $$;
comment on function weir.at(double precision) is 'Microseconds since 1970 (and both infinities) as a timestamp.';
