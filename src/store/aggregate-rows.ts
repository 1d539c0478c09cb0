import type { QueryConfig } from 'pg';
import { savedTally, Tally } from '../engine/aggregations/tally.ts';
import type { AggregateDelta } from '../engine/outputs.ts';
import { boundedKey } from '../events/keys.ts';
import type { Micros } from '../events/row.ts';
import type { AggregationPlan } from '../rules/aggregation-plan.ts';
import { compareText } from './output-rows.ts';
import type { PartitionCommit } from './partition-commit.ts';
import type { SharedTable } from './shared-rows.ts';
import { cleanJson, cleanText } from './text.ts';

/** What the partitions at hand add to one group of one bucket. */
export interface AggregateGroup {
  readonly plan: AggregationPlan;
  readonly rulesVersion: string;
  readonly bucket: Micros;
  /** Names the group; with aggregate and bucket the primary key. */
  readonly key: string;
  readonly group: readonly (string | null)[];
  readonly parts: readonly AggregateDelta[];
}

/** A group with the parts added. */
interface Added {
  readonly group: AggregateGroup;
  readonly tally: Tally;
}

/** Of several partitions, sorted by primary key. Aggregates that the rules of a later part lack are left out. */
export function groupAggregates(
  parts: readonly { readonly delta: AggregateDelta; readonly commit: PartitionCommit }[],
): readonly AggregateGroup[] {
  const groups = new Map<string, AggregateGroup & { readonly parts: AggregateDelta[] }>();
  for (const { delta, commit } of parts) {
    const plan = commit.aggregates.find(({ id }) => id === delta.aggregate);
    if (plan === undefined)
      throw new Error(`no aggregate ${delta.aggregate} in rules ${commit.rulesVersion}`);
    const key = boundedKey(cleanText(JSON.stringify(delta.group.map((value) => value && cleanText(value)))));
    const id = `${delta.aggregate} ${delta.bucket} ${key}`;
    const known = groups.get(id);
    if (known !== undefined) known.parts.push(delta);
    else {
      const { bucket, group } = delta;
      const { rulesVersion } = commit;
      groups.set(id, { plan, rulesVersion, bucket, key, group, parts: [delta] });
    }
  }
  return [...groups.values()].sort(byKey);
}

function byKey(a: AggregateGroup, b: AggregateGroup): number {
  return compareText(a.plan.id, b.plan.id) || a.bucket - b.bucket || compareText(a.key, b.key);
}

/** `stored`: `state` of the row; null: there is none yet. */
export function add(group: AggregateGroup, stored: unknown, now: Micros): Added {
  const tally = new Tally(group.plan);
  if (stored !== null) tally.merge(savedTally.parse(stored));
  for (const { tally: part, commits } of group.parts) {
    tally.merge(part);
    tally.effect += part.rows * (now - group.bucket) - commits;
  }
  return { group, tally };
}

interface AggregateRow {
  readonly aggregate_id: string;
  readonly bucket: string;
  readonly group_key: string;
  readonly state: unknown;
}

/** `now`: when the effect becomes visible. */
export function aggregateTable(
  processorId: string,
  now: Micros,
): SharedTable<AggregateGroup, AggregateRow, Added> {
  return {
    keyOf: ({ plan, bucket, key }) => `${plan.id} ${bucket} ${key}`,
    keyOfRow: (row) => `${row.aggregate_id} ${row.bucket} ${row.group_key}`,
    add: (group, row) => add(group, row?.state ?? null, now),
    insert: (begun) => insertAggregates(begun, processorId),
    lock: (groups) => lockAggregates(groups, processorId),
    update: (added) => updateAggregates(added, processorId),
  };
}

const BUCKET = '(extract(epoch from bucket_start) * 1000000)::bigint::text as bucket';

const INSERT = `insert into weir.aggregates
    (aggregate_id, bucket_start, bucket_end, group_key, key, row_count, measures, state, event, expires_at,
     rules_version, processor_id)
  select aggregate_id, weir.at(bucket), weir.at(bucket + every), group_key, key, row_count, measures, state, event,
         weir.at(bucket + every + keep), rules_version, $12
  from unnest($1::text[], $2::float8[], $3::float8[], $4::text[], $5::jsonb[], $6::int8[], $7::jsonb[], $8::jsonb[],
              $9::text[], $10::text[], $11::float8[])
    as a (aggregate_id, bucket, every, group_key, key, row_count, measures, state, event, rules_version, keep)
  on conflict (aggregate_id, bucket_start, group_key, processor_id) do nothing
  returning aggregate_id, ${BUCKET}, group_key`;

/** Takes the groups that nobody has begun, and says which. */
export function insertAggregates(added: readonly Added[], processorId: string): QueryConfig {
  return {
    name: 'weir_aggregates_insert',
    text: INSERT,
    values: [
      added.map(({ group }) => group.plan.id),
      added.map(({ group }) => group.bucket),
      added.map(({ group }) => group.plan.every),
      added.map(({ group }) => group.key),
      added.map(({ group }) => cleanJson(keyJson(group))),
      added.map(({ tally }) => tally.rows),
      added.map(({ tally }) => tally.measuresJson()),
      added.map(({ tally }) => JSON.stringify(tally.save())),
      added.map(({ group }) => group.plan.event),
      added.map(({ group }) => group.rulesVersion),
      added.map(({ group }) => group.plan.keep),
      processorId,
    ],
  };
}

function keyJson({ plan, group }: AggregateGroup): string {
  return JSON.stringify(Object.fromEntries(plan.by.map((name, index) => [name, group[index] ?? null])));
}

const LOCK = `select a.aggregate_id, ${BUCKET}, a.group_key, a.state
  from weir.aggregates a
  join unnest($1::text[], $2::float8[], $3::text[]) as k (aggregate_id, bucket, group_key)
    on a.aggregate_id = k.aggregate_id and a.bucket_start = weir.at(k.bucket) and a.group_key = k.group_key
  where a.processor_id = $4
  order by a.aggregate_id, a.bucket_start, a.group_key
  for update of a`;

/** Their state after whoever added to them last has committed. */
function lockAggregates(groups: readonly AggregateGroup[], processorId: string): QueryConfig {
  return {
    name: 'weir_aggregates_lock',
    text: LOCK,
    values: [
      groups.map(({ plan }) => plan.id),
      groups.map(({ bucket }) => bucket),
      groups.map(({ key }) => key),
      processorId,
    ],
  };
}

const UPDATE = `update weir.aggregates a
  set row_count = n.row_count, measures = n.measures, state = n.state, rules_version = n.rules_version,
      updated_at = clock_timestamp()
  from unnest($1::text[], $2::float8[], $3::text[], $4::int8[], $5::jsonb[], $6::jsonb[], $7::text[])
    as n (aggregate_id, bucket, group_key, row_count, measures, state, rules_version)
  where a.aggregate_id = n.aggregate_id and a.bucket_start = weir.at(n.bucket) and a.group_key = n.group_key
    and a.processor_id = $8`;

function updateAggregates(added: readonly Added[], processorId: string): QueryConfig {
  return {
    name: 'weir_aggregates_update',
    text: UPDATE,
    values: [
      added.map(({ group }) => group.plan.id),
      added.map(({ group }) => group.bucket),
      added.map(({ group }) => group.key),
      added.map(({ tally }) => tally.rows),
      added.map(({ tally }) => tally.measuresJson()),
      added.map(({ tally }) => JSON.stringify(tally.save())),
      added.map(({ group }) => group.rulesVersion),
      processorId,
    ],
  };
}
