import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { WebhookMetrics } from '../actions/webhook-metrics.ts';
import type { Batch } from '../events/batch.ts';
import type { BatchReport } from '../queue/queue.ts';
import type { Mode } from '../rules/plan-parts.ts';
import type { SourceMetrics } from '../source/source-options.ts';
import type { WorkerMetrics } from '../worker/worker-metrics.ts';

/** Seconds; 1 ms to 1 minute. */
export const LATENCY_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

export interface SlotMeasure {
  /** WAL that PostgreSQL keeps for the slot. */
  readonly retainedBytes: number;
  /** WAL that can still be written before the slot is lost (`safe_wal_size`); null: no limit is set. */
  readonly safeBytes: number | null;
}

/**
 * All that Weir measures of itself, in base units, in a registry of its own. Where rows are many, counters take an
 * amount: the source counts a transaction at a time, never a row.
 */
export class Metrics implements SourceMetrics, WorkerMetrics, WebhookMetrics {
  readonly registry = new Registry();
  readonly #scrapes = new Set<() => Promise<void> | void>();

  readonly #rows = this.#counter('source_rows_total', 'Row changes read from the WAL', ['table']);
  readonly #lagBytes = this.#gauge('source_lag_bytes', 'WAL written and not yet read by the source');
  readonly #lagSeconds = this.#gauge(
    'source_lag_seconds',
    'Now less the commit time of the last transaction read',
  );
  readonly #paused = this.#gauge('source_paused', '1 while the byte budget keeps the socket paused');
  readonly #inFlight = this.#gauge('in_flight_bytes', 'Bytes read and not yet committed by a worker');
  readonly #reconnects = this.#counter('source_reconnects_total', 'Connections of the stream that ended', []);
  readonly #slotRetained = this.#gauge('slot_retained_bytes', 'WAL that PostgreSQL keeps for the slot');
  readonly #slotSafe = this.#gauge(
    'slot_safe_bytes',
    'WAL that can be written before the slot is lost; +Inf: no limit is set',
  );
  readonly #epoch = this.#gauge('epoch', 'The current epoch');
  readonly #epochs = this.#counter('epochs_total', 'Epochs begun', ['reason']);
  readonly #sent = this.#counter('batches_sent_total', 'Batches put into the queue', ['partition']);
  readonly #depth = this.#gauge('queue_depth', 'Jobs that wait or are worked on', ['partition']);
  readonly #batches = this.#counter('batches_total', 'Batches that workers are done with', [
    'partition',
    'outcome',
  ]);
  readonly #hits = this.#counter('rule_hits_total', 'Rows that a rule fired on', ['rule', 'mode']);
  readonly #alerts = this.#counter('alerts_total', 'Alerts written', ['rule', 'severity']);
  readonly #late = this.#counter('late_events_total', 'Rows that came too late for windows', ['event']);
  readonly #deadLetters = this.#counter('dead_letters_total', 'Rows that a rule failed on', ['rule']);
  readonly #unowned = this.#gauge(
    'partitions_unowned',
    'Partitions with work that no worker has owned for 5 seconds, as the source sees it',
  );
  readonly #timeouts = this.#counter(
    'pattern_timeouts_total',
    'Partial matches that ran out of time, of patterns with on_timeout',
    ['pattern', 'mode'],
  );
  readonly #partials = this.#gauge('partial_matches', 'Partial matches of patterns that are alive', [
    'partition',
  ]);
  readonly #evicted = this.#counter(
    'partial_matches_evicted_total',
    'Partial matches dropped because their key had too many: matches may be missing, must be zero',
    ['pattern'],
  );
  readonly #deliveries = this.#counter(
    'webhook_deliveries_total',
    'Attempts to deliver an alert to a webhook: delivered, failed (to be tried again) or dead (given up)',
    ['webhook', 'outcome'],
  );
  readonly #circuit = this.#gauge(
    'webhook_circuit_open',
    '1 while a receiver is down and left alone between attempts',
    ['webhook'],
  );
  readonly #outbox = this.#gauge('webhook_pending', 'Deliveries that are not made yet', ['webhook']);
  readonly #dead = this.#gauge('webhook_dead', 'Deliveries that were given up, and that nobody has retried', [
    'webhook',
  ]);
  readonly #cutLists = this.#counter(
    'window_lists_cut_total',
    'Rows for which the `list` of a window held only the newest 1,000 of its values',
    ['rule'],
  );
  readonly #owned = this.#gauge('partitions_owned', 'Partitions that this process works on');
  readonly #latency = this.#histogram(
    'commit_to_effect_seconds',
    "From the source's commit to the commit of its effect",
  );
  readonly #commit = this.#histogram('store_commit_seconds', 'A transaction of state, outputs and positions');
  readonly #committed = this.#counter(
    'store_commit_partitions_total',
    'Partitions that transactions of the store moved: more than commits, since several go into one',
    [],
  );
  readonly #refusals = this.#gauge(
    'guard_refusals_total',
    'Rows that the guard of a table has refused, since it was installed; without a rule: blocked ones',
    ['table', 'rule'],
  );
  readonly #ready = this.#gauge('ready', '1 while /readyz is green');

  constructor(options: { readonly processDefaults: boolean } = { processDefaults: true }) {
    if (options.processDefaults) collectDefaultMetrics({ register: this.registry });
  }

  rows(table: string, count: number): void {
    this.#rows.inc({ table }, count);
  }
  lag(measure: { readonly bytes?: number; readonly seconds?: number }): void {
    if (measure.bytes !== undefined) this.#lagBytes.set(measure.bytes);
    if (measure.seconds !== undefined) this.#lagSeconds.set(measure.seconds);
  }
  paused(is: boolean): void {
    this.#paused.set(is ? 1 : 0);
  }
  inFlight(bytes: number): void {
    this.#inFlight.set(bytes);
  }
  reconnected(): void {
    this.#reconnects.inc();
  }
  slot(measure: SlotMeasure): void {
    this.#slotRetained.set(measure.retainedBytes);
    this.#slotSafe.set(measure.safeBytes ?? Number.POSITIVE_INFINITY);
  }
  /** `reason`: few and fixed (`start`, `gap`, `ownership`, `liveness`, …): each is a series for ever. */
  epochBegun(epoch: number, reason: string): void {
    this.#epoch.set(epoch);
    this.#epochs.inc({ reason });
  }
  sent(partition: number, batches: number): void {
    this.#sent.inc({ partition: String(partition) }, batches);
  }
  queueDepths(depths: readonly number[]): void {
    depths.forEach((depth, partition) => {
      this.#depth.set({ partition: String(partition) }, depth);
    });
  }
  unowned(partitions: number): void {
    this.#unowned.set(partitions);
  }
  batch(batch: Batch, report: BatchReport): void {
    this.#batches.inc({ partition: String(batch.partition), outcome: report.outcome });
  }
  hit(rule: string, mode: Mode): void {
    this.#hits.inc({ rule, mode });
  }
  alert(rule: string, severity: string): void {
    this.#alerts.inc({ rule, severity });
  }
  late(event: string): void {
    this.#late.inc({ event });
  }
  timedOut(pattern: string, mode: Mode): void {
    this.#timeouts.inc({ pattern, mode });
  }
  partials(partition: number, alive: number): void {
    this.#partials.set({ partition: String(partition) }, alive);
  }
  evicted(pattern: string, partials: number): void {
    this.#evicted.inc({ pattern }, partials);
  }

  listCut(rule: string, rows: number): void {
    this.#cutLists.inc({ rule }, rows);
  }
  deadLetter(rule: string): void {
    this.#deadLetters.inc({ rule });
  }
  delivery(webhook: string, outcome: 'delivered' | 'failed' | 'dead'): void {
    this.#deliveries.inc({ webhook, outcome });
  }
  circuit(webhook: string, open: boolean): void {
    this.#circuit.set({ webhook }, open ? 1 : 0);
  }
  undelivered(
    webhooks: readonly { readonly webhook: string; readonly pending: number; readonly dead: number }[],
  ): void {
    this.#outbox.reset();
    this.#dead.reset();
    for (const { webhook, pending, dead } of webhooks) {
      this.#outbox.set({ webhook }, pending);
      this.#dead.set({ webhook }, dead);
    }
  }
  owned(partitions: number): void {
    this.#owned.set(partitions);
  }
  commitToEffect(seconds: number): void {
    this.#latency.observe(seconds);
  }
  commit(seconds: number, partitions: number): void {
    this.#commit.observe(seconds);
    this.#committed.inc(partitions);
  }
  /** PostgreSQL counts them. */
  refusals(counted: readonly { guarded: string; rule: string | null; refusals: number }[]): void {
    this.#refusals.reset();
    for (const { guarded, rule, refusals } of counted)
      this.#refusals.set({ table: guarded, rule: rule ?? '' }, refusals);
  }
  readiness(ready: boolean): void {
    this.#ready.set(ready ? 1 : 0);
  }

  /**
   * Asked at each scrape, for what is measured elsewhere (slot, queue), until the returned function is called. One that
   * fails leaves its last values.
   */
  beforeScrape(measure: () => Promise<void> | void): () => void {
    this.#scrapes.add(measure);
    return () => this.#scrapes.delete(measure);
  }

  /** Prometheus' text format. */
  async text(): Promise<string> {
    await Promise.allSettled([...this.#scrapes].map(async (measure) => measure()));
    return this.registry.metrics();
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name: `weir_${name}`, help, labelNames, registers: [this.registry] });
  }
  #gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> {
    return new Gauge({ name: `weir_${name}`, help, labelNames, registers: [this.registry] });
  }
  #histogram(name: string, help: string): Histogram {
    return new Histogram({
      name: `weir_${name}`,
      help,
      buckets: [...LATENCY_BUCKETS],
      registers: [this.registry],
    });
  }
}
