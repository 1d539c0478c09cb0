import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Site } from '../../support/site.ts';
import { until } from '../../support/until.ts';
import type { WeirProcess } from '../../support/weir-process.ts';
import { EXAMPLE_RULES, SHOP_SCHEMA } from './shop.ts';

/** Fifty beats a second: twelve seconds stand for ten minutes. What Weir does by the clock is not accelerated. */
const BEAT = 'heartbeat: 20ms\n';
const HALF_SECONDS = 6;

/** Measured: 160 (Redis) and 166 (PostgreSQL). */
const WAL_BYTES_A_BEAT = 250;
/**
 * Write transactions beyond one a beat, a second: idle partitions and acknowledgements, each every few seconds; with
 * the queue in the same server also its jobs, an empty one a partition every five seconds.
 */
const WRITES_A_SECOND = { redis: 2, postgres: 12 };
/** Commits of the source database, reading ones too: it asks where the partitions stand. Statistics come late: 9 to 15. */
const COMMITS_A_SECOND = 25;

const COUNTER = [
  'create publication nothing',
  `select pg_create_logical_replication_slot('counter', 'pgoutput')`,
];

/** Transaction numbers of the whole server, bytes of WAL, commits of this database; beats since the last sample. */
const SAMPLE = `
select extract(epoch from clock_timestamp())::float8 as at,
  pg_snapshot_xmax(pg_current_snapshot())::text::float8 as writes,
  pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as wal,
  (select xact_commit::float8 from pg_stat_database where datname = current_database()) as commits,
  (select count(*)::float8 from pg_logical_slot_get_binary_changes('counter', null, null,
     'proto_version', '1', 'publication_names', 'nothing', 'messages', 'true') where get_byte(data, 0) = 77) as beats`;

type Sample = Record<'at' | 'writes' | 'wal' | 'commits' | 'beats', number>;

describe.each(['redis', 'postgres'] as const)(
  'an idle system, store beside the tables, queue on %s',
  (queue) => {
    let site: Site;
    let weir: WeirProcess;

    beforeAll(async () => {
      site = await Site.open({
        version: 18,
        queue,
        schema: SHOP_SCHEMA,
        rules: EXAMPLE_RULES,
        yaml: BEAT,
        // PostgreSQL's own work is not what is measured.
        settings: { autovacuum: 'off', checkpoint_timeout: '1h', max_wal_size: '4GB' },
        prepare: async (client) => {
          for (const statement of COUNTER) await client.query(statement);
        },
      });
      weir = await site.weir('weir', ['run']);
      weir.start();
      await weir.ready();
      await until(
        'idle partitions have moved once',
        async () => ((await weir.metric(MOVED)) ?? 0) > 0,
        20_000,
      );
    });

    afterAll(() => site?.close());

    it('writes little a heartbeat, and no more as time goes on', async () => {
      const samples = [
        await sample(site),
        await sampleIn(site, HALF_SECONDS),
        await sampleIn(site, HALF_SECONDS),
      ];
      const [first, second] = [between(samples[0], samples[1]), between(samples[1], samples[2])];
      for (const half of [first, second]) {
        expect(half.beats).toBeGreaterThan(HALF_SECONDS * 20);
        expect(half.wal / half.beats).toBeLessThan(WAL_BYTES_A_BEAT);
        expect(half.writes).toBeGreaterThanOrEqual(half.beats);
        expect((half.writes - half.beats) / half.at).toBeLessThan(WRITES_A_SECOND[queue]);
        expect((half.commits - half.beats) / half.at).toBeLessThan(COMMITS_A_SECOND);
      }
      // One round of idle batches may be in one half and not in the other.
      expect(second.wal / second.beats).toBeLessThan(1.5 * (first.wal / first.beats));
      report(queue, first, second);
    });

    it('takes no notice of what is not captured', async () => {
      const sent = (await weir.metric('weir_batches_sent_total')) ?? 0;
      const before = await sample(site);
      await site.withClient(async (client) => {
        for (let i = 0; i < 300; i += 1) await client.query('insert into customers values ($1)', [i]);
      });
      const done = between(before, await sampleIn(site, 1));
      expect(done.writes - done.beats).toBeLessThan(300 + WRITES_A_SECOND[queue] * (done.at + 1));
      expect(((await weir.metric('weir_batches_sent_total')) ?? 0) - sent).toBeLessThanOrEqual(16);
    });
  },
);

const MOVED = 'weir_store_commit_partitions_total';

async function sample(site: Site): Promise<Sample> {
  const [row] = await site.rows<Sample>(SAMPLE);
  if (row === undefined) throw new Error('no sample');
  return row;
}

/** By the server's clock: what is measured is a time. */
async function sampleIn(site: Site, seconds: number): Promise<Sample> {
  await site.rows('select pg_sleep($1)', [seconds]);
  return sample(site);
}

function between(a: Sample | undefined, b: Sample | undefined): Sample {
  if (a === undefined || b === undefined) throw new Error('no sample');
  const { at, writes, wal, commits } = b;
  // The slot counts from where it was read last.
  return {
    at: at - a.at,
    writes: writes - a.writes,
    wal: wal - a.wal,
    commits: commits - a.commits,
    beats: b.beats,
  };
}

function report(queue: string, ...halves: readonly Sample[]): void {
  for (const { at, writes, wal, commits, beats } of halves)
    console.log(
      `idle, queue on ${queue}: ${beats} heartbeats in ${at.toFixed(1)} s: ${(wal / beats).toFixed(0)} bytes of WAL a heartbeat, ` +
        `${((writes - beats) / at).toFixed(1)} more writes and ${((commits - beats) / at).toFixed(1)} more commits a second`,
    );
}
