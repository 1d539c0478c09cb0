import type { QueryConfig } from 'pg';
import type { Alert, Block, DeadLetter, LateEvent, Replay } from '../engine/outputs.ts';
import type { PositionText } from '../events/position.ts';
import { deliveriesOf } from './outbox.ts';
import { cleanJson, cleanText } from './text.ts';

/**
 * The shared tables, one statement each, rows sorted by primary key: every writer takes the same locks in the same
 * order, so that they queue and never embrace.
 */
export interface OutputRows {
  readonly alerts: readonly AlertRow[];
  readonly blocks: readonly Block[];
  readonly late: readonly LateEvent[];
  readonly deadLetters: readonly DeadLetter[];
  readonly replays: readonly Replay[];
}

export interface AlertRow extends Alert {
  readonly rulesVersion: string;
}

/** In the one fixed order of tables; none for a table without rows. The first returns the ids of new alerts. */
export function outputStatements(
  rows: OutputRows,
  processorId: string,
  notify: boolean,
): readonly QueryConfig[] {
  const statements: QueryConfig[] = [];
  if (rows.alerts.length > 0) statements.push(alertStatement(rows.alerts, processorId, notify));
  if (rows.blocks.length > 0) statements.push(blockStatement(rows.blocks, processorId));
  if (rows.late.length > 0) statements.push(lateStatement(rows.late, processorId));
  if (rows.deadLetters.length > 0) statements.push(deadLetterStatement(rows.deadLetters, processorId));
  if (rows.replays.length > 0) statements.push(replayStatement(rows.replays, processorId));
  return statements;
}

export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** `16 hex.12 hex` → what pg_lsn reads. */
export function lsnOf(position: PositionText): string {
  return `${position.slice(0, 8)}/${position.slice(8, 16)}`;
}

/** `deliveries`: what else is written of the alerts that are new. */
const insertAlerts = (deliveries: string) => `with written as (
    insert into weir.alerts (alert_id, rule_id, kind, severity, subject, message, event_time, commit_lsn, events,
                             details, mode, rules_version, processor_id)
    select alert_id, rule_id, kind, severity, subject, message, weir.at(event_time), commit_lsn, events, details,
           mode, rules_version, $13
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::float8[], $8::pg_lsn[],
                $9::jsonb[], $10::jsonb[], $11::text[], $12::text[])
      as a (alert_id, rule_id, kind, severity, subject, message, event_time, commit_lsn, events, details, mode, rules_version)
    on conflict (alert_id) do nothing
    returning alert_id, rule_id, severity, subject, mode
  )${deliveries}, payloads as materialized (
    select alert_id, mode,
           json_build_object('alert_id', alert_id, 'rule_id', rule_id, 'severity', severity, 'subject', subject)::text as whole
    from written
  )
  select alert_id, case when $14 and mode = 'live' then pg_notify('weir_alerts',
      case when octet_length(whole) < 8000 then whole else json_build_object('alert_id', alert_id)::text end) end
  from payloads`;

const INSERT_ALERTS = insertAlerts('');
const INSERT_ALERTS_AND_DELIVERIES = insertAlerts(`, deliveries as (
    insert into weir.outbox (delivery_id, webhook, alert_id, processor_id)
    select d.delivery_id, d.webhook, d.alert_id, $13
    from unnest($15::text[], $16::text[], $17::text[]) as d (delivery_id, webhook, alert_id)
    join written w on w.alert_id = d.alert_id
    on conflict (delivery_id) do nothing
  )`);

function alertStatement(alerts: readonly AlertRow[], processorId: string, notify: boolean): QueryConfig {
  const rows = alerts.toSorted((a, b) => compareText(a.alertId, b.alertId));
  const values: unknown[] = [
    rows.map((a) => a.alertId),
    rows.map((a) => a.rule),
    rows.map((a) => a.kind),
    rows.map((a) => a.severity),
    rows.map((a) => cleanJson(a.subjectJson)),
    rows.map((a) => cleanText(a.message)),
    rows.map((a) => a.at),
    rows.map((a) => lsnOf(a.position)),
    rows.map((a) => cleanJson(a.eventsJson)),
    rows.map((a) => cleanJson(a.detailsJson)),
    rows.map((a) => a.mode),
    rows.map((a) => a.rulesVersion),
    processorId,
    notify,
  ];
  const deliveries = deliveriesOf(rows);
  if (deliveries.length === 0) return { name: 'weir_alerts', text: INSERT_ALERTS, values };
  values.push(
    deliveries.map((d) => d.deliveryId),
    deliveries.map((d) => d.webhook),
    deliveries.map((d) => d.alertId),
  );
  return { name: 'weir_alerts_outbox', text: INSERT_ALERTS_AND_DELIVERIES, values };
}

/** A block is only ever prolonged. */
const UPSERT_BLOCKS = `insert into weir.blocks as b (subject_key, subject_value, reason, until, scored_by, processor_id)
  select subject_key, subject_value, reason, weir.at(until), scored_by, $6
  from unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::text[])
    as n (subject_key, subject_value, reason, until, scored_by)
  on conflict (subject_key, subject_value) do update
    set until = excluded.until, reason = excluded.reason, scored_by = excluded.scored_by, updated_at = clock_timestamp(),
        processor_id = excluded.processor_id
    where excluded.until > b.until`;

function blockStatement(blocks: readonly Block[], processorId: string): QueryConfig {
  const rows = longest(blocks).toSorted((a, b) => compareText(a.key, b.key) || compareText(a.value, b.value));
  return {
    name: 'weir_blocks',
    text: UPSERT_BLOCKS,
    values: [
      rows.map((b) => b.key),
      rows.map((b) => cleanText(b.value)),
      rows.map((b) => cleanText(b.reason)),
      rows.map((b) => b.until),
      rows.map((b) => (b.scoredBy === undefined ? null : cleanText(b.scoredBy))),
      processorId,
    ],
  };
}

/** One statement may not meet a row twice. */
function longest(blocks: readonly Block[]): readonly Block[] {
  const bySubject = new Map<string, Block>();
  for (const block of blocks) {
    const subject = JSON.stringify([block.key, cleanText(block.value)]);
    const known = bySubject.get(subject);
    if (known === undefined || block.until > known.until) bySubject.set(subject, block);
  }
  return [...bySubject.values()];
}

const INSERT_LATE = `insert into weir.late_events (event, position, event_time, watermark, payload, processor_id)
  select event, position, weir.at(event_time), weir.at(watermark), payload, $6
  from unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::jsonb[])
    as l (event, position, event_time, watermark, payload)
  on conflict (event, position, processor_id) do nothing`;

function lateStatement(late: readonly LateEvent[], processorId: string): QueryConfig {
  const rows = late.toSorted((a, b) => compareText(a.event, b.event) || compareText(a.position, b.position));
  return {
    name: 'weir_late_events',
    text: INSERT_LATE,
    values: [
      rows.map((l) => l.event),
      rows.map((l) => l.position),
      rows.map((l) => l.at),
      rows.map((l) => l.watermark),
      rows.map((l) => cleanJson(l.eventJson)),
      processorId,
    ],
  };
}

const INSERT_DEAD_LETTERS = `insert into weir.dead_letters (rule_id, event, position, error, payload, change, processor_id)
  select rule_id, event, position, error, payload, change, $7
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[])
    as d (rule_id, event, position, error, payload, change)`;

function deadLetterStatement(letters: readonly DeadLetter[], processorId: string): QueryConfig {
  return {
    name: 'weir_dead_letters',
    text: INSERT_DEAD_LETTERS,
    values: [
      letters.map((d) => cleanText(d.rule)),
      letters.map((d) => d.event),
      letters.map((d) => d.position),
      letters.map((d) => cleanText(d.error)),
      letters.map((d) => cleanJson(d.eventJson)),
      letters.map((d) => (d.changeJson === null ? null : cleanJson(d.changeJson))),
      processorId,
    ],
  };
}

/** What two messages have asked for is told once. */
const RESOLVE = `update weir.dead_letters d
  set replayed_at = clock_timestamp(), outcome = r.outcome, resolved_at = coalesce(d.resolved_at, clock_timestamp())
  from unnest($1::bigint[], $2::text[]) as r (dead_letter_id, outcome)
  where d.dead_letter_id = r.dead_letter_id and d.processor_id = $3 and d.replayed_at is null`;

function replayStatement(replays: readonly Replay[], processorId: string): QueryConfig {
  return {
    name: 'weir_replays',
    text: RESOLVE,
    values: [replays.map(({ letter }) => letter), replays.map(({ outcome }) => outcome), processorId],
  };
}
