import type { Micros } from '../../events/row.ts';
import type { Value } from '../../rules/plan-parts.ts';
import type { Definition } from './definition.ts';
import type { Partial } from './partial.ts';
import type { PendingRows } from './pending-rows.ts';
import type { Stage } from './stage.ts';

/** The living partial matches of one stage, in the order of their last takes. */
export interface Group {
  readonly stage: Stage;
  first: Partial | null;
  last: Partial | null;
  next: Group | null;
}

/** A whole match that waits until no older partial match is alive (`emit: in_order`). */
export interface Finished {
  readonly last: Partial;
  readonly lets: readonly Value[];
  /** Of matches that were completed by one row, or by one move of time, it is the same. */
  readonly moment: number;
  /** When it was completed. */
  readonly at: Micros;
}

/** What saved state has to learn of what it knows already; what is new is told by its number. */
export interface Journal {
  /** Partial matches that it knows, and that are in another stage now, or have ended. */
  touched: Partial[];
  /** Rows that it knows as pending, and that have been handed on. */
  handed: number[];
  /** Finished matches that it knows, and that have come out or were dropped: the ids of their last takes. */
  gone: number[];
}

/** The state of one key of one pattern. */
export class Lane {
  /** Living partial matches: by first take, then by id. */
  first: Partial | null = null;
  last: Partial | null = null;
  groups: Group | null = null;
  /** How many partial matches live. */
  size = 0;
  /** The next free numbers. */
  nextId = 1;
  nextSeq = 1;
  nextMoment = 1;
  /** A timer wakes it then, or before; Infinity: none does. */
  wakeAt: Micros = Number.POSITIVE_INFINITY;
  /** Its place on the clock of lanes that stay objects; null: it has none. */
  hot: 'used' | 'unused' | null = null;
  /** Whether saved state has to learn anything. */
  dirty = false;
  /** Whether saved state has anything of the lane. */
  saved = false;
  /** All that saved state has is over. */
  cleared = false;
  /** Saved state knows what has a smaller number. */
  savedId = 1;
  savedSeq = 1;
  savedMoment = 1;
  pending: PendingRows | null = null;
  finished: Finished[] | null = null;
  journal: Journal | null = null;
  /** Kept, so that a row that changes nothing need not look at partial matches; NaN: has to be found anew. */
  #deadline: Micros = Number.POSITIVE_INFINITY;

  /** Nothing is in it: it need not be kept. */
  get empty(): boolean {
    return this.size === 0 && (this.pending?.size ?? 0) === 0 && (this.finished?.length ?? 0) === 0;
  }

  /** When a partial match times out, or an absence has held, unless rows come before; Infinity: never. */
  nextDeadline(definition: Definition): Micros {
    if (Number.isNaN(this.#deadline)) this.#deadline = this.#findDeadline(definition);
    return this.#deadline;
  }

  #findDeadline(definition: Definition): Micros {
    const { first } = this;
    if (first === null) return Number.POSITIVE_INFINITY;
    let next = first.root.row.at + definition.within;
    for (let group = this.groups; group !== null; group = group.next) {
      if (group.first === null) continue;
      const soonest = group.first.row.at + group.stage.soonest;
      if (soonest < next) next = soonest;
    }
    return next;
  }

  /** When the lane must be looked at next: once W + 1 has come so far. */
  due(definition: Definition): Micros {
    const deadline = this.nextDeadline(definition);
    return Math.min(deadline, this.pending?.firstAt ?? Number.POSITIVE_INFINITY);
  }

  /** A new partial match lives. Its first take is the latest, or it has living kin. */
  add(partial: Partial, stage: Stage): void {
    partial.stage = stage;
    this.#link(partial);
    this.#join(partial, stage);
    this.dirty = true;
  }

  /** Living partial matches of saved state: by first take, then by id. */
  restore(partials: readonly Partial[]): void {
    for (const partial of partials) this.#link(partial);
    for (const partial of [...partials].sort((a, b) => a.id - b.id)) {
      if (partial.stage !== null) this.#join(partial, partial.stage);
    }
  }

  move(partial: Partial, stage: Stage | null): void {
    if (partial.stage === null || partial.stage === stage) return;
    this.#deadline = Number.NaN;
    this.#touch(partial);
    this.#part(partial, partial.stage);
    partial.stage = stage;
    if (stage === null) this.#unlink(partial);
    else this.#join(partial, stage);
  }

  /** Groups of which nothing is left. */
  dropEmptyGroups(): void {
    let before: Group | null = null;
    for (let group = this.groups; group !== null; group = group.next) {
      if (group.first !== null) before = group;
      else if (before === null) this.groups = group.next;
      else before.next = group.next;
    }
  }

  get journaled(): Journal {
    this.journal ??= { touched: [], handed: [], gone: [] };
    return this.journal;
  }

  /** With nothing in it, a lane is as good as new: numbers begin again, whatever it has been. */
  resetIfEmpty(): void {
    if (!this.empty || this.nextId + this.nextSeq === 2) return;
    this.groups = null;
    this.pending = null;
    this.finished = null;
    this.journal = null;
    this.nextId = 1;
    this.nextSeq = 1;
    this.nextMoment = 1;
    this.savedId = 1;
    this.savedSeq = 1;
    this.savedMoment = 1;
    this.cleared = true;
    this.dirty = true;
  }

  /** Saved state knows everything now. */
  markSaved(): void {
    for (const partial of this.journal?.touched ?? []) partial.touched = false;
    this.journal = null;
    this.dirty = false;
    this.cleared = false;
    this.saved = !this.empty;
    this.savedId = this.nextId;
    this.savedSeq = this.nextSeq;
    this.savedMoment = this.nextMoment;
  }

  #link(partial: Partial): void {
    const { root } = partial;
    const before = root.tail ?? this.last;
    const after = before === null ? null : before.after;
    partial.before = before;
    partial.after = after;
    if (before === null) this.first = partial;
    else before.after = partial;
    if (after === null) this.last = partial;
    else after.before = partial;
    root.tail = partial;
    this.size += 1;
    this.#deadline = Number.NaN;
  }

  #touch(partial: Partial): void {
    this.dirty = true;
    if (partial.touched || partial.id >= this.savedId) return;
    partial.touched = true;
    this.journaled.touched.push(partial);
  }

  #unlink(partial: Partial): void {
    const { before, after, root } = partial;
    if (before === null) this.first = after;
    else before.after = after;
    if (after === null) this.last = before;
    else after.before = before;
    if (root.tail === partial) root.tail = before !== null && before.root === root ? before : null;
    partial.before = null;
    partial.after = null;
    this.size -= 1;
  }

  #join(partial: Partial, stage: Stage): void {
    const group = this.#groupOf(stage);
    let before = group.last;
    // Almost always the newest; those that change their stage are the older ones of it.
    while (before !== null && before.id > partial.id) before = before.groupBefore;
    const after = before === null ? group.first : before.groupAfter;
    partial.groupBefore = before;
    partial.groupAfter = after;
    if (before === null) group.first = partial;
    else before.groupAfter = partial;
    if (after === null) group.last = partial;
    else after.groupBefore = partial;
  }

  #part(partial: Partial, stage: Stage): void {
    const group = this.#groupOf(stage);
    const { groupBefore, groupAfter } = partial;
    if (groupBefore === null) group.first = groupAfter;
    else groupBefore.groupAfter = groupAfter;
    if (groupAfter === null) group.last = groupBefore;
    else groupAfter.groupBefore = groupBefore;
    partial.groupBefore = null;
    partial.groupAfter = null;
  }

  #groupOf(stage: Stage): Group {
    for (let group = this.groups; group !== null; group = group.next) if (group.stage === stage) return group;
    const group: Group = { stage, first: null, last: null, next: this.groups };
    this.groups = group;
    return group;
  }
}
