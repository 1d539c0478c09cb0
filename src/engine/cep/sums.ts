import type { Row } from '../../events/row.ts';
import { fromText } from '../../rules/cel/cells.ts';
import type { AggregatePlan } from '../../rules/pattern-plan.ts';
import type { Value } from '../../rules/plan-parts.ts';
import { withEveryDigit } from '../digits.ts';
import { keptCell } from '../value.ts';
import { ExactSum } from '../windows/exact-sum.ts';
import { compareValues } from '../windows/order.ts';
import { identityOf } from '../windows/running-distinct.ts';

/** By index of `PatternPlan.aggregates`: what the takes so far add up to; null: its step has taken no value. */
export type Sums = readonly (Running | null)[];

export const NO_SUMS: Sums = [];

/** Never changed: partial matches that part share what they have in common. */
export interface Running {
  plus(text: string): Running;
  value(): Value;
}

/** The aggregates of one pattern, kept take by take. */
export class Summing {
  readonly #plans: readonly AggregatePlan[];
  readonly #empty: Sums;
  readonly #start: readonly ((text: string) => Running)[];
  /** By step: the aggregates over it. */
  readonly #ofStep: (readonly number[])[];

  constructor(plans: readonly AggregatePlan[], steps: number) {
    this.#plans = plans;
    this.#empty = plans.map(() => null);
    this.#start = plans.map(startOf);
    this.#ofStep = Array.from({ length: steps }, (_, step) =>
      plans.flatMap((plan, index) => (plan.step === step ? [index] : [])),
    );
  }

  /** After one more take. */
  after(before: Sums | null, step: number, row: Row): Sums {
    const sums = before ?? this.#empty;
    const indexes = this.#ofStep[step] ?? [];
    if (indexes.length === 0) return sums;
    const next = [...sums];
    for (const index of indexes) {
      const plan = this.#plans[index] as AggregatePlan;
      const text = keptCell(row.cells[plan.column], plan.pgType);
      if (text === null) continue;
      next[index] = next[index]?.plus(text) ?? (this.#start[index] as (text: string) => Running)(text);
    }
    return next;
  }

  /** As SQL has it: of no values the sum and the distinct values are 0, the others unknown. */
  value(sums: Sums | null, index: number): Value {
    const running = sums?.[index] ?? null;
    if (running !== null) return running.value();
    const fn = this.#plans[index]?.fn;
    return fn === 'sum' || fn === 'distinct' ? 0 : null;
  }

  /** As `value`, but a sum is text where a double does not hold every digit. */
  told(sums: Sums | null, index: number): Value {
    const running = sums?.[index] ?? null;
    return running instanceof Sum ? running.told() : this.value(sums, index);
  }
}

function startOf({ fn, type, pgType }: AggregatePlan): (text: string) => Running {
  if (fn === 'sum' || fn === 'avg') return (text) => new Sum(new ExactSum(), fn === 'avg').plus(text);
  if (fn === 'distinct')
    return (text) => new Distinct(identityOf(text, type), 1, null, (of) => identityOf(of, type));
  const read = fromText(type, pgType);
  const sign = fn === 'min' ? -1 : 1;
  return (text) => new Extreme(read(text), sign, read);
}

class Sum implements Running {
  readonly #sum: ExactSum;
  readonly #average: boolean;

  constructor(sum: ExactSum, average: boolean) {
    this.#sum = sum;
    this.#average = average;
  }

  plus(text: string): Sum {
    const sum = this.#sum.copy();
    sum.add(text);
    return new Sum(sum, this.#average);
  }

  value(): Value {
    return this.#average ? this.#sum.average() : this.#sum.total();
  }

  told(): Value {
    const text = this.#average || this.#sum.fitsDouble ? null : this.#sum.text();
    return text === null ? this.value() : withEveryDigit(this.#sum.total(), text);
  }
}

class Extreme implements Running {
  readonly #value: Value;
  readonly #sign: 1 | -1;
  readonly #read: (text: string) => Value;

  constructor(value: Value, sign: 1 | -1, read: (text: string) => Value) {
    this.#value = value;
    this.#sign = sign;
    this.#read = read;
  }

  plus(text: string): Extreme {
    const value = this.#read(text);
    return compareValues(value, this.#value) * this.#sign > 0
      ? new Extreme(value, this.#sign, this.#read)
      : this;
  }

  value(): Value {
    return this.#value;
  }
}

/** The values so far as a list that its copies share. */
class Distinct implements Running {
  readonly #identity: string;
  readonly #size: number;
  readonly #rest: Distinct | null;
  readonly #identityOf: (text: string) => string;

  constructor(identity: string, size: number, rest: Distinct | null, identityOf: (text: string) => string) {
    this.#identity = identity;
    this.#size = size;
    this.#rest = rest;
    this.#identityOf = identityOf;
  }

  plus(text: string): Distinct {
    const identity = this.#identityOf(text);
    for (let known: Distinct | null = this; known !== null; known = known.#rest) {
      if (known.#identity === identity) return this;
    }
    return new Distinct(identity, this.#size + 1, this, this.#identityOf);
  }

  value(): Value {
    return this.#size;
  }
}
