import { timestampMicros } from '../events/cell-time.ts';
import type { Cell, Micros } from '../events/row.ts';
import { known, type TablePlan } from '../rules/plan.ts';
import type { SourceTimes } from '../store/control.ts';

export type TableTime = Pick<TablePlan, 'event' | 'columns' | 'time' | 'lateness' | 'ahead' | 'idle'>;

/** `latest` of an event with a `time` that had no row yet: JSON, where the times are stored, has no infinities. */
export const NO_ROW_YET: Micros = Number.MIN_SAFE_INTEGER;
/** `seenAt` of an event that the stored times do not know: `idle` counts from the first transaction. */
const UNKNOWN = Number.MIN_SAFE_INTEGER;

/**
 * Time, made once and for all rows in stream order (spec/rules.md, "Time"). Pure: what it says depends on the
 * stored times and on the rows alone, so a replay stamps the same. `stamp` leaves its answer in the fields
 * `at`, `watermark` and `late`: one object for millions of rows.
 */
export class EventClock {
  /** The monotone commit time. */
  commitAt: Micros;
  at: Micros = 0;
  /** W just before the row stamped last. */
  watermark: Micros = -Infinity;
  late = false;
  readonly #tables: readonly TableTime[];
  readonly #latest: Float64Array;
  readonly #seenAt: Float64Array;
  /** As of the last commit: an acknowledgement never says the time of half a transaction. */
  readonly #committedLatest: Float64Array;
  readonly #committedSeenAt: Float64Array;
  #committedAt: Micros;
  #allSeen = false;

  constructor(tables: readonly TableTime[], times: SourceTimes) {
    this.#tables = tables;
    this.commitAt = times.commitAt;
    this.#committedAt = times.commitAt;
    this.#latest = Float64Array.from(tables, (table) => times.events[table.event]?.latest ?? NO_ROW_YET);
    this.#seenAt = Float64Array.from(tables, (table) => times.events[table.event]?.seenAt ?? UNKNOWN);
    this.#committedLatest = this.#latest.slice();
    this.#committedSeenAt = this.#seenAt.slice();
  }

  /** The clock of another rule set, from where this one stands, be it inside a transaction. */
  static of(tables: readonly TableTime[], clock: EventClock): EventClock {
    const next = new EventClock(tables, clock.#times(clock.commitAt, clock.#latest, clock.#seenAt));
    const committed = new EventClock(tables, clock.committed());
    next.#committedAt = committed.commitAt;
    next.#committedLatest.set(committed.#latest);
    next.#committedSeenAt.set(committed.#seenAt);
    return next;
  }

  /**
   * The first row or message of a transaction that came from another server (it has a replication origin). Its commit
   * time is of that server's clock, which may be ahead: it moves nothing, and its rows are of the time that is known,
   * which heartbeats keep within a second of this server's. Where no time is known at all, it is the only one there is.
   */
  beginReplicated(commitAt: Micros): void {
    this.begin(this.commitAt > 0 ? this.commitAt : commitAt);
  }

  /** The first row or message of a transaction. Commit timestamps go back by a millisecond under load. */
  begin(commitAt: Micros): void {
    if (commitAt > this.commitAt) this.commitAt = commitAt;
    if (this.#allSeen) return;
    this.#allSeen = true;
    for (let i = 0; i < this.#seenAt.length; i++) {
      if (this.#seenAt[i] === UNKNOWN) this.#seenAt[i] = this.commitAt;
    }
  }

  stamp(table: number, cells: readonly Cell[]): void {
    const plan = this.#tables[table] as TableTime;
    const time = plan.time === null ? null : columnTime(cells[plan.time]);
    this.watermark = this.#watermarkOf(table);
    this.at = time ?? this.commitAt;
    const impossible = time !== null && !(time <= this.commitAt + plan.ahead && time > -Infinity);
    this.late = impossible || this.at <= this.watermark;
    this.#seenAt[table] = this.commitAt;
    // A row whose time column is NULL or was not sent (a delete) says nothing of the column's progress.
    if (time !== null && !impossible && time > (this.#latest[table] as number)) this.#latest[table] = time;
  }

  /** Weir's own heartbeat moves the time of events that had no row for `idle`; commit time needs no waiting. */
  heartbeat(): void {
    for (let i = 0; i < this.#tables.length; i++) {
      const idleSince = this.#seenAt[i] as number;
      const { time, idle } = this.#tables[i] as TableTime;
      if (time === null || idleSince === UNKNOWN || this.commitAt - idleSince < idle) continue;
      if (this.commitAt > (this.#latest[i] as number)) this.#latest[i] = this.commitAt;
    }
  }

  commit(): void {
    this.#committedAt = this.commitAt;
    this.#committedLatest.set(this.#latest);
    this.#committedSeenAt.set(this.#seenAt);
  }

  /** W of each table's event, in the plan's order; null: no row yet. */
  watermarks(): (Micros | null)[] {
    return this.#tables.map((_, table) => {
      const watermark = this.#watermarkOf(table);
      return watermark === -Infinity ? null : watermark;
    });
  }

  /** As of the last commit. */
  committed(): SourceTimes {
    return this.#times(this.#committedAt, this.#committedLatest, this.#committedSeenAt);
  }

  #times(commitAt: Micros, latest: Float64Array, seenAt: Float64Array): SourceTimes {
    const events: Record<string, { latest: Micros; seenAt: Micros }> = {};
    this.#tables.forEach((table, i) => {
      if (seenAt[i] === UNKNOWN) return;
      const own = table.time === null ? commitAt : (latest[i] as number);
      events[table.event] = { latest: own, seenAt: seenAt[i] as number };
    });
    return { commitAt, events };
  }

  /** Of a table without a `time`: the commit time is monotone over all rows of the stream, whosever they are. */
  #watermarkOf(table: number): Micros {
    const { time, lateness } = this.#tables[table] as TableTime;
    if (time === null) return this.commitAt - lateness - 1;
    const latest = this.#latest[table] as number;
    return latest === NO_ROW_YET ? -Infinity : latest - lateness - 1;
  }
}

function columnTime(cell: Cell | undefined): Micros | null {
  const text = known(cell);
  return text === null ? null : timestampMicros(text);
}
