import type { Pool } from 'pg';
import { type Random, seeded } from './random.ts';

/** One visit of the demo's writer to the database: rows of one transaction. */
interface Visit {
  readonly behaviors: readonly { user: number; kind: string; item: string | null; country: string }[];
  readonly payments: readonly {
    user: number;
    amount: number;
    type: string;
    country: string;
    device: string;
  }[];
}

interface Customer {
  readonly user: number;
  readonly country: string;
  readonly device: string;
  /** What they usually spend. */
  readonly usual: number;
}

const COUNTRIES = ['DE', 'FR', 'ES', 'NL', 'PL', 'IT'] as const;
const FAR = ['BR', 'NG', 'VN', 'US'] as const;
const THEFTS = ['large', 'burst', 'abroad'] as const;
/** One theft in so many visits: some seconds apart at the default pace. */
const VISITS_A_THEFT = 120;

/** Customers who look, log in and pay, and now and then a thief: the same seed makes the same people. */
export class Traffic {
  readonly #pool: Pool;
  readonly #random: Random;
  readonly #customers: readonly Customer[];
  #visits = 0;
  rows = 0;

  constructor(pool: Pool, seed = 7) {
    this.#pool = pool;
    this.#random = seeded(seed);
    this.#customers = Array.from({ length: 200 }, (_, index) => ({
      user: index + 1,
      country: this.#random.pick(COUNTRIES),
      device: `device-${index + 1}`,
      usual: 5 + Math.floor(this.#random.next() * 120),
    }));
  }

  /** Writes until the signal aborts, about `perSecond` visits a second. */
  async run(perSecond: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const started = performance.now();
      for (const visit of this.#next()) await this.#write(visit);
      const rest = 1_000 / perSecond - (performance.now() - started);
      if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    }
  }

  #next(): readonly Visit[] {
    this.#visits += 1;
    const customer = this.#random.pick(this.#customers);
    return this.#visits % VISITS_A_THEFT === 0 ? this.#theft(customer) : [this.#shopping(customer)];
  }

  #shopping(customer: Customer): Visit {
    const amount = Math.round(customer.usual * (0.5 + this.#random.next()) * 100) / 100;
    const kind = this.#random.pick(['view', 'view', 'view', 'click', 'login', 'purchase', 'logout'] as const);
    return {
      behaviors: [{ user: customer.user, kind, item: this.#item(kind), country: customer.country }],
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

  #item(kind: string): string | null {
    return kind === 'login' || kind === 'logout'
      ? null
      : `item-${1 + Math.floor(this.#random.next() ** 2 * 40)}`;
  }

  async #write(visit: Visit): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query('begin');
      for (const b of visit.behaviors) {
        await client.query(
          'insert into user_behavior (user_id, behavior_type, item_id, country) values ($1, $2, $3, $4)',
          [b.user, b.kind, b.item, b.country],
        );
      }
      for (const p of visit.payments) {
        await client.query(
          'insert into transactions (user_id, amount, type, country, device_id) values ($1, $2, $3, $4, $5)',
          [p.user, p.amount.toFixed(2), p.type, p.country, p.device],
        );
      }
      await client.query('commit');
      this.rows += visit.behaviors.length + visit.payments.length;
    } finally {
      client.release();
    }
  }
}

function payment(customer: Customer, amount: number): Visit['payments'][number] {
  return { user: customer.user, amount, type: 'payment', country: customer.country, device: customer.device };
}

function only(one: Visit['payments'][number]): Visit {
  return { behaviors: [], payments: [one] };
}
