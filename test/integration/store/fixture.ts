import type { Client, Pool } from 'pg';
import { type Alert, type Contribution, noOutputs, type Outputs } from '../../../src/engine/outputs.ts';
import { closing, formatPosition, type Lsn, type PositionText } from '../../../src/events/position.ts';
import type { ScoringPlan } from '../../../src/rules/plan.ts';
import { createInstance } from '../../../src/store/control-store.ts';
import { dropAll, migrate } from '../../../src/store/migrate.ts';
import type { PartitionCommit, Writer } from '../../../src/store/partition-commit.ts';
import { openClient, openPool } from '../../../src/store/session.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';

export const SLOT = 'weir';
export const START: PositionText = closing(0x100n as Lsn);

/** The closing position of the n-th transaction after the start. */
export function closingOf(n: number): PositionText {
  return closing((0x100n + BigInt(n) * 0x10n) as Lsn);
}

/** A row's position in the n-th transaction. */
export function rowAt(n: number, ordinal = 0): PositionText {
  return formatPosition((0x100n + BigInt(n) * 0x10n) as Lsn, ordinal);
}

/** A PostgreSQL with the schema `weir`, and sessions of the store on it. */
export class StoreFixture {
  readonly postgres: TestPostgres;
  readonly pool: Pool;
  readonly #clients: Client[] = [];

  constructor(postgres: TestPostgres) {
    this.postgres = postgres;
    this.pool = openPool({ url: postgres.url, slot: SLOT, max: 8 });
  }

  static async start(version: 14 | 15 | 18): Promise<StoreFixture> {
    return new StoreFixture(await startPostgres({ version }));
  }

  async client(): Promise<Client> {
    const client = await openClient({ url: this.postgres.url, slot: SLOT });
    this.#clients.push(client);
    return client;
  }

  /** A new schema with one instance, epoch 1, all partitions at START. */
  async reset(partitions = 4): Promise<void> {
    const client = await this.pool.connect();
    try {
      await dropAll(client);
      await migrate(client);
      await createInstance(client, IDENTITY, { partitions, ack: ACK });
    } finally {
      client.release();
    }
  }

  async rows<R extends object>(sql: string): Promise<R[]> {
    return (await this.pool.query<R>(sql)).rows;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => undefined)));
    await this.pool.end();
    await this.postgres.close();
  }
}

export const IDENTITY = {
  systemIdentifier: '7000000000000000001',
  timeline: 1,
  database: 'postgres',
  slot: SLOT,
  publications: { weir_insert: 16400 },
};
export const ACK = { lsn: 0x100n as Lsn, rules: 'v1', lists: 0, times: { commitAt: 1_000, events: {} } };

export function writer(owner: string): Writer {
  return { processorId: SLOT, owner };
}

export function outputs(some: Partial<Outputs> = {}): Outputs {
  return { ...noOutputs(), ...some };
}

export const SCORING: ScoringPlan = {
  event: 'transaction',
  combine: 'sum',
  bands: [
    { name: 'flag', above: 50, actions: [] },
    { name: 'block', above: 100, actions: [{ kind: 'alert' }, { kind: 'block' }] },
  ],
  block: null,
  shadow: false,
};

/** The commit that takes a partition from START over the first transaction; anything else by `some`. */
export function commitOf(partition: number, some: Partial<PartitionCommit> = {}): PartitionCommit {
  return {
    partition,
    epoch: 1,
    expected: START,
    to: closingOf(1),
    generation: 0,
    segment: JSON.stringify({ [partition]: `delta of ${partition}` }),
    outputs: outputs(),
    rulesVersion: 'v1',
    scoring: new Map([['transaction', SCORING]]),
    aggregates: [],
    ...some,
  };
}

export function alertOf(id: string, some: Partial<Alert> = {}): Alert {
  return {
    alertId: id,
    rule: 'large_amount',
    kind: 'rule',
    severity: 'high',
    subjectJson: '{"user_id": "1"}',
    message: 'a large amount',
    at: 1_700_000_000_123_456,
    commitAt: 1_700_000_000_123_456,
    position: rowAt(1),
    eventsJson: '[]',
    detailsJson: '{}',
    mode: 'live',
    webhooks: [],
    ...some,
  };
}

export function contributionOf(rule: string, score: number, some: Partial<Contribution> = {}): Contribution {
  return {
    event: 'transaction',
    entityId: '7',
    position: rowAt(1),
    mode: 'live',
    at: 1_700_000_000_000_000,
    commitAt: 1_700_000_000_000_000,
    reasons: [{ rule, score, let: {} }],
    flag: false,
    subjectJson: '{"user_id": "1"}',
    eventsJson: '[]',
    block: { key: 'user_id', value: '1', until: 1_800_000_000_000_000 },
    ...some,
  };
}
