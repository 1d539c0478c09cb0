import { z } from 'zod';
import type { Micros } from '../../events/row.ts';
import type { AggregationPlan, MeasuredColumn, MeasurePlan } from '../../rules/aggregation-plan.ts';
import { fromText } from '../../rules/cel/cells.ts';
import type { ReadValue } from '../value.ts';
import { ExactSum } from '../windows/exact-sum.ts';
import { compareValues } from '../windows/order.ts';

/** What is kept of one column in one group: exact, and added up in any order. */
const savedColumn = z.object({
  count: z.int(),
  /** All digits; NaN and the infinities as PostgreSQL writes them. null: it is no number. */
  sum: z.string().nullable(),
  min: z.string().nullable(),
  max: z.string().nullable(),
});

/** JSON of a tally: what weir.aggregates keeps of a group, and a partition adds to it. */
export const savedTally = z.object({
  rows: z.int(),
  /** Sum of commit − event time, µs. */
  latency: z.number(),
  /** Sum of effect − commit, µs. */
  effect: z.number(),
  /** By name. */
  columns: z.record(z.string(), savedColumn),
});
export type SavedTally = z.infer<typeof savedTally>;

/** The rows of one group in one bucket, counted and added up. */
export class Tally {
  rows = 0;
  latency = 0;
  effect = 0;
  readonly #plan: AggregationPlan;
  /** By index of the plan's values. */
  readonly #columns: readonly ColumnTally[];

  constructor(plan: AggregationPlan) {
    this.#plan = plan;
    this.#columns = plan.values.map((column) => new ColumnTally(column));
  }

  /** `times` of a row; its cells go to `column`. */
  row({ at, commitAt }: { readonly at: Micros; readonly commitAt: Micros }): void {
    this.rows += 1;
    this.latency += commitAt - at;
  }

  column(index: number): ColumnTally {
    return this.#columns[index] as ColumnTally;
  }

  /** What another has tallied. Columns that the plan does not measure are left. */
  merge(saved: SavedTally): void {
    this.rows += saved.rows;
    this.latency += saved.latency;
    this.effect += saved.effect;
    this.#plan.values.forEach(({ name }, index) => {
      const column = saved.columns[name];
      if (column !== undefined) this.column(index).merge(column);
    });
  }

  save(): SavedTally {
    const columns = this.#plan.values.map(({ name }, index) => [name, this.column(index).save()] as const);
    const { rows, latency, effect } = this;
    return { rows, latency, effect, columns: Object.fromEntries(columns) };
  }

  /** JSON of the measures by name, with every digit. */
  measuresJson(): string {
    const told = this.#plan.measures.map((measure) => {
      return `${JSON.stringify(measure.name)}:${this.#measure(measure)}`;
    });
    return `{${told.join()}}`;
  }

  #measure(measure: MeasurePlan): string {
    switch (measure.kind) {
      case 'count':
        return String(this.rows);
      case 'latency':
        return seconds(this.latency, this.rows);
      case 'effect_latency':
        return seconds(this.effect, this.rows);
      default:
        return this.column(measure.value).tell(measure.kind);
    }
  }
}

function seconds(micros: number, rows: number): string {
  return rows === 0 ? 'null' : String(micros / rows / 1e6);
}

/** Count, sum, least and greatest of a column's known values. */
export class ColumnTally {
  readonly #sum = new ExactSum();
  #min: string | null = null;
  #max: string | null = null;
  readonly #isNumber: boolean;
  readonly #read: ReadValue;

  constructor({ type }: MeasuredColumn) {
    this.#isNumber = type === 'double';
    this.#read = fromText(type, '');
  }

  /** A value in PostgreSQL's text. */
  add(text: string): void {
    if (this.#isNumber) this.#sum.add(text);
    else this.#sum.count += 1;
    this.#extremes(text);
  }

  merge({ count, sum, min, max }: z.infer<typeof savedColumn>): void {
    if (count === 0) return;
    // The sum of so many values comes as one.
    if (sum !== null) this.#sum.add(sum);
    this.#sum.count += sum === null ? count : count - 1;
    if (min !== null) this.#extremes(min);
    if (max !== null) this.#extremes(max);
  }

  save(): z.infer<typeof savedColumn> {
    const sum = this.#isNumber ? this.#digits() : null;
    return { count: this.#sum.count, sum, min: this.#min, max: this.#max };
  }

  /** JSON of a measure; as in SQL, of no values there is none. */
  tell(kind: 'sum' | 'avg' | 'min' | 'max'): string {
    if (this.#sum.count === 0) return 'null';
    switch (kind) {
      case 'sum':
        return this.#json(this.#digits());
      case 'avg':
        return this.#json(String(this.#sum.average()));
      case 'min':
        return this.#json(this.#min);
      case 'max':
        return this.#json(this.#max);
    }
  }

  #extremes(text: string): void {
    if (this.#min === null || this.#compare(text, this.#min) < 0) this.#min = text;
    if (this.#max === null || this.#compare(text, this.#max) > 0) this.#max = text;
  }

  #compare(a: string, b: string): number {
    return compareValues(this.#read(a), this.#read(b));
  }

  #digits(): string {
    return this.#sum.text() ?? String(this.#sum.total());
  }

  /** Numbers with their digits; what JSON has no number for, as text. */
  #json(text: string | null): string {
    return this.#isNumber && text !== null && Number.isFinite(Number(text)) ? text : JSON.stringify(text);
  }
}
