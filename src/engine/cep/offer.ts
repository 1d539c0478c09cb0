import type { Row } from '../../events/row.ts';
import type { Definition } from './definition.ts';
import { emitInOrder, finish } from './finish.ts';
import type { Lane } from './lane.ts';
import { lastOf, Partial } from './partial.ts';
import type { Sink } from './sink.ts';
import type { Fire, Reaction, Stage } from './stage.ts';

/** A row that a lane is offered, in the order of time. */
export interface Offer {
  readonly row: Row;
  /** The bits of the steps that may take it. 0: it still breaks strict contiguity. */
  readonly steps: number;
  /** Its number in the lane, if it has one: it was pending. */
  readonly seq: number | null;
}

/** What the row does, collected before any of it is done: groups must not change while they are walked. */
interface Effects {
  readonly parents: Partial[];
  readonly fires: Fire[];
  readonly moved: Partial[];
  readonly stages: (Stage | null)[];
  readonly completed: Partial[];
}

/** Offers a row to all partial matches of a lane, and lets new ones start with it. Time has moved to it already. */
export function offer(
  definition: Definition,
  lane: Lane,
  { row, steps, seq, sink, cap }: Offer & Limits,
): void {
  const { asked, automaton } = definition;
  asked.begin(row, steps);
  const effects = lane.groups === null ? null : react(definition, lane);
  const starts = steps === 0 ? NO_FIRES : automaton.starts(startTruth(definition));
  if (asked.failure !== null) sink.failed({ ...asked.failure, row });
  if (effects === null && starts.length === 0) return;
  const completed = effects?.completed ?? [];
  if (starts.length + (effects?.fires.length ?? 0) > 0) {
    const take = { row, seq: seq ?? lane.nextSeq++ };
    if (effects !== null) grow(definition, lane, { effects, completed, ...take });
    for (const fire of starts) create(definition, lane, { parent: null, fire, completed, ...take });
  }
  if (effects !== null) {
    for (let i = 0; i < effects.moved.length; i++)
      lane.move(effects.moved[i] as Partial, effects.stages[i] as Stage | null);
    if (effects.moved.length > 0) lane.dropEmptyGroups();
  }
  if (completed.length > 0) finish(definition, lane, { partials: completed, at: row.at, sink });
  if (lane.finished !== null) emitInOrder(definition, lane, sink);
  if (lane.size > cap) evict(lane, { sink, cap });
}

interface Limits {
  readonly sink: Sink;
  /** The most partial matches that may live in a lane. */
  readonly cap: number;
}

/** Whether the row may begin a match: where nothing is alive, no other changes anything. */
export function mayStart(definition: Definition, row: Row, steps: number): boolean {
  if (steps === 0) return false;
  const { asked, automaton } = definition;
  asked.begin(row, steps);
  return automaton.starts(startTruth(definition)).length > 0 || asked.failure !== null;
}

const NO_FIRES: readonly Fire[] = [];

function startTruth({ asked, automaton }: Definition): number {
  const { start } = automaton;
  const truth = asked.truth(start);
  return asked.looksBack(start, truth) ? asked.truthFor(start, truth, null) : truth;
}

/** null: nothing happens to any of them. */
function react({ asked }: Definition, lane: Lane): Effects | null {
  let effects: Effects | null = null;
  for (let group = lane.groups; group !== null; group = group.next) {
    const { stage } = group;
    const truth = asked.truth(stage);
    const looksBack = asked.looksBack(stage, truth);
    const common = looksBack ? null : stage.reaction(truth);
    if (common?.inert === true) continue;
    effects ??= { parents: [], fires: [], moved: [], stages: [], completed: [] };
    for (let partial = group.first; partial !== null; partial = partial.groupAfter) {
      const reaction = common ?? stage.reaction(asked.truthFor(stage, truth, partial));
      if (!reaction.inert) collect(effects, partial, reaction);
    }
  }
  return effects;
}

function collect(effects: Effects, partial: Partial, { fires, next, completes }: Reaction): void {
  for (const fire of fires) {
    effects.parents.push(partial);
    effects.fires.push(fire);
  }
  if (completes) effects.completed.push(partial);
  if (next !== partial.stage) {
    effects.moved.push(partial);
    effects.stages.push(next);
  }
}

interface Growth {
  readonly row: Row;
  readonly seq: number;
  readonly completed: Partial[];
}

/** Partial matches are numbered by parent, then step, in whatever order the groups were walked. */
function grow(definition: Definition, lane: Lane, { effects, ...take }: Growth & { effects: Effects }): void {
  const { parents, fires } = effects;
  const order = parents.map((_, index) => index);
  if (parents.some((parent, index) => index > 0 && parent.id < (parents[index - 1] as Partial).id)) {
    order.sort((a, b) => (parents[a] as Partial).id - (parents[b] as Partial).id || a - b);
  }
  for (const index of order) {
    create(definition, lane, { parent: parents[index] as Partial, fire: fires[index] as Fire, ...take });
  }
}

function create(
  { automaton, summing }: Definition,
  lane: Lane,
  { parent, fire, row, seq, completed }: Growth & { parent: Partial | null; fire: Fire },
): void {
  const { step, accepts, stage } = fire;
  const head = headOf(parent, step, automaton.comesAgain);
  const sums = summing.after(parent?.sums ?? null, step, row);
  const partial = new Partial({ id: lane.nextId++, seq, row, step }, parent, { head, sums });
  lane.dirty = true;
  if (stage !== null) lane.add(partial, stage);
  if (accepts) completed.push(partial);
}

/** The last take of the same step so far; null: this is its first. */
export function headOf(parent: Partial | null, step: number, comesAgain: readonly boolean[]): Partial | null {
  if (parent === null || parent.step === step) return parent;
  return comesAgain[step] === true ? lastOf(parent, step, comesAgain) : null;
}

/** The oldest go first. */
function evict(lane: Lane, { sink, cap }: Limits): void {
  const count = lane.size - cap;
  while (lane.size > cap && lane.first !== null) lane.move(lane.first, null);
  lane.dropEmptyGroups();
  sink.evicted(count);
}
