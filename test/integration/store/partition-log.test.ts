import fc from 'fast-check';
import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openControl } from '../../../src/store/control-store.ts';
import { PartitionLog } from '../../../src/store/partition-log.ts';
import { reshard } from '../../../src/store/reshard.ts';
import { closingOf, SLOT, StoreFixture } from './fixture.ts';
import { random } from './random.ts';
import { ToyOwner } from './toy-owner.ts';

/** Of partition 0 of 4; more than one step of compaction takes. */
const BUCKETS = Array.from({ length: 40 }, (_, i) => i * 4);

/** What may happen to the partition between two commits. */
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      buckets: fc.subarray(BUCKETS, { maxLength: 12 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('takeover' as const) }) },
);

describe.each([14, 18] as const)('the log of a partition, on PostgreSQL %i', (version) => {
  let store: StoreFixture;
  let client: Client;
  let other: Client;
  beforeAll(async () => {
    store = await StoreFixture.start(version);
    client = await store.client();
    other = await store.client();
  });
  afterAll(() => store.close());
  beforeEach(() => store.reset());

  it('gives back every delta once, whatever was compacted, opened anew or taken over between', async () => {
    let n = 0;
    const model = new Map<number, string[]>(BUCKETS.map((bucket) => [bucket, []]));
    const expected = () => Object.fromEntries(model);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60 }), async (steps) => {
        let owner = await ToyOwner.open(client, 'first');
        let before: ToyOwner | null = null;
        for (const one of steps) {
          if (one.kind === 'commit') {
            n++;
            if (before !== null && !(await owner.commit(closingOf(n), one.buckets, `${n}`)))
              throw new Error('fenced');
            if (before === null) expect(await owner.commit(closingOf(n), one.buckets, `${n}`)).toBe(true);
            for (const bucket of one.buckets) model.get(bucket)?.push(`${n}`);
            // An owner that does not know yet that it was replaced writes nothing.
            if (before !== null) expect(await before.commit(closingOf(n + 1), BUCKETS, 'never')).toBe(false);
          } else if (one.kind === 'compact') {
            expect(await owner.compact()).not.toBe('fenced');
            if (before !== null && before.position !== owner.position) {
              expect(await before.compact()).not.toBe('done');
            }
          } else {
            before = one.kind === 'takeover' ? owner : null;
            owner = await ToyOwner.open(one.kind === 'takeover' ? other : client, `owner ${n}`);
          }
        }
        const fresh = await ToyOwner.open(client, 'reader');
        expect(await fresh.read(BUCKETS)).toEqual(expected());
      }),
      { numRuns: 15, seed: version, endOnFailure: true },
    );
  });

  it('has each commit whole or not at all, whenever its session is killed', async () => {
    const next = random(version);
    const model = new Map<number, string[]>(BUCKETS.map((bucket) => [bucket, []]));
    let victim = await store.client();
    let owner = await ToyOwner.open(victim, 'victim 0');
    let lost = 0;
    let kept = 0;
    // As long as a commit takes here and now: longer after one that was lost, shorter after one that was kept.
    let withinSeconds = 0.012;
    for (let n = 1; n <= 40; n++) {
      const buckets = BUCKETS.filter(() => next() < 0.3);
      const pid = (await victim.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;
      const killed = store.rows(`select pg_sleep(${next() * withinSeconds}), pg_terminate_backend(${pid})`);
      await (async () => {
        await owner.commit(closingOf(n), buckets, `${n}`);
        while ((await owner.compact()) === 'done');
      })().catch(() => undefined);
      await killed;
      victim = await store.client();
      owner = await ToyOwner.open(victim, `victim ${n}`);
      if (owner.position === closingOf(n)) {
        kept++;
        for (const bucket of buckets) model.get(bucket)?.push(`${n}`);
      } else lost++;
      withinSeconds *= owner.position === closingOf(n) ? 0.8 : 1.25;
      expect(await owner.read(BUCKETS)).toEqual(Object.fromEntries(model));
    }
    // Both happen, or the test has shown nothing.
    expect(Math.min(lost, kept)).toBeGreaterThan(0);
  });

  it('keeps segments and snapshots in proportion to the state, and every bucket of the old table is covered', async () => {
    const owner = await ToyOwner.open(client, 'me');
    let truncations = 0;
    let before = 0;
    for (let n = 1; n <= 300; n++) {
      await owner.commit(closingOf(n), BUCKETS, `item ${n % 7}`);
      await owner.compact();
      const { segmentBytes, snapshotBytes } = owner.sizes();
      if (segmentBytes < before) truncations++;
      before = segmentBytes;
      expect(segmentBytes).toBeLessThan(3 * Math.max(600, snapshotBytes / 2) + 2_000);
    }
    expect(truncations).toBeGreaterThan(3);
  });

  it('does not wait for one who reads the old table, and truncates it later', async () => {
    const owner = await ToyOwner.open(client, 'me');
    await other.query('begin');
    await other.query('select from weir.segments_weir_p0_0');
    let n = 0;
    const grow = async (to: number) => {
      while (n < to) {
        n++;
        await owner.commit(closingOf(n), BUCKETS, `item ${n}`);
        expect(await owner.compact()).not.toBe('fenced');
      }
    };
    await grow(40);
    expect(await store.rows('select count(*)::int > 0 as kept from weir.segments_weir_p0_0')).toEqual([
      { kept: true },
    ]);
    await other.query('rollback');
    await grow(60);
    const left = await store.rows<{ n: number }>(
      'select count(*)::int as n from weir.segments_weir_p0_0 where position < $$0000000000000200$$',
    );
    expect(left).toEqual([{ n: 0 }]);
    const fresh = await ToyOwner.open(other, 'reader');
    const items = Array.from({ length: 60 }, (_, i) => `item ${i + 1}`);
    expect(await fresh.read([4])).toEqual({ 4: items });
  });

  it('is fenced by a new epoch, for compaction too', async () => {
    const owner = await ToyOwner.open(client, 'me');
    for (let n = 1; n <= 20; n++) await owner.commit(closingOf(n), BUCKETS, 'x');
    await openControl(store.pool, SLOT).raiseEpoch();
    expect(await owner.compact()).toBe('fenced');
    expect(await store.rows('select from weir.state')).toEqual([]);
  });

  it('keeps every delta when the number of partitions changes, up and down', async () => {
    const buckets = [0, 1, 2, 3, 5, 8, 13, 1021];
    const written = new Map<number, string[]>(buckets.map((bucket) => [bucket, []]));
    let n = 0;
    for (const partitions of [4, 3, 16, 1]) {
      if (n > 0) expect(await reshard(client, SLOT, partitions)).toBe(true);
      const begin = n;
      for (let partition = 0; partition < partitions; partition++) {
        const mine = buckets.filter((bucket) => bucket % partitions === partition);
        const owner = await ToyOwner.open(client, `of ${partitions}`, partition);
        expect(await owner.read(mine)).toEqual(Object.fromEntries(mine.map((b) => [b, written.get(b)])));
        for (n = begin + 1; n <= begin + 12; n++) {
          await owner.commit(closingOf(n), mine, `${n}`);
          await owner.compact();
          for (const bucket of mine) written.get(bucket)?.push(`${n}`);
        }
        n = begin + 12;
      }
    }
    expect(await store.rows('select partition, epoch::int from weir.checkpoints')).toEqual([
      { partition: 0, epoch: 4 },
    ]);
    expect(
      await store.rows(
        `select count(*)::int as n from pg_tables where schemaname = 'weir' and tablename like '%segments%'`,
      ),
    ).toEqual([{ n: 2 }]);
  });

  it('is of no use once the partitions were re-sharded, even to as many as before; a new epoch alone changes nothing', async () => {
    const log = await PartitionLog.open(client, { processorId: SLOT, partition: 0 });
    await openControl(store.pool, SLOT).raiseEpoch();
    expect(await log.isCurrent(client)).toBe(true);
    for (const partitions of [3, 4]) {
      expect(await reshard(client, SLOT, partitions)).toBe(true);
      expect(await log.isCurrent(client)).toBe(false);
    }
    const gone = await PartitionLog.open(client, { processorId: SLOT, partition: 3 });
    await reshard(client, SLOT, 3);
    expect(await gone.isCurrent(client)).toBe(false);
  });

  it('is not re-sharded while partitions stand at different positions', async () => {
    const owner = await ToyOwner.open(client, 'me');
    await owner.commit(closingOf(1), [0], 'x');
    expect(await reshard(client, SLOT, 2)).toBe(false);
    expect((await openControl(store.pool, SLOT).instance())?.partitions).toBe(4);
  });
});
