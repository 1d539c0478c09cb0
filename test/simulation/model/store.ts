import { partitionOf } from '../../../src/events/keys.ts';
import { closing, type PositionText } from '../../../src/events/position.ts';
import type { PartitionOutcome } from '../../../src/store/commit.ts';
import type { Acknowledgement, ControlStore } from '../../../src/store/control.ts';
import type { PartitionCommit } from '../../../src/store/partition-commit.ts';
import type { Generation, Snapshot } from '../../../src/store/segments.ts';
import { type Bug, Violation } from '../bug.ts';
import { VERSIONS } from '../rules.ts';
import { Effects } from './effects.ts';
import { START } from './wal.ts';

export interface Checkpoint {
  position: PositionText;
  epoch: number;
  owner: string | null;
  /** What the partition's state is made of. */
  readonly segments: Readonly<Record<Generation, Map<PositionText, string>>>;
  readonly snapshots: Map<number, Snapshot>;
}

type Control = Pick<ControlStore, 'currentEpoch' | 'requestEpoch' | 'progress' | 'recordAck' | 'raiseEpoch'>;

/** PostgreSQL, as far as src/store/commit.ts and control.ts promise: each method is one transaction. */
export class Store implements Control {
  readonly bug: Bug | null;
  readonly effects: Effects;
  checkpoints: readonly Checkpoint[];
  /** How often it was re-sharded. */
  shardings = 0;
  ack: Acknowledgement = {
    lsn: START,
    rules: VERSIONS[0] ?? '',
    lists: 0,
    times: { commitAt: 0, events: {} },
  };
  #epoch = 1;
  #requested: { readonly epoch: number; readonly reason: string } | null = null;

  constructor(partitions: number, bug: Bug | null) {
    this.bug = bug;
    this.effects = new Effects(bug);
    this.checkpoints = Array.from({ length: partitions }, () => newCheckpoint(closing(START), 1));
  }

  get epoch(): number {
    return this.#epoch;
  }

  get positions(): readonly PositionText[] {
    return this.checkpoints.map(({ position }) => position);
  }

  get partitions(): number {
    return this.checkpoints.length;
  }

  /** undefined: a re-shard has taken it away. */
  checkpoint(partition: number): Checkpoint | undefined {
    return this.checkpoints[partition];
  }

  /** weir.reshard: state and segments move by bucket. false: the partitions do not all stand at one position. */
  reshard(partitions: number): boolean {
    const [stands = '', ...others] = new Set(this.positions);
    if (others.length > 0) return false;
    this.#epoch += 1;
    this.shardings += 1;
    const old = this.checkpoints;
    this.checkpoints = Array.from({ length: partitions }, () => newCheckpoint(stands, this.#epoch));
    for (const { snapshots, segments } of old) {
      for (const [bucket, snapshot] of snapshots) this.#ofBucket(bucket).snapshots.set(bucket, snapshot);
      for (const [position, payload] of [...segments[0], ...segments[1]]) {
        for (const [bucket, delta] of Object.entries(JSON.parse(payload) as Record<string, string>)) {
          if (position > (snapshots.get(Number(bucket))?.position ?? ''))
            this.#addDelta({ position, bucket, delta });
        }
      }
    }
    return true;
  }

  #ofBucket(bucket: number): Checkpoint {
    return this.checkpoints[partitionOf(bucket, this.partitions)] as Checkpoint;
  }

  #addDelta({ position, bucket, delta }: { position: PositionText; bucket: string; delta: string }): void {
    const table = this.#ofBucket(Number(bucket)).segments[0];
    const deltas = JSON.parse(table.get(position) ?? '{}') as Record<string, string>;
    table.set(position, JSON.stringify({ ...deltas, [bucket]: delta }));
  }

  async raiseEpoch() {
    this.#epoch += 1;
    for (const checkpoint of this.checkpoints) checkpoint.epoch = this.#epoch;
    return { epoch: this.#epoch, ack: this.ack, positions: this.positions };
  }

  async currentEpoch(): Promise<number> {
    return this.#epoch;
  }

  async requestEpoch(epoch: number, reason: string): Promise<void> {
    if (epoch !== this.#epoch || (this.#requested?.epoch ?? 0) > epoch) return;
    this.#requested = { epoch: epoch + 1, reason };
  }

  async progress() {
    const pending = (this.#requested?.epoch ?? 0) > this.#epoch;
    const requested = pending ? (this.#requested?.reason ?? null) : null;
    return { epoch: this.#epoch, positions: this.positions, requested };
  }

  async recordAck(epoch: number, ack: Acknowledgement): Promise<boolean> {
    if (epoch !== this.#epoch) return false;
    if (ack.lsn < this.ack.lsn) return true;
    const times = this.bug === 'forgets time' ? { commitAt: 0, events: {} } : ack.times;
    // As JSON: it has no infinities.
    const lists = this.bug === 'forgets lists' ? 0 : ack.lists;
    this.ack = { ...ack, lists, times: JSON.parse(JSON.stringify(times)) };
    return true;
  }

  /** `commitBatch`: what is fenced stops no other, and who asks again with the same commits learns what became of them. */
  commit(owner: string, commits: readonly PartitionCommit[]): ReadonlyMap<number, PartitionOutcome> {
    const outcome = new Map<number, PartitionOutcome>();
    const open = commits.filter((commit) => {
      const settled = this.#stands(commit) ? null : this.#settle(owner, commit);
      if (settled !== null) outcome.set(commit.partition, settled);
      return settled === null;
    });
    for (const commit of open) this.#advance(owner, commit);
    const alerts = this.effects.write(open);
    for (const { partition } of open) {
      outcome.set(partition, { kind: 'committed', alerts: alerts.get(partition) ?? 0, deadLetters: 0 });
    }
    return outcome;
  }

  /** The compare of weir.advance. */
  #stands({ partition, epoch, expected }: PartitionCommit): boolean {
    const checkpoint = this.checkpoint(partition);
    if (checkpoint === undefined) return false;
    const { position, epoch: now } = checkpoint;
    if (this.bug === 'no position check') return epoch === now;
    if (this.bug === 'no epoch check') return position === expected;
    return position === expected && epoch === now;
  }

  #settle(owner: string, { partition, expected, to, epoch: theirs }: PartitionCommit): PartitionOutcome {
    const checkpoint = this.checkpoint(partition);
    if (checkpoint === undefined) return { kind: 'fenced', reason: 'gone' };
    const { position, epoch, owner: last } = checkpoint;
    if (position === to && position !== expected && last === owner) {
      return { kind: 'committed', alerts: 0, deadLetters: 0 };
    }
    return { kind: 'fenced', reason: epoch === theirs ? 'position' : 'epoch', epoch, position };
  }

  #advance(owner: string, { partition, epoch, to, generation, segment }: PartitionCommit): void {
    const checkpoint = this.checkpoint(partition);
    if (checkpoint === undefined)
      throw new Violation(`${owner} has written to partition ${partition}, which is gone`);
    if (epoch !== this.#epoch)
      throw new Violation(`${owner} has written under epoch ${epoch}, not ${this.#epoch}`);
    if (to < checkpoint.position) {
      throw new Violation(`partition ${partition} went back from ${checkpoint.position} to ${to}`);
    }
    checkpoint.position = to;
    checkpoint.owner = owner;
    if (segment === null) return;
    const table = checkpoint.segments[generation];
    if (table.has(to)) throw new Violation(`partition ${partition} has two segments at ${to}`);
    table.set(to, segment);
  }
}

function newCheckpoint(position: PositionText, epoch: number): Checkpoint {
  return { position, epoch, owner: null, segments: { 0: new Map(), 1: new Map() }, snapshots: new Map() };
}
