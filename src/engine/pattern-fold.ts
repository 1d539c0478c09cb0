import type { Row } from '../events/row.ts';
import type { Lane } from './cep/lane.ts';
import { mayStart } from './cep/offer.ts';
import { advance, MAX_PARTIALS, receive } from './cep/receive.ts';
import type { Match, Sink, Timeout } from './cep/sink.ts';
import { contributionsOf } from './contributions.ts';
import { bury } from './dead-letters.ts';
import type { Lanes } from './lanes.ts';
import type { Outputs } from './outputs.ts';
import type { PartitionState } from './partition-state.ts';
import {
  type Ended,
  patternAlertOf,
  patternBlockOf,
  patternOutputOf,
  scoredHitOf,
  scoredRow,
  subjectText,
} from './pattern-outputs.ts';
import type { Door, Entrance, PatternProgram } from './program.ts';
import type { RowContext } from './row-context.ts';

/** The patterns' part of a fold: hands rows to lanes, moves their time, and makes outputs of what comes of it. */
export class PatternFold implements Sink {
  readonly #state: PartitionState;
  readonly #outputs: Outputs;
  /** The lane at hand. */
  #lanes: Lanes | null = null;
  #key = '';

  constructor(state: PartitionState, outputs: Outputs) {
    this.#state = state;
    this.#outputs = outputs;
    for (const { definition } of state.program.patterns) definition.asked.lists = state.context.lists;
  }

  /** The row at hand, which is not late, enters the patterns of its table; W knows of it already. */
  enter(context: RowContext): void {
    const { entrances } = context.table;
    const open = entrances.filter(({ eventIndex }) => mayBear(context, eventIndex));
    const [first] = open;
    if (first === undefined) return;
    const entered = open.length === 1 ? first.entrances : new Set(open.flatMap((event) => event.entrances));
    for (const entrance of entered) {
      const { doors } = entrance;
      if (doors.length === 1) this.#one(entrance.pattern, doors[0] as Door, context);
      else this.#several(entrance, context);
    }
  }

  /** Time has moved: lanes that are due although no row came for them. */
  moveTime(): void {
    const { timers, program } = this.#state;
    for (const pattern of program.patterns) {
      const watermark = this.#state.watermarkOf(pattern);
      let wake = timers.next(pattern, watermark + 1);
      for (; wake !== null; wake = timers.next(pattern, watermark + 1)) {
        this.#change(wake.lanes, wake.key, (lane) =>
          advance(pattern.definition, lane, { watermark, sink: this }),
        );
      }
    }
  }

  #one(pattern: PatternProgram, door: Door, context: RowContext): void {
    const key = context.livesHere(door.routing) ? context.key(door.bySlot) : null;
    if (key === null) return;
    const steps = this.#stepsOf(pattern, door, context);
    if (steps !== null) this.#receive(pattern, { key, steps, door }, context);
  }

  /** A row with one key in several columns enters once, for all of its steps. */
  #several({ pattern, doors }: Entrance, context: RowContext): void {
    const entries: { key: string; steps: number; door: Door }[] = [];
    for (const door of doors) {
      const key = context.livesHere(door.routing) ? context.key(door.bySlot) : null;
      const steps = key === null ? null : this.#stepsOf(pattern, door, context);
      if (key === null || steps === null) continue;
      const known = entries.find((entry) => entry.key === key);
      if (known === undefined) entries.push({ key, steps, door });
      else known.steps |= steps;
    }
    for (const entry of entries) this.#receive(pattern, entry, context);
  }

  #receive(
    pattern: PatternProgram,
    { key, steps, door }: { key: string; steps: number; door: Door },
    context: RowContext,
  ): void {
    const { row } = context;
    const watermark = this.#state.watermarkOf(pattern);
    const lanes = context.bucket(door.routing).lanesOf(pattern);
    if (!lanes.holds(key) && row.at <= watermark + 1 && !mayStart(pattern.definition, row, steps)) return;
    const room = this.#state.roomFor(pattern);
    this.#change(lanes, key, (lane) => {
      const cap = Math.min(MAX_PARTIALS, lane.size + room);
      receive(pattern.definition, lane, { row, steps, watermark, sink: this, cap });
    });
  }

  #change(lanes: Lanes, key: string, change: (lane: Lane) => void): void {
    this.#lanes = lanes;
    this.#key = key;
    const lane = lanes.change(key, change);
    if (lanes.changed) this.#state.touch(this.#state.bucket(lanes.bucket));
    if (!lane.empty) this.#state.timers.set(lanes, key, lane);
  }

  get #at(): Lanes {
    if (this.#lanes === null) throw new Error('no lane is at hand');
    return this.#lanes;
  }

  match({ takes, lets, at }: Match): void {
    this.#end({ kind: 'match', takes, lets, at });
  }

  timeout({ takes, at }: Timeout): void {
    this.#end({ kind: 'timeout', takes, lets: [], at });
  }

  failed({ name, error, row }: { name: string; error: unknown; row: Row }): void {
    const { plan } = this.#at.pattern;
    const table = this.#state.program.tables[row.table];
    if (table === undefined)
      throw new Error(`row ${row.position} is of table ${row.table}, which the plan lacks`);
    const why = `${name}: ${error instanceof Error ? error.message : String(error)}`;
    bury({ rule: plan.id, event: table.plan.event, error: why }, { table, row }, this.#outputs);
  }

  evicted(partials: number): void {
    this.#outputs.evicted.push({ pattern: this.#at.pattern.plan.id, partials });
  }

  #end(what: Pick<Ended, 'kind' | 'takes' | 'lets' | 'at'>): void {
    const { pattern } = this.#at;
    const { tables } = this.#state.program;
    const open = { ...what, pattern, tables, key: this.#key, silenced: false };
    const ended: Ended = { ...open, silenced: this.#coolsDown(open) };
    const outputs = this.#outputs;
    outputs.matches.push(patternOutputOf(ended));
    if (!ended.silenced) {
      const alert = patternAlertOf(ended);
      if (alert !== null) outputs.alerts.push(alert);
      const block = patternBlockOf(ended);
      if (block !== null) outputs.blocks.push(block);
    }
    const scored = scoredRow(ended);
    if (scored !== null) outputs.decisions.push(...contributionsOf([scoredHitOf(ended)], scored));
  }

  /** Whether a cooldown keeps the pattern's actions silent; if not, one begins. */
  #coolsDown(ended: Ended): boolean {
    const { id, cooldown } = ended.pattern.plan;
    if (cooldown === null) return false;
    const key = subjectText(cooldown, ended);
    if (key === null) return false;
    const bucket = this.#state.bucket(this.#at.bucket);
    const until = bucket.cooldowns.get(id)?.until.get(key);
    if (until !== undefined && ended.at < until) return true;
    bucket.cooldownsOf(id).start(key, ended.at + cooldown.forMicros);
    this.#state.touch(bucket);
    return false;
  }

  /** The steps that may take the row at hand; null: it is none of the pattern's. */
  #stepsOf({ plan }: PatternProgram, { events }: Door, context: RowContext): number | null {
    let steps: number | null = null;
    for (const { eventIndex, steps: bits } of events) {
      try {
        if (context.bears(eventIndex)) steps = (steps ?? 0) | bits;
      } catch (error) {
        const event = context.table.plan.events[eventIndex]?.name ?? context.table.plan.event;
        bury({ rule: plan.id, event, error }, context, this.#outputs);
      }
    }
    return steps;
  }
}

/** Where the event's condition fails, each pattern that asks for it is told so. */
function mayBear(context: RowContext, eventIndex: number): boolean {
  try {
    return context.bears(eventIndex);
  } catch {
    return true;
  }
}
