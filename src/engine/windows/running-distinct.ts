import type { Cell } from '../../events/row.ts';
import type { ValueType } from '../../rules/plan-parts.ts';
import { RunningAggregate } from './running.ts';

/** How many values of a window differ, by how often each is in it. NULLs are skipped. */
export class RunningDistinct extends RunningAggregate {
  readonly #type: ValueType;
  readonly #times = new Map<string, number>();

  constructor(value: number, type: ValueType) {
    super(value);
    this.#type = type;
  }

  get distinct(): number {
    return this.#times.size;
  }

  /** Whether an equal value is among them. */
  has(text: string): boolean {
    return this.#times.has(identityOf(text, this.#type));
  }

  protected enter(cell: Cell): void {
    if (typeof cell !== 'string') return;
    const identity = identityOf(cell, this.#type);
    this.#times.set(identity, (this.#times.get(identity) ?? 0) + 1);
  }

  protected leave(cell: Cell): void {
    if (typeof cell !== 'string') return;
    const identity = identityOf(cell, this.#type);
    const times = this.#times.get(identity) ?? 0;
    if (times > 1) this.#times.set(identity, times - 1);
    else this.#times.delete(identity);
  }

  protected clear(): void {
    this.#times.clear();
  }
}

/** Texts of equal values are made one: numeric keeps zeros at its end (1.0 and 1.00), and there is a -0. */
export function identityOf(text: string, type: ValueType): string {
  if (type !== 'double') return text;
  const number = text.includes('.') && !text.includes('e') ? text.replace(/\.?0+$/, '') : text;
  return number === '-0' ? '0' : number;
}
