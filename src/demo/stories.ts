import { COUNTRIES, FAR } from './countries.ts';
import type { Random } from './random.ts';
import type { Payment, Visit } from './visit.ts';

/** A visit, and how long after the one before it. */
export interface Scene {
  readonly afterMs: number;
  readonly visit: Visit;
}

/** Visits that are harmless one by one: what patterns are for. */
export type Story = readonly Scene[];

const OTHERS = ['cardTesting', 'accountTakeover', 'muleAccount'] as const;

/** Stories of thieves, each about people and devices that no other story and no customer has. */
export class Stories {
  readonly #random: Random;
  #people: number;
  #others = 0;

  /** People are numbered from `people` on. */
  constructor(random: Random, people: number) {
    this.#random = random;
    this.#people = people;
  }

  /** A login at home, large transfers from far away in a hurry, a logout. */
  fraudSequence(): Story {
    const user = this.#person();
    const home = this.#random.pick(COUNTRIES);
    const from: Pick<Payment, 'country' | 'device'> = {
      country: this.#random.pick(FAR),
      device: `device-${user}`,
    };
    const transfers = Array.from({ length: 2 + this.#random.int(2) }, (): Scene => {
      const amount = 2_600 + this.#random.int(3_000);
      return scene(1_500, { payments: [{ ...from, user, amount, type: 'transfer' }] });
    });
    return [
      scene(0, { behaviors: [{ user, kind: 'login', country: home }] }),
      ...transfers,
      scene(1_500, { behaviors: [{ user, kind: 'logout', country: home }] }),
    ];
  }

  /** One device pays with the cards of several people, until a guard stops it. */
  stolenCards(): Story {
    const device = `device-${this.#person()}`;
    const home = this.#random.pick(COUNTRIES);
    const victims = Array.from({ length: 4 }, () => this.#person());
    const last = victims.at(-1) ?? 0;
    const pay = (user: number, some: Partial<Payment>): Visit => ({
      payments: [
        { user, amount: 20 + this.#random.int(60), type: 'payment', country: home, device, ...some },
      ],
    });
    const away = {
      type: 'transfer',
      country: this.#random.pick(FAR),
      amount: 700 + this.#random.int(300),
    } as const;
    return [
      scene(0, pay(last, { device: `device-${last}` })),
      ...victims.slice(0, -1).map((user) => scene(800, pay(user, {}))),
      scene(1_200, pay(last, away)),
      scene(2_000, pay(last, away)),
    ];
  }

  /** The other stories, in turn. */
  other(): Story {
    const kind = OTHERS[this.#others % OTHERS.length];
    this.#others += 1;
    switch (kind) {
      case 'accountTakeover':
        return this.#accountTakeover();
      case 'muleAccount':
        return this.#muleAccount();
      default:
        return this.#cardTesting();
    }
  }

  /** Stolen cards are tried on one device with small amounts, until one is good for a large one. */
  #cardTesting(): Story {
    const device = `device-${this.#person()}`;
    const country = this.#random.pick(COUNTRIES);
    const pay = (amount: number, status: 'declined' | 'approved'): Visit => ({
      payments: [{ user: this.#person(), amount, type: 'payment', country, device, status }],
    });
    const probes = Array.from({ length: 6 }, () => scene(500, pay(1 + this.#random.next() * 3, 'declined')));
    return [...probes, scene(1_000, pay(250 + this.#random.int(400), 'approved'))];
  }

  #accountTakeover(): Story {
    const user = this.#person();
    const country = this.#random.pick(COUNTRIES);
    const device = `device-new-${user}`;
    const amount = 300 + this.#random.int(600);
    return [
      scene(0, { behaviors: [{ user, kind: 'password_change', country }] }),
      scene(2_000, { devices: [{ user, device }] }),
      scene(2_000, { payments: [{ user, amount, type: 'transfer', country, device }] }),
    ];
  }

  /** Money of several people comes in, and goes on to one account. */
  #muleAccount(): Story {
    const mule = this.#person();
    const country = this.#random.pick(COUNTRIES);
    const send = (user: number, receiver: number, amount: number): Visit => ({
      payments: [{ user, receiver, amount, type: 'transfer', country, device: `device-${user}` }],
    });
    const amounts = Array.from({ length: 3 }, () => 150 + this.#random.int(300));
    const total = amounts.reduce((sum, amount) => sum + amount, 0);
    return [
      ...amounts.map((amount) => scene(1_000, send(this.#person(), mule, amount))),
      scene(2_000, send(mule, this.#person(), Math.floor(total * 0.95))),
    ];
  }

  #person(): number {
    this.#people += 1;
    return this.#people;
  }
}

function scene(afterMs: number, visit: Visit): Scene {
  return { afterMs, visit };
}
