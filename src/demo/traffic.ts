import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { COUNTRIES, FAR } from './countries.ts';
import { type Random, seeded } from './random.ts';
import { Stories, type Story } from './stories.ts';
import { type Payment, type Visit, write } from './visit.ts';

interface Customer {
  readonly user: number;
  readonly country: string;
  readonly device: string;
  /** What they usually spend. */
  readonly usual: number;
}

const CUSTOMERS = 200;
const THEFTS = ['large', 'burst', 'abroad'] as const;
/** One theft in so many visits: some seconds apart at the default pace. */
const VISITS_A_THEFT = 120;
/** A fraud sequence takes about six seconds: one begins every 15 to 20. */
const FRAUDS = { firstMs: 2_000, restMs: 10_000, moreMs: 3_500 } as const;
/** Until the guard refuses it takes about as long. */
const CARDS = { firstMs: 6_000, restMs: 12_000, moreMs: 6_000 } as const;
const OTHER_STORIES = { firstMs: 12_000, restMs: 20_000, moreMs: 10_000 } as const;

/** Customers who look, log in and pay, and now and then a thief: the same seed makes the same people. */
export class Traffic {
  readonly #pool: Pool;
  readonly #random: Random;
  /** Of the stories, which go by the clock: theirs must not change what customers do. */
  readonly #pace: Random;
  readonly #stories: Stories;
  readonly #customers: readonly Customer[];
  readonly #refused: (why: string) => void;
  #visits = 0;

  /** `refused` hears of every visit that a guard refuses. */
  constructor(pool: Pool, refused: (why: string) => void, seed = 7) {
    this.#pool = pool;
    this.#refused = refused;
    this.#random = seeded(seed);
    this.#pace = seeded(seed + 1);
    this.#stories = new Stories(this.#pace, CUSTOMERS);
    this.#customers = Array.from({ length: CUSTOMERS }, (_, index) => ({
      user: index + 1,
      country: this.#random.pick(COUNTRIES),
      device: `device-${index + 1}`,
      usual: 5 + Math.floor(this.#random.next() * 120),
    }));
  }

  /** Writes until the signal aborts: about `perSecond` visits of customers a second, and the stories beside them. */
  async run(perSecond: number, signal: AbortSignal): Promise<void> {
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    const parts = [
      this.#visit(perSecond, stop),
      this.#tell(() => this.#stories.fraudSequence(), FRAUDS, stop),
      this.#tell(() => this.#stories.stolenCards(), CARDS, stop),
      this.#tell(() => this.#stories.other(), OTHER_STORIES, stop),
    ];
    try {
      await Promise.all(parts);
    } finally {
      failed.abort(); // one that failed ends the others, and nothing is written after run() has ended
      await Promise.allSettled(parts);
    }
  }

  async #visit(perSecond: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const started = performance.now();
      for (const visit of this.#next()) await this.#write(visit);
      await pause(1_000 / perSecond - (performance.now() - started), signal);
    }
  }

  async #tell(
    next: () => Story,
    pace: Record<keyof typeof FRAUDS, number>,
    signal: AbortSignal,
  ): Promise<void> {
    await pause(pace.firstMs, signal);
    while (!signal.aborted) {
      for (const { afterMs, visit } of next()) {
        await pause(afterMs, signal);
        if (signal.aborted) return;
        await this.#write(visit);
      }
      await pause(pace.restMs + this.#pace.next() * pace.moreMs, signal);
    }
  }

  async #write(visit: Visit): Promise<void> {
    const why = await write(this.#pool, visit);
    if (why !== null) this.#refused(why);
  }

  #next(): readonly Visit[] {
    this.#visits += 1;
    const customer = this.#random.pick(this.#customers);
    return this.#visits % VISITS_A_THEFT === 0 ? this.#theft(customer) : [this.#shopping(customer)];
  }

  #shopping(customer: Customer): Visit {
    const { user, country } = customer;
    const amount = Math.round(customer.usual * (0.5 + this.#random.next()) * 100) / 100;
    const kind = this.#random.pick(['view', 'view', 'view', 'click', 'login', 'purchase', 'logout'] as const);
    const item = kind === 'login' || kind === 'logout' ? {} : { item: this.#item() };
    return {
      behaviors: [{ user, kind, country, ...item }],
      payments: kind === 'purchase' || this.#random.next() < 0.2 ? [payment(customer, amount)] : [],
    };
  }

  #theft(customer: Customer): readonly Visit[] {
    const kind = this.#random.pick(THEFTS);
    switch (kind) {
      case 'large':
        return [
          only({ ...payment(customer, 10_500 + Math.floor(this.#random.next() * 9_000)), type: 'transfer' }),
        ];
      case 'burst':
        return Array.from({ length: 14 }, () => only(payment(customer, 1 + this.#random.next() * 9)));
      case 'abroad': {
        const away = { ...customer, country: this.#random.pick(FAR), device: 'device-unknown' };
        const amount = this.#random.pick([900, 12_000]);
        return [
          only(payment(customer, customer.usual)),
          only({ ...payment(away, amount), type: 'transfer' }),
        ];
      }
    }
  }

  #item(): string {
    return `item-${1 + Math.floor(this.#random.next() ** 2 * 40)}`;
  }
}

function payment({ user, country, device }: Customer, amount: number): Payment {
  return { user, amount, type: 'payment', country, device };
}

function only(one: Payment): Visit {
  return { payments: [one] };
}

/** Until the time is over, or the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
