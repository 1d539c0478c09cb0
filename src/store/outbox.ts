import { createHash } from 'node:crypto';
import type { Pool } from 'pg';

/*
 * Each function is one statement: a crash here can leave a delivery that was made and is still pending (it is made
 * again, under the same id), never one that was not made and is not pending any more.
 */

/** Hex digits of a delivery's id: 128 bits. */
const ID_DIGITS = 32;

interface Delivery {
  readonly deliveryId: string;
  readonly webhook: string;
  readonly alertId: string;
}

/** What alerts are to be told to webhooks, sorted by primary key. The same alert makes the same ids. */
export function deliveriesOf(
  alerts: readonly { readonly alertId: string; readonly webhooks: readonly string[] }[],
): readonly Delivery[] {
  return alerts
    .flatMap(({ alertId, webhooks }) =>
      [...new Set(webhooks)].map((webhook) => ({ deliveryId: idOf(alertId, webhook), webhook, alertId })),
    )
    .sort((a, b) => (a.deliveryId < b.deliveryId ? -1 : 1));
}

function idOf(alertId: string, webhook: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([alertId, webhook]))
    .digest('hex');
  return `msg_${hash.slice(0, ID_DIGITS)}`;
}

/** A delivery as it is to be sent. */
export interface OpenDelivery {
  /** When trying began, ms since 1970. */
  readonly sinceMs: number;
  /** JSON of the alert; null: somebody has deleted it. */
  readonly body: string | null;
}

const UNENQUEUED = `select delivery_id, enqueued_at > '-infinity' as again, enqueued_at = '-infinity' as retried
  from weir.outbox
  where processor_id = $1 and webhook = $2 and status = 'pending'
    and (enqueued_at is null or enqueued_at < clock_timestamp() - $3 * interval '1 millisecond')
  order by enqueued_at nulls first limit $4`;

export interface Unenqueued {
  readonly deliveryId: string;
  readonly again: boolean;
  readonly retried: boolean;
}

/**
 * Deliveries that are in no queue, for all that is known: those that were never put in, then those that somebody wants
 * to be retried (`retried`: a job of theirs that has failed may be in the way), then those that were put in so long ago
 * that the queue may have lost them (`again`).
 */
export async function unenqueued(
  pool: Pick<Pool, 'query'>,
  where: { readonly processorId: string; readonly webhook: string; readonly limit: number },
  lostAfterMs: number,
): Promise<readonly Unenqueued[]> {
  const { processorId, webhook, limit } = where;
  const { rows } = await pool.query<{ delivery_id: string; again: boolean | null; retried: boolean | null }>(
    UNENQUEUED,
    [processorId, webhook, lostAfterMs, limit],
  );
  return rows.map((row) => ({
    deliveryId: row.delivery_id,
    again: row.again === true,
    retried: row.retried === true,
  }));
}

export async function markEnqueued(pool: Pick<Pool, 'query'>, ids: readonly string[]): Promise<void> {
  await pool.query(
    'update weir.outbox set enqueued_at = clock_timestamp() where delivery_id = any ($1) and status = $2',
    [ids, 'pending'],
  );
}

/** Numbers keep PostgreSQL's digits: the JSON is made there. */
const READ = `select extract(epoch from o.since) * 1000 as since_ms, o.status,
    case when a.alert_id is not null then json_build_object('type', 'alert',
      'timestamp', a.detected_at, 'data', json_build_object('alert_id', a.alert_id, 'rule_id', a.rule_id,
        'kind', a.kind, 'severity', a.severity, 'subject', a.subject, 'message', a.message,
        'event_time', a.event_time, 'detected_at', a.detected_at, 'details', a.details, 'events', a.events))::text
    end as body
  from weir.outbox o left join weir.alerts a using (alert_id)
  where o.delivery_id = $1`;

/** null: it is delivered, or gone. One that is dead is sent when somebody asks for it. */
export async function readDelivery(
  pool: Pick<Pool, 'query'>,
  deliveryId: string,
): Promise<OpenDelivery | null> {
  const { rows } = await pool.query<{ since_ms: string; status: string; body: string | null }>(READ, [
    deliveryId,
  ]);
  const [row] = rows;
  if (row === undefined || row.status === 'delivered') return null;
  return { sinceMs: Number(row.since_ms), body: row.body };
}

export async function markDelivered(pool: Pick<Pool, 'query'>, deliveryId: string): Promise<void> {
  await pool.query(
    `update weir.outbox set status = 'delivered', attempts = attempts + 1, finished_at = clock_timestamp()
     where delivery_id = $1 and status <> 'delivered'`,
    [deliveryId],
  );
}

export async function markFailed(
  pool: Pick<Pool, 'query'>,
  deliveryId: string,
  { error, dead }: { readonly error: string; readonly dead: boolean },
): Promise<void> {
  await pool.query(
    `update weir.outbox set attempts = attempts + 1, last_error = $2, status = case when $3 then 'dead' else status end,
       finished_at = case when $3 then clock_timestamp() else finished_at end
     where delivery_id = $1 and status <> 'delivered'`,
    [deliveryId, error, dead],
  );
}

/** Dead deliveries become pending; null: of all webhooks. Returns how many. */
export async function retryDead(
  pool: Pick<Pool, 'query'>,
  { processorId, webhook }: { readonly processorId: string; readonly webhook: string | null },
): Promise<number> {
  const { rowCount } = await pool.query(
    `update weir.outbox set status = 'pending', since = clock_timestamp(), enqueued_at = '-infinity', finished_at = null
     where processor_id = $1 and status = 'dead' and ($2::text is null or webhook = $2)`,
    [processorId, webhook],
  );
  return rowCount ?? 0;
}

export interface DeliveryCounts {
  readonly webhook: string;
  readonly pending: number;
  /** Within the last week. */
  readonly delivered: number;
  readonly dead: number;
  /** Of those that are not delivered, the latest. */
  readonly lastError: string | null;
}

/** null: of all webhooks. */
export async function deliveryCounts(
  pool: Pick<Pool, 'query'>,
  { processorId, webhook }: { readonly processorId: string; readonly webhook: string | null },
): Promise<readonly DeliveryCounts[]> {
  const { rows } = await pool.query<DeliveryCounts>(
    `select webhook, count(*) filter (where status = 'pending')::int as pending,
       count(*) filter (where status = 'delivered')::int as delivered,
       count(*) filter (where status = 'dead')::int as dead,
       (array_agg(last_error order by created_at desc)
         filter (where status <> 'delivered' and last_error is not null))[1] as "lastError"
     from weir.outbox where processor_id = $1 and ($2::text is null or webhook = $2)
     group by webhook order by webhook`,
    [processorId, webhook],
  );
  return rows;
}

export interface Undelivered {
  readonly webhook: string;
  readonly pending: number;
  readonly dead: number;
}

/** By webhook, those with none left out; by indexes, however much was delivered. */
export async function undelivered(
  pool: Pick<Pool, 'query'>,
  processorId: string,
): Promise<readonly Undelivered[]> {
  const { rows } = await pool.query<Undelivered>(
    `select webhook, sum(pending)::int as pending, sum(dead)::int as dead from (
       select webhook, count(*) as pending, 0 as dead from weir.outbox
       where processor_id = $1 and status = 'pending' group by webhook
       union all
       select webhook, 0, count(*) from weir.outbox where processor_id = $1 and status = 'dead' group by webhook) counted
     group by webhook order by webhook`,
    [processorId],
  );
  return rows;
}
