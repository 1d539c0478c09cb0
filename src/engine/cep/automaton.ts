import type { PatternPlan } from '../../rules/pattern-plan.ts';
import { Atoms } from './atoms.ts';
import { comesAgain, type GroupPlace, rootOf, type StepPlace, stepPlaces } from './place.ts';
import { type Arrival, type Fire, Stage, type Stages, type Thread } from './stage.ts';
import { type Spot, spotAt, type Way, WayFinder, type WaysOn } from './ways.ts';

/** A reaction's key is a JS number. */
const MAX_ATOMS = 52;

/**
 * The deterministic automaton of a sequence, made stage by stage as partial matches reach them: nested counts
 * would make more stages than are ever visited.
 */
export class Automaton implements Stages {
  readonly atoms: Atoms;
  /** By step: whether its takes may stand apart in a match. */
  readonly comesAgain: readonly boolean[];
  /** What has to be asked of a row to know whether a match starts with it. */
  readonly start: Stage;
  readonly #root: GroupPlace;
  readonly #plan: PatternPlan;
  readonly #places: ReadonlyMap<number, StepPlace>;
  readonly #ways = new Map<string, WaysOn>();
  readonly #stages = new Map<string, Stage>();
  readonly #arrivals = new Map<string, Arrival>();

  constructor(plan: PatternPlan) {
    this.#plan = plan;
    this.#root = rootOf(plan);
    this.#places = stepPlaces(this.#root);
    this.atoms = new Atoms(plan);
    this.comesAgain = plan.steps.map((_, step) => {
      const place = this.#places.get(step);
      return place !== undefined && comesAgain(place);
    });
    this.start = this.#startStage();
  }

  /** The matches that the row starts. */
  starts(truth: number): readonly Fire[] {
    return this.start.reaction(truth).fires;
  }

  stageOf(threads: readonly Thread[]): Stage | null {
    if (threads.length === 0) return null;
    const key = keyOf(threads, this);
    let stage = this.#stages.get(key);
    if (stage === undefined) {
      stage = new Stage(key, threads, this);
      if (stage.atoms.length > MAX_ATOMS) throw new Error(`pattern ${this.#plan.id} asks too much at once`);
      this.#stages.set(key, stage);
    }
    return stage;
  }

  arrivalAt(spots: readonly Spot[]): Arrival {
    const distinct = new Map(spots.map((spot) => [spot.key, spot]));
    const sorted = [...distinct.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    const key = sorted.map((spot) => spot.key).join('|');
    let arrival = this.#arrivals.get(key);
    if (arrival === undefined) {
      const accepts = sorted.some((spot) => this.waysFrom(spot).accepts);
      const threads = sorted.flatMap((spot) => freshThreads(spot, this.waysFrom(spot).ways));
      // A match that is whole already does not wait for an absence.
      const open = accepts ? threads.filter(({ way }) => way.target !== null) : threads;
      arrival = { accepts, stage: this.stageOf(open) };
      this.#arrivals.set(key, arrival);
    }
    return arrival;
  }

  waysFrom(spot: Spot): WaysOn {
    let ways = this.#ways.get(spot.key);
    if (ways === undefined) {
      ways = new WayFinder(this.#plan, this.atoms).from(spot);
      this.#ways.set(spot.key, ways);
    }
    return ways;
  }

  /** The stage of that key, in whatever process it was made. */
  stageNamed(key: string): Stage {
    const known = this.#stages.get(key);
    if (known !== undefined) return known;
    const stage = this.stageOf(key.split('|').flatMap((part) => this.#threadsNamed(part)));
    if (stage === null) throw new Error(`pattern ${this.#plan.id} has no stage ${JSON.stringify(key)}`);
    return stage;
  }

  #threadsNamed(part: string): Thread[] {
    const [name = '', states] = part.split(':');
    const [step = -1, ...counts] = name.split('.').map(Number);
    const place = this.#places.get(step);
    if (place === undefined) throw new Error(`pattern ${this.#plan.id} has no stage ${JSON.stringify(part)}`);
    const spot = spotAt(place, counts);
    const all = freshThreads(spot, this.waysFrom(spot).ways);
    if (states === undefined) return all;
    const marks = states.split(',');
    return all.flatMap((thread) => {
      const mark = marks[thread.index] ?? '';
      if (mark === '') return [];
      return [{ ...thread, fresh: mark.startsWith('f'), lifted: Number(mark.replace('f', '')) }];
    });
  }

  #startStage(): Stage {
    const { ways } = new WayFinder(this.#plan, this.atoms).fromStart(this.#root);
    const spot = { place: [...this.#places.values()][0] as StepPlace, counts: [], key: 'start' };
    const threads = ways.map(
      (way, index) => ({ spot, index, way: { ...way, link: 'strict' }, fresh: true, lifted: 0 }) as const,
    );
    return new Stage('start', threads, this);
  }
}

function freshThreads(spot: Spot, ways: readonly Way[]): Thread[] {
  return ways.map((way, index) => ({ spot, index, way, fresh: matters(way), lifted: 0 }));
}

/** Whether the row right after the last take is another than those after it. */
function matters({ link, strictAbsences }: Way): boolean {
  return link === 'strict' || strictAbsences.length > 0;
}

/** By spot: its key, and unless all of its ways are as they were at first, a mark for each: empty, or `f` and what is lifted. */
function keyOf(threads: readonly Thread[], automaton: Automaton): string {
  const spots = new Map<string, Thread[]>();
  for (const thread of threads) spots.set(thread.spot.key, [...(spots.get(thread.spot.key) ?? []), thread]);
  const parts: string[] = [];
  for (const [key, open] of spots) {
    const { ways } = automaton.waysFrom((open[0] as Thread).spot);
    const marks = ways.map((_, index) => markOf(open.find((thread) => thread.index === index)));
    const first = ways.map((way) => (matters(way) ? 'f0' : '0'));
    parts.push(marks.join() === first.join() ? key : `${key}:${marks.join()}`);
  }
  return parts.join('|');
}

function markOf(thread: Thread | undefined): string {
  return thread === undefined ? '' : `${thread.fresh ? 'f' : ''}${thread.lifted}`;
}
