import fc from 'fast-check';
import type { AckCrash } from './model/source.ts';
import type { Written } from './model/wal.ts';
import type { Fault, Pace } from './model/worker-process.ts';

export const PARTITIONS = 2;
/** After a re-shard. */
export const MOST_PARTITIONS = 3;
export const PROCESSES = 2;

/** What may happen. A step that does not apply (no batch, no source) does nothing, so every part of a schedule is one. */
export type Step =
  | { readonly step: 'commit'; readonly afterMs: number; readonly rows: readonly Written[] }
  | { readonly step: 'read'; readonly messages: number }
  | { readonly step: 'flush' }
  | { readonly step: 'send'; readonly batches: number }
  /** Reads on, flushes and sends. */
  | { readonly step: 'fill'; readonly messages: number }
  /** Fills, and has one process do all there is; at rest also what idle workers and sources do. */
  | {
      readonly step: 'flow';
      readonly messages: number;
      readonly process: number;
      readonly rest: boolean;
    }
  | ({
      readonly step: 'deliver';
      readonly partition: number;
      readonly process: number;
      /** 0: in order. */
      readonly nth: number;
      /** It stays in the queue, to be delivered again. */
      readonly copy: boolean;
    } & Pace)
  | ({ readonly step: 'go on'; readonly partition: number; readonly process: number } & Pace)
  | ({ readonly step: 'idle'; readonly partition: number; readonly process: number } & Pace)
  | { readonly step: 'poll'; readonly crash: AckCrash }
  | { readonly step: 'source dies' }
  | { readonly step: 'source begins'; readonly dies: 'never' | 'before the queue is empty' | 'after' }
  /** One that lost the slot to another and wakes up. */
  | { readonly step: 'old source'; readonly does: 'send' | 'acknowledge' }
  | {
      readonly step: 'worker dies';
      readonly process: number;
      /** What becomes of the batches at hand. */
      readonly jobs: 'lost' | 'first' | 'last';
      /** Whoever gains its partitions asks for an epoch. */
      readonly asks: boolean;
    }
  | { readonly step: 'FLUSHALL' }
  /** By whoever holds the slot next; workers have not heard of it yet. */
  | { readonly step: 're-shard'; readonly partitions: number }
  | { readonly step: 'audit'; readonly partition: number; readonly process: number };

export type Schedule = readonly Step[];

/** Simplest first: what fast-check shrinks to. One user and one device are hot. */
const user = fc.constantFrom<(number | null)[]>(1, 1, 2, 3, null);
const device = fc.constantFrom<(string | null)[]>('a', 'a', 'b', 'c', null);
const transactionRow = fc.record({
  row: fc.constant('transaction' as const),
  user,
  device,
  amount: fc.constantFrom('10', '60.5', '200'),
  country: fc.constantFrom('DE', 'BR'),
  lag: fc.constantFrom(0, 0, 2, 4, 8, -30, -90, null),
});
const loginRow = fc.record({ row: fc.constant('login' as const), user, device });

const listRow = fc.record({
  row: fc.constant('list' as const),
  value: fc.constantFrom('1', '2', '3'),
  announced: fc.constantFrom(true, true, true, false),
});
const announcementRow = fc.record({
  row: fc.constant('announcement' as const),
  back: fc.constantFrom(0, 0, 1, 2, null),
});

const row: fc.Arbitrary<Written> = fc.oneof(
  { weight: 10, arbitrary: transactionRow },
  { weight: 4, arbitrary: loginRow },
  { weight: 1, arbitrary: fc.constant({ row: 'other' } as const) },
  { weight: 2, arbitrary: fc.constant({ row: 'heartbeat' } as const) },
  {
    weight: 2,
    arbitrary: fc.record({ row: fc.constant('rules' as const), version: fc.constantFrom(1, 0) }),
  },
  { weight: 2, arbitrary: listRow },
  { weight: 1, arbitrary: announcementRow },
  {
    weight: 5,
    arbitrary: fc.record({ row: fc.constant('letters' as const), from: fc.constantFrom(0, 0, 1, 2, 4) }),
  },
);

const partition = fc.nat({ max: MOST_PARTITIONS - 1 });
const process = fc.nat({ max: PROCESSES - 1 });
const pace = {
  gates: fc.constantFrom(20, 20, 0, 1, 1, 2, 2, 3, 4),
  fault: fc.constantFrom<Fault[]>('none', 'none', 'none', 'answer lost', 'connection lost'),
  group: fc.boolean(),
};
const step = <Name extends string>(name: Name) => ({ step: fc.constant(name) });

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      ...step('commit'),
      afterMs: fc.constantFrom(1_000, 0, -1, 6_000, 7_000, 40_000),
      rows: fc.array(row, { maxLength: 6 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ ...step('fill'), messages: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ ...step('read'), messages: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record(step('flush')) },
  { weight: 2, arbitrary: fc.record({ ...step('send'), batches: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      ...step('flow'),
      messages: fc.integer({ min: 1, max: 30 }),
      process,
      rest: fc.boolean(),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      ...step('deliver'),
      partition,
      process,
      nth: fc.constantFrom(0, 0, 0, 0, 1, 2),
      copy: fc.boolean(),
      ...pace,
    }),
  },
  { weight: 6, arbitrary: fc.record({ ...step('go on'), partition, process, ...pace }) },
  { weight: 2, arbitrary: fc.record({ ...step('idle'), partition, process, ...pace }) },
  {
    weight: 5,
    arbitrary: fc.record({
      ...step('poll'),
      crash: fc.constantFrom<AckCrash[]>('never', 'never', 'never', 'before the record', 'after the record'),
    }),
  },
  { weight: 1, arbitrary: fc.record(step('source dies')) },
  {
    weight: 3,
    arbitrary: fc.record({
      ...step('source begins'),
      dies: fc.constantFrom(
        'never' as const,
        'never' as const,
        'before the queue is empty' as const,
        'after' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...step('old source'),
      does: fc.constantFrom('send' as const, 'acknowledge' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...step('worker dies'),
      process,
      jobs: fc.constantFrom('first' as const, 'last' as const, 'lost' as const),
      asks: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record(step('FLUSHALL')) },
  {
    weight: 1,
    arbitrary: fc.record({
      ...step('re-shard'),
      partitions: fc.integer({ min: 1, max: MOST_PARTITIONS }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ ...step('audit'), partition, process }) },
);

/** Runs long enough to have a past. */
export const schedules: fc.Arbitrary<Schedule> = fc.array(anyStep, { maxLength: 60, size: 'max' });

/** A step in a line. */
export function describeStep(step: Step): string {
  const { step: name, ...rest } = step;
  if (step.step === 'commit')
    return `commit after ${step.afterMs} ms: ${step.rows.map(describeRow).join(' | ')}`;
  const parts = Object.entries(rest).map(([key, value]) => `${key} ${value}`);
  return parts.length === 0 ? name : `${name}: ${parts.join(', ')}`;
}

function describeRow(written: Written): string {
  const { row, ...rest } = written;
  return [row, ...Object.values(rest)].join(' ');
}
