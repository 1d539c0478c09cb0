export interface NotReady {
  /** Stable, for machines: `source-connecting`, `partition-stalled`. */
  readonly reason: string;
  /** For people: names the thing, and the fix where there is one. */
  readonly detail: string;
  readonly since: Date;
}

/**
 * Why this process is not ready, as the rooms say it. A reason stays until the room that set it clears it;
 * ready is: no reason is set.
 */
export class Health {
  readonly #reasons = new Map<string, NotReady>();
  readonly #now: () => Date;

  constructor(now: () => Date = () => new Date()) {
    this.#now = now;
  }

  /** Setting it again changes the detail, never `since`. */
  set(reason: string, detail: string): void {
    const since = this.#reasons.get(reason)?.since ?? this.#now();
    this.#reasons.set(reason, { reason, detail, since });
  }

  clear(reason: string): void {
    this.#reasons.delete(reason);
  }

  get ready(): boolean {
    return this.#reasons.size === 0;
  }

  /** Oldest first. */
  get reasons(): readonly NotReady[] {
    return [...this.#reasons.values()];
  }
}
