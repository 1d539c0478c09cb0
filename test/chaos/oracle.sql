-- What must exist, said in plain SQL over the source tables and the commit order that a slot of the oracle's
-- own reports. Nothing here comes from Weir: neither code nor tables.
--   chaos_commits(commit_lsn pg_lsn, committed_at timestamptz, xid bigint): every transaction, in commit order.
-- The ids of both tables are drawn from one sequence: they tell the order of the rows of a transaction.

drop table if exists pg_temp.moves, pg_temp.sequences, pg_temp.fraud, pg_temp.unanswered, pg_temp.purchases, pg_temp.purchase,
  pg_temp.unfinished, pg_temp.pairs, pg_temp.convoy, pg_temp.stream, pg_temp.transfers, pg_temp.judged, pg_temp.expected_hits, pg_temp.acting,
  pg_temp.expected_decisions, pg_temp.expected_alerts, pg_temp.expected_blocks, pg_temp.edits,
  pg_temp.expected_aggregates;

create temporary table stream as
with commits as (
  select commit_lsn, xid, max(committed_at) over (order by commit_lsn) as at from chaos_commits
)
select row_number() over (order by c.commit_lsn, t.id) as rn, c.at, c.commit_lsn,
       t.id, t.user_id, t.amount, t.type, t.country, t.device_id
from transactions t
join commits c on c.xid = (t.txid & 4294967295);
create index on stream (device_id, rn) where type = 'transfer';
create index on stream (rn) where amount > 10000;
analyze stream;

-- What was done to the list of the watched, which the rule files begin with 1, 2 and 3.
create temporary table edits as
select c.commit_lsn, e.id, e.value, e.added from list_edits e join chaos_commits c on c.xid = (e.txid & 4294967295);
create index on edits (value, commit_lsn, id);
analyze edits;

-- What the patterns look at, of both tables, in the order in which it happened.
create temporary table moves as
with commits as (
  select commit_lsn, xid, max(committed_at) over (order by commit_lsn) as at from chaos_commits
), written as (
  select id, user_id, txid, 'transfer' as what, amount from transactions where type = 'transfer'
  union all
  select id, user_id, txid, kind, 0 from sessions
)
select row_number() over (order by c.commit_lsn, w.id) as rn, c.at, w.id, w.user_id, w.what, w.amount
from written w
join commits c on c.xid = (w.txid & 4294967295);
create index on moves (user_id, what, rn);
analyze moves;

-- A login, all large transfers after it, at least two, and the first logout after the last of them.
create temporary table sequences as
select l.user_id, l.rn as began, o.rn as ended, l.id as login, m.ids as moved, o.id as logout
from moves l
join moves o on o.user_id = l.user_id and o.what = 'logout' and o.rn > l.rn and o.at < l.at + interval '12 seconds'
cross join lateral (
  select count(*) as n, min(at) as first_at, max(at) as last_at, max(rn) as last_rn, sum(amount) as total,
         array_agg(id order by rn) as ids
  from moves
  where user_id = l.user_id and what = 'transfer' and amount > 1000 and rn > l.rn and rn < o.rn
) m
where l.what = 'login' and m.n >= 2 and m.total > 3000
  and m.first_at < l.at + interval '5 seconds' and o.at < m.last_at + interval '5 seconds'
  and not exists (select from moves p where p.user_id = l.user_id and p.what = 'logout' and p.rn > m.last_rn and p.rn < o.rn);
create index on sequences (user_id, ended, began);

-- Of those that end together the first to begin counts; the next one begins after its end.
create temporary table fraud as
with recursive found as (
  (select distinct on (user_id) * from sequences order by user_id, ended, began)
  union all
  select n.*
  from found f
  cross join lateral (
    select * from sequences s where s.user_id = f.user_id and s.began > f.ended order by s.ended, s.began limit 1) n
)
select * from found;

-- A hold that no transfer of the user follows within two seconds, whatever else does.
create temporary table unanswered as
select id, user_id, at + interval '2 seconds' as at from moves h
where what = 'hold' and not exists (
  select from moves t
  where t.user_id = h.user_id and t.what = 'transfer' and t.rn > h.rn and t.at < h.at + interval '2 seconds');

-- A hold, the first large transfer after it, and the first logout after that, all within two seconds.
create temporary table purchases as
select h.user_id, h.rn as began, h.at as began_at, h.id as hold, t.id as paid, o.rn as ended, o.at as ended_at, o.id as logout
from moves h
left join lateral (
  select id, rn from moves
  where user_id = h.user_id and what = 'transfer' and amount > 1000 and rn > h.rn and at < h.at + interval '2 seconds'
  order by rn limit 1) t on true
left join lateral (
  select id, rn, at from moves
  where user_id = h.user_id and what = 'logout' and rn > t.rn and at < h.at + interval '2 seconds'
  order by rn limit 1) o on true
where h.what = 'hold';

create temporary table purchase as
with recursive found as (
  (select distinct on (user_id) * from purchases where ended is not null order by user_id, ended, began)
  union all
  select n.*
  from found f
  cross join lateral (
    select * from purchases s where s.user_id = f.user_id and s.began > f.ended order by s.ended, s.began limit 1) n
  where n.ended is not null
)
select * from found;

-- A hold of which nothing came in its two seconds. One that was alive when another was done is part of that story.
create temporary table unfinished as
select hold, paid from purchases h
where not exists (
  select from purchase f
  where f.user_id = h.user_id and f.ended > h.began and f.ended_at < h.began_at + interval '2 seconds');

-- Two huge amounts from one country, of two users, whoever they are.
create temporary table pairs as
select a.rn as began, b.rn as ended, a.id as one, b.id as two
from stream a
cross join lateral (
  select id, rn from stream
  where amount > 10000 and rn > a.rn and at < a.at + interval '3 seconds'
    and user_id <> a.user_id and country = a.country
  order by rn limit 1) b
where a.amount > 10000;

create temporary table convoy as
with recursive found as (
  (select * from pairs order by ended, began limit 1)
  union all
  select n.*
  from found f
  cross join lateral (select * from pairs p where p.began > f.ended order by p.ended, p.began limit 1) n
)
select * from found;

create temporary table judged as
select *,
  count(*) over upto - count(*) over (partition by user_id order by at
    range between unbounded preceding and interval '20 seconds' preceding) as tx_count,
  sum(amount) over upto - coalesce(sum(amount) over (partition by user_id order by at
    range between unbounded preceding and interval '30 seconds' preceding), 0) as total,
  lag(country) over (partition by user_id order by rn) as last_country,
  lag(at) over (partition by user_id order by rn) as last_at
from stream
window upto as (partition by user_id order by rn);

create temporary table transfers as
select *,
  count(*) over (partition by device_id, floor(extract(epoch from at) / 20) order by rn) as tumbling,
  count(*) over (partition by device_id, sessions order by rn) as session,
  sum(amount) over (partition by user_id order by rn rows between 2 preceding and current row) as last_rows
from (
  select *, count(*) filter (where gap is null or gap >= interval '5 seconds') over (partition by device_id order by rn) as sessions
  from (select *, at - lag(at) over (partition by device_id order by rn) as gap from stream where type = 'transfer') g
) s;
create index on transfers (user_id, rn);
analyze transfers;

create temporary table expected_hits as
select 'large_amount' as rule_id, 80::numeric as score, rn, id, user_id, at from judged where amount > 10000
union all
select 'frequent', 60, rn, id, user_id, at from judged where tx_count > 10
union all
select 'spending', 30.25, rn, id, user_id, at from judged where total > 20000
union all
select 'location_change', 70, rn, id, user_id, at from judged
where country <> last_country and last_at > at - interval '1 hour'
union all
select 'shared_device', 40, s.rn, s.id, s.user_id, s.at
from stream s
cross join lateral (
  select count(distinct o.user_id) as users
  from stream o
  where o.type = 'transfer' and o.device_id = s.device_id and o.rn <= s.rn and o.at > s.at - interval '5 minutes'
) seen
where s.type = 'transfer' and seen.users > 3
union all
-- As the list was when the row was committed: an edit is in force for what is committed after it.
select 'watched', 11, s.rn, s.id, s.user_id, s.at
from stream s
where s.amount > 300 and coalesce(
  (select e.added from edits e where e.value = s.user_id::text and e.commit_lsn < s.commit_lsn
   order by e.commit_lsn desc, e.id desc limit 1), s.user_id in (1, 2, 3))
union all
select 'tumbling', 7.5, rn, id, user_id, at from transfers where tumbling = 5
union all
select 'session', 5, rn, id, user_id, at from transfers where session = 4
union all
select 'last_rows', 12, rn, id, user_id, at from transfers where last_rows > 5000
union all
select 'first_seen', 9.25, rn, id, user_id, at from (
  select *, row_number() over (partition by user_id, device_id order by rn) as nth from transfers where amount > 1000) big
where nth = 1
union all
select 'percentile', 3, t.rn, t.id, t.user_id, t.at
from transfers t
cross join lateral (
  select count(*) as n, percentile_cont(0.95) within group (order by amount::float8) as usual
  from transfers o
  where o.user_id = t.user_id and o.rn < t.rn and o.at > t.at - interval '30 seconds'
) before
where before.n >= 3 and t.amount::float8 > before.usual
union all
-- Of the two tables this one has scoring: the last transfer gets the points.
select 'fraud_sequence', 55.5, s.rn, s.id, s.user_id, s.at
from fraud f
join stream s on s.id = f.moved[cardinality(f.moved)]
union all
select 'convoy', 12.5, s.rn, s.id, s.user_id, s.at from convoy c join stream s on s.id = c.two;

create index on expected_hits (user_id, rn) where rule_id = 'location_change';
analyze expected_hits;

-- A cooldown of 5 s by user: the first hit acts, and then the first hit that is 5 s after the last that acted.
create temporary table acting as
with recursive acts as (
  (select distinct on (user_id) user_id, rn, id, at
   from expected_hits where rule_id = 'location_change' order by user_id, rn)
  union all
  select n.user_id, n.rn, n.id, n.at
  from acts a
  cross join lateral (
    select h.user_id, h.rn, h.id, h.at from expected_hits h
    where h.rule_id = 'location_change' and h.user_id = a.user_id and h.rn > a.rn
      and h.at >= a.at + interval '5 seconds'
    order by h.rn limit 1) n
)
select * from acts;

create temporary table expected_decisions as
select id::text as entity_id, sum(score) as score,
       case when sum(score) > 100 then 'block' when sum(score) > 50 or bool_or(rule_id = 'frequent') then 'flag' end as band,
       array_agg(rule_id order by rule_id) as rules
from expected_hits group by id;

create temporary table expected_alerts as
select rule_id, array[id::text] as evidence
from expected_hits where rule_id not in ('location_change', 'fraud_sequence', 'convoy')
union all
select 'location_change', array[id::text] from acting
union all
select 'scoring.transaction.block', array[entity_id] from expected_decisions where band = 'block'
union all
select 'fraud_sequence',
  array['login ' || login] || (select array_agg('moved ' || m order by n) from unnest(moved) with ordinality x (m, n))
    || array['logout ' || logout]
from fraud
union all
select 'unanswered', array['hold ' || id] from unanswered
union all
select 'purchase', array['hold ' || hold, 'paid ' || paid, 'logout ' || logout] from purchase
union all
select 'purchase', array_remove(array['hold ' || hold, 'paid ' || paid], null) from unfinished
union all
select 'convoy', array['first ' || one, 'second ' || two] from convoy;

create temporary table expected_blocks as
select user_id::text as subject_value, max(until) as until
from (
  select user_id, at + interval '24 hours' as until from acting
  union all
  select user_id, at + interval '30 hours' from unanswered
) blocked
group by user_id;

create temporary table expected_aggregates as
with commits as (
  select xid, max(committed_at) over (order by commit_lsn) as at from chaos_commits
), written as (
  select 'transaction' as event, type, country, amount, txid from transactions
  union all
  select 'session', null, null, null, txid from sessions
), timed as (
  select w.*, c.at from written w join commits c on c.xid = (w.txid & 4294967295)
)
select 'volume' as aggregate_id, date_bin('10 seconds', at, 'epoch') as bucket_start,
       jsonb_build_object('event', event) as key, jsonb_build_object('n', count(*), 'total', sum(amount)) as measures
from timed group by event, 2
union all
select 'transfers', date_bin('1 minute', at, 'epoch'), jsonb_build_object('country', country),
       jsonb_build_object('n', count(*), 'least', min(amount), 'most', max(amount))
from timed where type = 'transfer' group by country, 2;
