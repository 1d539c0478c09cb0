import type { Micros } from '../../events/row.ts';
import type { Atom } from './atoms.ts';
import type { Spot, Way } from './ways.ts';

/** A way that is still open to a partial match. */
export interface Thread {
  readonly spot: Spot;
  /** Index into the spot's ways. */
  readonly index: number;
  readonly way: Way;
  /** No row has come since the last take; kept only where that matters. */
  readonly fresh: boolean;
  /** By bit: the greedy loops of the way whose `until` has come. */
  readonly lifted: number;
}

/** What a take leads to. */
export interface Arrival {
  /** The match is whole. */
  readonly accepts: boolean;
  /** Where the longer partial match waits; null: nothing can follow. */
  readonly stage: Stage | null;
}

export interface Fire extends Arrival {
  readonly step: number;
}

/** What a row does to the partial matches of a stage. */
export interface Reaction {
  readonly fires: readonly Fire[];
  /** null: they end. */
  readonly next: Stage | null;
  /** A strict absence at the end has held. */
  readonly completes: boolean;
  /** Nothing is taken and nothing changes. */
  readonly inert: boolean;
}

export interface Expiry {
  readonly next: Stage | null;
  /** A trailing absence has held. */
  readonly completes: boolean;
}

/** Where stages come from: each is made once, so that partial matches of equal outlook share one. */
export interface Stages {
  stageOf(threads: readonly Thread[]): Stage | null;
  arrivalAt(spots: readonly Spot[]): Arrival;
}

/**
 * All that is open to a partial match, as one state of a deterministic automaton: the partial matches of one
 * stage react alike to a row, but for conditions that look at the match.
 */
export class Stage {
  /** Names it in saved state. */
  readonly key: string;
  readonly threads: readonly Thread[];
  /** What has to be known of a row, in the order of the bits of a reaction's key, the first the highest. */
  readonly atoms: readonly Atom[];
  /** The least of its ways' limits after the last take; Infinity: none. */
  readonly soonest: Micros;
  /** Whether it waits for an absence at the end, which has held when the whole match's time is over. */
  readonly waits: boolean;
  readonly #stages: Stages;
  readonly #reactions = new Map<number, Reaction>();
  #expiry: Expiry | null = null;
  /** To a row that satisfies none of its atoms: most rows. */
  #idle: Reaction | null = null;

  constructor(key: string, threads: readonly Thread[], stages: Stages) {
    this.key = key;
    this.threads = threads;
    this.#stages = stages;
    this.atoms = atomsOf(threads);
    this.soonest = Math.min(...threads.map(({ way }) => way.limit ?? Number.POSITIVE_INFINITY));
    this.waits = threads.some(({ way }) => way.target === null && way.link !== 'strict');
  }

  /** `truth` has a bit for each of the atoms. */
  reaction(truth: number): Reaction {
    if (truth === 0) {
      this.#idle ??= this.#react(0);
      return this.#idle;
    }
    let reaction = this.#reactions.get(truth);
    if (reaction === undefined) {
      reaction = this.#react(truth);
      this.#reactions.set(truth, reaction);
    }
    return reaction;
  }

  /** When last take + soonest has come. */
  expiry(): Expiry {
    if (this.#expiry === null) {
      const over = this.threads.filter(({ way }) => way.limit === this.soonest);
      const left = this.threads.filter((thread) => !over.includes(thread));
      const completes = over.some(({ way }) => way.target === null);
      const rest = completes ? left.filter(({ way }) => way.target !== null) : left;
      this.#expiry = { next: this.#stages.stageOf(rest), completes };
    }
    return this.#expiry;
  }

  #react(truth: number): Reaction {
    const holds = (atom: Atom | null): boolean => {
      const bit = atom === null ? -1 : this.atoms.length - 1 - this.atoms.indexOf(atom);
      return bit >= 0 && Math.floor(truth / 2 ** bit) % 2 === 1;
    };
    const steps = new Map<number, Spot[]>();
    const open: Thread[] = [];
    let completes = false;
    for (const thread of this.threads) {
      const outcome = outcomeOf(thread, holds);
      if (outcome.left !== null) open.push(outcome.left);
      if (!outcome.fires) continue;
      const { target } = thread.way;
      if (target === null) completes = true;
      else steps.set(target.place.step, [...(steps.get(target.place.step) ?? []), target]);
    }
    const rest = completes ? open.filter(({ way }) => way.target !== null) : open;
    const fires = [...steps].map(([step, spots]): Fire => ({ step, ...this.#stages.arrivalAt(spots) }));
    const next = this.#stages.stageOf(rest);
    return {
      fires: fires.sort((a, b) => a.step - b.step),
      next,
      completes,
      inert: fires.length === 0 && !completes && next === this,
    };
  }
}

interface Outcome {
  readonly fires: boolean;
  readonly left: Thread | null;
}

const ENDED: Outcome = { fires: false, left: null };

function outcomeOf(thread: Thread, holds: (atom: Atom | null) => boolean): Outcome {
  const { way } = thread;
  if (way.absences.some(holds) || way.groupUntils.some(holds)) return ENDED;
  if (thread.fresh && way.strictAbsences.some(holds)) return ENDED;
  const lifted = liftedBy(thread, holds);
  if (lifted === null) return ENDED;
  if (way.target === null) return awaitAbsence(thread, lifted);
  const satisfied = holds(way.take);
  const ended = holds(way.until);
  if (ended && !way.begins) return ENDED;
  const fires = satisfied && !ended && (way.link !== 'strict' || thread.fresh);
  const stays = way.link === 'any' || (way.link === 'relaxed' && !satisfied);
  return { fires, left: stays ? { ...thread, fresh: false, lifted } : null };
}

/** null: a greedy loop that the way has left could take the row. */
function liftedBy({ way, lifted }: Thread, holds: (atom: Atom | null) => boolean): number | null {
  let after = lifted;
  for (const [index, { loop, until }] of way.greedy.entries()) {
    if (holds(until)) after |= 1 << index;
    else if ((after & (1 << index)) === 0 && holds(loop)) return null;
  }
  return after;
}

function awaitAbsence(thread: Thread, lifted: number): Outcome {
  if (thread.way.link === 'strict') return { fires: thread.fresh, left: null };
  return { fires: false, left: { ...thread, fresh: false, lifted } };
}

function atomsOf(threads: readonly Thread[]): Atom[] {
  const atoms = new Set<Atom>();
  for (const { way, fresh, lifted } of threads) {
    const asked = [way.take, way.until, ...way.groupUntils, ...way.absences];
    if (fresh) asked.push(...way.strictAbsences);
    for (const [index, { loop, until }] of way.greedy.entries()) {
      if ((lifted & (1 << index)) === 0) asked.push(loop, until);
    }
    for (const atom of asked) if (atom !== null) atoms.add(atom);
  }
  return [...atoms];
}
