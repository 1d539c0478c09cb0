import { expect, test } from 'vitest';
import type { Batch } from '../../../src/events/batch.ts';
import { LATENCY_BUCKETS, Metrics } from '../../../src/monitor/metrics.ts';

const BATCH: Batch = {
  v: 1,
  epoch: 4,
  partition: 1,
  from: '0000000000000000.000000000000',
  to: '0000000000000001.000000000000',
  rules: 'r',
  lists: 0,
  rows: 0,
  bytes: 0,
  commitAt: 0,
  watermarks: [],
  transactions: [],
  events: [],
};

test('every metric of Weir begins with weir_, and bytes and seconds are base units', async () => {
  const metrics = new Metrics({ processDefaults: false });
  const names = metrics.registry.getMetricsAsArray().map((metric) => metric.name);
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => !name.startsWith('weir_'))).toEqual([]);
  expect(names.filter((name) => /_(ms|kb|mb)(_|$)/.test(name))).toEqual([]);
});

test('what rooms report is what a scrape shows', async () => {
  const metrics = new Metrics({ processDefaults: false });
  metrics.rows('public.transactions', 500);
  metrics.rows('public.transactions', 20);
  metrics.lag({ bytes: 4_096, seconds: 0.25 });
  metrics.slot({ retainedBytes: 16_777_216, safeBytes: null });
  for (let n = 0; n < 3; n += 1) metrics.hit('large_amount', 'live');
  metrics.queueDepths([0, 7]);
  metrics.batch(BATCH, { outcome: 'committed', hits: 0, alerts: 0, deadLetters: 0 });
  metrics.epochBegun(4, 'gap');
  metrics.deadLetter('large_amount');
  const text = await metrics.text();
  expect(text).toContain('weir_source_rows_total{table="public.transactions"} 520');
  expect(text).toContain('weir_source_lag_bytes 4096');
  expect(text).toContain('weir_source_lag_seconds 0.25');
  expect(text).toContain('weir_slot_retained_bytes 16777216');
  expect(text).toContain('weir_slot_safe_bytes +Inf');
  expect(text).toContain('weir_rule_hits_total{rule="large_amount",mode="live"} 3');
  expect(text).toContain('weir_queue_depth{partition="1"} 7');
  expect(text).toContain('weir_batches_total{partition="1",outcome="committed"} 1');
  expect(text).toContain('weir_epochs_total{reason="gap"} 1');
  expect(text).toContain('weir_epoch 4');
  expect(text).toContain('weir_dead_letters_total{rule="large_amount"} 1');
});

test('the latency histogram goes from 1 ms to 60 s', async () => {
  const metrics = new Metrics({ processDefaults: false });
  metrics.commitToEffect(0.004);
  metrics.commitToEffect(90);
  const text = await metrics.text();
  expect(LATENCY_BUCKETS[0]).toBe(0.001);
  expect(text).toContain('weir_commit_to_effect_seconds_bucket{le="0.0025"} 0');
  expect(text).toContain('weir_commit_to_effect_seconds_bucket{le="0.005"} 1');
  expect(text).toContain('weir_commit_to_effect_seconds_bucket{le="60"} 1');
  expect(text).toContain('weir_commit_to_effect_seconds_count 2');
});

test('two instances in one process count apart', async () => {
  const [one, other] = [new Metrics({ processDefaults: true }), new Metrics({ processDefaults: true })];
  one.alert('a', 'high');
  expect(await other.text()).not.toContain('rule="a"');
});

test('a measure that has ended is asked no more', async () => {
  const metrics = new Metrics({ processDefaults: false });
  let asked = 0;
  const end = metrics.beforeScrape(() => void asked++);
  await metrics.text();
  end();
  await metrics.text();
  expect(asked).toBe(1);
});

test('a measure that fails at a scrape leaves the others', async () => {
  const metrics = new Metrics({ processDefaults: false });
  metrics.beforeScrape(() => Promise.reject(new Error('PostgreSQL is away')));
  metrics.beforeScrape(() => metrics.inFlight(77));
  expect(await metrics.text()).toContain('weir_in_flight_bytes 77');
});
