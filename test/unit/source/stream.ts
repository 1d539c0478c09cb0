import type { Batch } from '../../../src/events/batch.ts';
import { decodeRow } from '../../../src/events/batch.ts';
import type { Lsn, PositionText } from '../../../src/events/position.ts';
import type { Row } from '../../../src/events/row.ts';
import type { Plan } from '../../../src/rules/plan.ts';
import { askedLetters } from '../../../src/source/asked-letters.ts';
import { Batcher } from '../../../src/source/batcher.ts';
import type { Change } from '../../../src/source/change.ts';
import { TransactionReader } from '../../../src/source/transaction-reader.ts';
import type { SourceTimes } from '../../../src/store/control.ts';
import type { StoredLetter } from '../../../src/store/dead-letters.ts';
import { relation, SECOND } from './plans.ts';

export const T0 = 1_700_000_000 * SECOND;
export const PAYMENTS = relation(1, 'payments', ['id', 'user_id', 'at']);
export const UNUSED = relation(2, 'unused', ['id']);

export const lsn = (n: number) => BigInt(n) as Lsn;

export function transaction(at: number, changes: readonly Change[], commitAt = T0 + at): readonly Change[] {
  return [
    { kind: 'begin', commitLsn: lsn(at), commitAt, xid: at },
    ...changes,
    { kind: 'commit', commitLsn: lsn(at), endLsn: lsn(at + 8), commitAt },
  ];
}

export function insert(id: number | string, user: string | null, of = PAYMENTS): Change {
  return { kind: 'insert', relation: of, row: of === UNUSED ? [String(id)] : [String(id), user, null] };
}

export function message(prefix: string, content: unknown, transactional = true): Change {
  const bytes = new Uint8Array(Buffer.from(JSON.stringify(content)));
  return { kind: 'message', transactional, lsn: lsn(1), prefix, content: bytes };
}

export interface StreamOptions {
  readonly plan: Plan;
  readonly positions: readonly PositionText[];
  readonly acknowledged?: Lsn;
  readonly times?: SourceTimes;
  readonly rows?: number;
  readonly bytes?: number;
  readonly plans?: readonly Plan[];
  /** In the store. */
  readonly letters?: readonly StoredLetter[];
  /** Revision of the lists in force at the acknowledgement. */
  readonly lists?: number;
  /** Revisions by what announces them. */
  readonly tokens?: Readonly<Record<string, number>>;
}

/** Reader and batcher as an epoch has them, with what comes out of them. */
export class Stream {
  readonly batches: Batch[] = [];
  readonly reader: TransactionReader;
  readonly batcher: Batcher;
  readonly heartbeats: number[] = [];
  readonly passedOver: string[] = [];
  readonly counted = new Map<string, number>();
  readonly #plans: readonly Plan[];

  constructor(options: StreamOptions) {
    const times = options.times ?? { commitAt: 0, events: {} };
    const acknowledged = options.acknowledged ?? lsn(0);
    this.#plans = [options.plan, ...(options.plans ?? [])];
    this.batcher = new Batcher(
      {
        epoch: 1,
        positions: options.positions,
        acknowledged,
        commitAt: times.commitAt,
        rows: options.rows ?? 1_000,
        bytes: options.bytes ?? 1_000_000,
        time: () => ({
          commitAt: this.reader.clock.commitAt,
          watermarks: this.reader.clock.watermarks(),
        }),
        onBatch: (batch) => this.batches.push(JSON.parse(JSON.stringify(batch)) as Batch),
      },
      { rules: options.plan.version, lists: options.lists ?? 0 },
    );
    const stored = async (ids: readonly string[]) =>
      (options.letters ?? []).filter(({ id }) => ids.includes(id));
    this.reader = new TransactionReader(options.plan, {
      slot: 'weir',
      partitions: options.positions.length,
      acknowledged,
      times,
      lists: options.lists ?? 0,
      batcher: this.batcher,
      loadRules: async (version) => this.#plans.find((plan) => plan.version === version) ?? null,
      loadLetters: async (ids, plan) =>
        askedLetters(await stored(ids), plan, (_, why) => this.passedOver.push(why)),
      loadLists: async (token) => options.tokens?.[token] ?? null,
      needsOtherPublications: () => false,
      onHeartbeat: (sentAt) => this.heartbeats.push(sentAt),
      onRows: (event, count) => this.counted.set(event, (this.counted.get(event) ?? 0) + count),
    });
  }

  async read(changes: readonly Change[]): Promise<void> {
    await this.reader.read({ changes, sizes: changes.map(() => 10) });
  }

  /** Rows of all batches, decoded by the plan that each names. */
  rows(): readonly (Row & { readonly partition: number; readonly rules: string })[] {
    return this.batches.flatMap((batch) => {
      const plan = this.#plans.find(({ version }) => version === batch.rules);
      return batch.events.map((event) => ({
        ...decodeRow(event as string[], batch, (table) => plan?.tables[table]?.columns.length ?? 0),
        partition: batch.partition,
        rules: batch.rules,
      }));
    });
  }
}
