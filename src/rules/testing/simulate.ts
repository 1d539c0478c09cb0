import { fold } from '../../engine/fold.ts';
import type { Alert, Contribution, DeadLetter, Hit, LateEvent, PatternOutput } from '../../engine/outputs.ts';
import { PartitionState } from '../../engine/partition-state.ts';
import { bandActions } from '../../engine/risk/band-actions.ts';
import { applyContribution, type DecisionState } from '../../engine/risk/decision.ts';
import { type Lsn, lsnHex, type PositionText, positionText } from '../../events/position.ts';
import type { Cell, Micros, Op, Row } from '../../events/row.ts';
import { EventClock } from '../../source/time.ts';
import type { Plan } from '../plan.ts';
import type { Lists, Mode } from '../plan-parts.ts';

/** A row that arrives, as a transaction of its own. */
export interface SimulatedEvent {
  readonly table: number;
  readonly op: Op;
  /** As in a Row. */
  readonly cells: readonly Cell[];
  readonly old: readonly Cell[] | null;
  /** When it was committed. Time never goes back: the commit time is made monotone, as the source does. */
  readonly commitAt: Micros;
}

export interface SimulatedDecision extends DecisionState {
  readonly event: string;
  readonly entityId: string;
  readonly mode: Mode;
  /** Of its row. */
  readonly position: PositionText;
}

/** What one row caused, or time that moved. */
export interface Effects {
  readonly hits: readonly Hit[];
  readonly matches: readonly PatternOutput[];
  /** As they are now: at most one a row and mode. */
  readonly decisions: readonly SimulatedDecision[];
  /** Of rules, and of bands that the decision reached. */
  readonly alerts: readonly Alert[];
  readonly late: readonly LateEvent[];
  readonly deadLetters: readonly DeadLetter[];
}

export interface RowEffects extends Effects {
  readonly row: Row;
}

/** Keys looked at after each row, to forget those whose windows are empty. */
const SWEEP = 4;

/** The engines over events in their order of arrival: one partition, which is home to every row and key. */
export class Simulation {
  readonly #plan: Plan;
  readonly #state: PartitionState;
  #clock: EventClock;
  #lsn = 0n;
  /** By row and mode, where patterns may add to the decision of a row that was before. */
  readonly #decided = new Map<string, SimulatedDecision>();
  readonly #remembers: boolean;
  readonly #lists: Lists;

  /** `lists`: in place of what the rule files put into theirs. */
  constructor(plan: Plan, lists: Lists = [...plan.lists.values()]) {
    this.#lists = lists;
    this.#remembers = plan.patterns.some(({ scoreOn }) => scoreOn.length > 0);
    this.#plan = plan;
    this.#state = new PartitionState(plan);
    this.#clock = new EventClock(plan.tables, { commitAt: -Infinity, events: {} });
  }

  /** The row is judged as it arrives. */
  feed(event: SimulatedEvent): RowEffects {
    const row = this.#stamp(event);
    for (const bucket of this.#state.neededBuckets([row])) this.#state.install(bucket, null, []);
    return { row, ...this.#fold([row]) };
  }

  #fold(rows: readonly Row[]): Effects {
    const { outputs } = fold(this.#plan, this.#state, {
      ...{ rows, lists: this.#lists },
      ...this.#time(),
    });
    this.#state.sweep(SWEEP);
    const { hits, matches, late, deadLetters } = outputs;
    const decisions = new Map<string, SimulatedDecision>();
    const bands = outputs.decisions.flatMap((contribution) => {
      const { name, decision, alerts } = this.#decide(contribution);
      if (decision !== null) decisions.set(name, decision);
      return alerts;
    });
    const alerts = [...outputs.alerts, ...bands];
    return { hits, matches, decisions: [...decisions.values()], alerts, late, deadLetters };
  }

  #decide(contribution: Contribution): {
    readonly name: string;
    readonly decision: SimulatedDecision | null;
    readonly alerts: readonly Alert[];
  } {
    const { event, entityId, mode, position } = contribution;
    const name = `${position} ${mode}`;
    const scoring = this.#plan.scoring.get(event);
    if (scoring === undefined) return { name, decision: null, alerts: [] };
    const reached = applyContribution(scoring, this.#decided.get(name) ?? null, contribution);
    const decision = { ...reached.after, event, entityId, mode, position };
    if (this.#remembers) this.#decided.set(name, decision);
    return { name, decision, alerts: bandActions(scoring, reached, contribution).alerts };
  }

  /** Says that no more rows of time `to` or earlier will come, whatever their event. */
  advance(to: Micros): Effects {
    const { commitAt, events } = this.#clock.committed();
    // An event without a `time` goes by the commit time: its rows are never late.
    const moved = this.#plan.tables.map(({ event, lateness }) => {
      const latest = to + lateness + 1;
      const known = events[event];
      const times = {
        latest: Math.max(latest, known?.latest ?? latest),
        seenAt: Math.max(to, known?.seenAt ?? to),
      };
      return [event, times] as const;
    });
    const times = { commitAt: Math.max(commitAt, to), events: Object.fromEntries(moved) };
    this.#clock = new EventClock(this.#plan.tables, times);
    return this.#fold([]);
  }

  #time(): { readonly watermarks: Micros[]; readonly commitAt: Micros } {
    const watermarks = this.#clock.watermarks().map((watermark) => watermark ?? -Infinity);
    return { watermarks, commitAt: this.#clock.commitAt };
  }

  #stamp({ table, op, cells, old, commitAt }: SimulatedEvent): Row {
    const clock = this.#clock;
    if (Number.isFinite(commitAt)) clock.begin(commitAt);
    clock.stamp(table, cells);
    clock.commit();
    const roles = 2 ** ((this.#plan.tables[table]?.keys.length ?? 0) + 1) - 1;
    const { at, watermark, late } = clock;
    return {
      table,
      op,
      cells,
      old,
      position: this.#next(),
      at,
      commitAt: clock.commitAt,
      watermark,
      late,
      roles,
    };
  }

  #next(): PositionText {
    this.#lsn += 1n;
    return positionText(lsnHex(this.#lsn as Lsn), 0);
  }
}

/** All events at once, in their order: what each of them caused. */
export function simulate(plan: Plan, events: Iterable<SimulatedEvent>): RowEffects[] {
  const simulation = new Simulation(plan);
  return Array.from(events, (event) => simulation.feed(event));
}
