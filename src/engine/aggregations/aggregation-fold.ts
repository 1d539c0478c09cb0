import type { Micros } from '../../events/row.ts';
import type { AggregationPlan } from '../../rules/aggregation-plan.ts';
import { bury } from '../dead-letters.ts';
import type { AggregateDelta, Outputs } from '../outputs.ts';
import type { AggregationProgram } from '../program.ts';
import type { RowContext } from '../row-context.ts';
import { keptCell } from '../value.ts';
import { Tally } from './tally.ts';

const HOME = 1;

interface Group {
  readonly plan: AggregationPlan;
  readonly bucket: Micros;
  readonly by: readonly (string | null)[];
  readonly tally: Tally;
  commits: Micros;
}

/**
 * The aggregates' part of a fold: tallies of the rows whose home this is. They hold nothing between batches: the
 * commit adds them to what other partitions, and batches before, have tallied.
 */
export class AggregationFold {
  /** By aggregate, then by bucket and group. */
  readonly #groups = new Map<string, Map<string, Group>>();
  readonly #outputs: Outputs;

  constructor(outputs: Outputs) {
    this.#outputs = outputs;
  }

  /** The row at hand, which is not late. A truncate is no row. */
  enter(context: RowContext): void {
    const { row, table } = context;
    if ((row.roles & HOME) === 0 || row.op === 'truncate') return;
    for (const aggregate of table.aggregates) {
      if (this.#bears(aggregate, context)) this.#add(aggregate, context);
    }
  }

  /** The batch is at its end: what it adds becomes outputs. */
  end(): void {
    for (const groups of this.#groups.values())
      for (const group of groups.values()) this.#outputs.aggregates.push(deltaOf(group));
  }

  #bears({ plan, input }: AggregationProgram, context: RowContext): boolean {
    try {
      return context.bears(input.eventIndex);
    } catch (error) {
      bury({ rule: plan.id, event: input.event, error }, context, this.#outputs);
      return false;
    }
  }

  #add({ plan, input }: AggregationProgram, { row }: RowContext): void {
    const { cells } = row;
    const by = input.by.map((column) => {
      if (column === 'event') return input.event;
      const cell = column === null ? null : cells[column];
      return typeof cell === 'string' ? cell : null;
    });
    const group = this.#group(plan, Math.floor(row.at / plan.every) * plan.every, by);
    const { tally } = group;
    group.commits += row.commitAt - group.bucket;
    tally.row(row);
    input.values.forEach((value, index) => {
      const text = value === null ? null : keptCell(cells[value.column], value.pgType);
      if (text !== null) tally.column(index).add(text);
    });
  }

  #group(plan: AggregationPlan, bucket: Micros, by: readonly (string | null)[]): Group {
    let groups = this.#groups.get(plan.id);
    if (groups === undefined) {
      groups = new Map();
      this.#groups.set(plan.id, groups);
    }
    const key = `${bucket} ${JSON.stringify(by)}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { plan, bucket, by, tally: new Tally(plan), commits: 0 };
      groups.set(key, group);
    }
    return group;
  }
}

function deltaOf({ plan, bucket, by, tally, commits }: Group): AggregateDelta {
  return { aggregate: plan.id, bucket, group: by, tally: tally.save(), commits };
}
