-- Aggregates: counts, sums and the like of the rows of each group, by buckets of time. The primary key comes first to
-- where writers sort by it; groups of open buckets are updated at each commit, so pages keep room for it (HOT).

create table weir.aggregates (
  aggregate_id text collate "C" not null,
  bucket_start timestamptz not null,
  bucket_end timestamptz not null,
  group_key text collate "C" not null,
  key jsonb not null,
  row_count bigint not null,
  measures jsonb not null,
  state jsonb not null,
  event text not null,
  expires_at timestamptz,
  rules_version text not null,
  updated_at timestamptz not null default clock_timestamp(),
  processor_id text collate "C" not null,
  primary key (aggregate_id, bucket_start, group_key, processor_id)
) with (fillfactor = 50);
create index aggregates_expire on weir.aggregates (expires_at) where expires_at is not null;
comment on table weir.aggregates is 'Aggregates, a row a group and bucket. Buckets that are still open are right up to the last commit.';
comment on column weir.aggregates.aggregate_id is 'The aggregate of the rule files.';
comment on column weir.aggregates.bucket_start is 'Rows of this time or later, …';
comment on column weir.aggregates.bucket_end is '… and before this one.';
comment on column weir.aggregates.group_key is 'The group, as text that names it.';
comment on column weir.aggregates.key is 'The group: what rows are grouped by to value.';
comment on column weir.aggregates.row_count is 'How many rows.';
comment on column weir.aggregates.measures is 'Name to value, with every digit.';
comment on column weir.aggregates.state is 'What measures are computed from: counts, sums, least and greatest values by column.';
comment on column weir.aggregates.event is 'The event that it is over, or *.';
comment on column weir.aggregates.expires_at is 'When it may be deleted: the end of the bucket, and `keep` after it; NULL: never.';
comment on column weir.aggregates.rules_version is 'The rule set that added to it last.';
comment on column weir.aggregates.updated_at is 'When rows were last added.';
comment on column weir.aggregates.processor_id is 'The instance that made it.';

create function weir.sliding_window(size interval, slide interval)
returns table (window_start timestamptz, window_end timestamptz, event text, event_count bigint, columns jsonb)
language sql stable set search_path = pg_catalog as $$
  with finest as (
    select a.aggregate_id, a.processor_id from weir.aggregates a where a.event = '*'
    group by a.aggregate_id, a.processor_id order by min(a.bucket_end - a.bucket_start), a.aggregate_id, a.processor_id limit 1
  ), buckets as (
    select a.bucket_start, a.bucket_end, coalesce(a.key ->> 'event', '*') as event, a.row_count, a.state
    from weir.aggregates a join finest f using (aggregate_id, processor_id)
  ), windows as (
    select w.window_end - size as window_start, w.window_end
    from (select date_bin(slide, min(b.bucket_start), 'epoch') as low, max(b.bucket_end) as high from buckets b) bounds,
      generate_series(low + slide, high + size - interval '1 microsecond', slide) as w (window_end)
  ), found as (
    select w.window_start, w.window_end, b.event, b.row_count, b.state
    from windows w join buckets b on b.bucket_start >= w.window_start and b.bucket_end <= w.window_end
  ), counted as (
    select f.window_start, f.window_end, f.event, sum(f.row_count)::bigint as event_count
    from found f group by 1, 2, 3
  ), measured as (
    select f.window_start, f.window_end, f.event, c.key as name, jsonb_build_object(
        'count', sum((c.value ->> 'count')::bigint), 'sum', sum((c.value ->> 'sum')::numeric),
        'avg', sum((c.value ->> 'sum')::numeric) / nullif(sum((c.value ->> 'count')::bigint), 0),
        'min', min((c.value ->> 'min')::numeric), 'max', max((c.value ->> 'max')::numeric)) as measures
    from found f cross join jsonb_each(f.state -> 'columns') c
    where c.value ->> 'sum' is not null and (c.value ->> 'count')::bigint > 0
    group by 1, 2, 3, 4
  )
  select c.window_start, c.window_end, c.event, c.event_count,
    coalesce((select jsonb_object_agg(m.name, m.measures) from measured m
      where m.window_end = c.window_end and m.event = c.event), '{}')
  from counted c order by c.window_start, c.event
$$;
comment on function weir.sliding_window(interval, interval) is 'Windows of this size, one each slide, over the aggregate on ''*'' with the shortest buckets: rows by event, and by column what was added up. Only whole buckets count; empty without such an aggregate.';
