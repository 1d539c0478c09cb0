import { type Cell, OPS, UNCHANGED } from '../events/row.ts';
import type { Plan, TablePlan } from '../rules/plan.ts';
import type { AskedLetter } from './asked-letters.ts';
import type { Batcher, OutgoingRow } from './batcher.ts';
import type { Relation } from './change.ts';
import { project, Router } from './route.ts';
import type { EventClock } from './time.ts';

export const INSERT = 0;
export const UPDATE = 1;
export const DELETE = 2;
export const TRUNCATE = 3;
export const NO_CELLS: readonly Cell[] = [];

/** A row of a published table, as it was read. */
export interface RowChange {
  /** Index into `OPS`. */
  readonly op: number;
  readonly relation: Relation;
  readonly row: readonly Cell[];
  readonly old: readonly Cell[] | null;
  readonly bytes: number;
}

interface SenderOptions {
  readonly partitions: number;
  readonly batcher: Batcher;
  readonly onRows: (event: string, count: number) => void;
}

/** Rows under one rule set: each is stamped with its time, and goes to the partitions that its keys hash to. */
export class RowSender {
  readonly #tables: readonly TablePlan[];
  readonly #clock: EventClock;
  readonly #options: SenderOptions;
  readonly #router: Router;
  readonly #counts: number[];
  /** One for all rows: the batcher copies it. */
  readonly #parts: OutgoingRow = {
    ...{ table: 0, op: 0, late: false, transaction: 0, ordinal: 0, at: 0, watermark: 0, roles: 0 },
    ...{ cells: NO_CELLS, old: null },
  };

  constructor(plan: Pick<Plan, 'tables'>, clock: EventClock, options: SenderOptions) {
    this.#tables = plan.tables;
    this.#clock = clock;
    this.#options = options;
    this.#router = new Router(plan, options.partitions);
    this.#counts = plan.tables.map(() => 0);
  }

  /** If a rule looks at its table and operation. */
  send({ op, relation, row, old, bytes }: RowChange, ordinal: number): void {
    const projection = this.#router.projection(relation);
    if (projection === null || (projection.ops & (1 << op)) === 0) return;
    const { table } = projection;
    const oldCells = old === null ? null : project(projection, old);
    const cells = op === TRUNCATE ? row : filled(project(projection, row), oldCells);
    this.#clock.stamp(table, cells);
    this.#router.route(table, cells);
    this.#counts[table] = (this.#counts[table] as number) + 1;
    const parts = this.#parts;
    parts.table = table;
    parts.op = op;
    parts.ordinal = ordinal;
    parts.at = this.#clock.at;
    parts.watermark = this.#clock.watermark;
    parts.late = this.#clock.late;
    parts.cells = cells;
    parts.old = oldCells;
    const { targets, roles, count } = this.#router;
    for (let i = 0; i < count; i++) {
      parts.roles = roles[i] as number;
      this.#options.batcher.add(targets[i] as number, parts, bytes);
    }
  }

  /** To the partition of the rule's key alone, and late whatever its time is: the windows have gone on. */
  sendLetter({ id, position, rule, change, cells, old }: AskedLetter, ordinal: number): void {
    const parts = this.#parts;
    parts.table = rule.table;
    parts.op = OPS.indexOf(change.op);
    parts.ordinal = ordinal;
    parts.at = change.at;
    parts.watermark = this.#clock.watermarks()[rule.table] ?? -Infinity;
    parts.late = true;
    parts.cells = cells;
    parts.old = old;
    const { partition, role } = this.#router.partitionFor(rule, cells);
    parts.roles = role;
    const letter = { id, rule: rule.id, position, commitAt: change.commitAt };
    this.#options.batcher.addLetter(partition, parts, letter);
  }

  /** Tells how many rows of each event were sent since the last time. */
  tell(): void {
    for (let table = 0; table < this.#counts.length; table++) {
      const count = this.#counts[table] as number;
      if (count === 0) continue;
      this.#options.onRows((this.#tables[table] as TablePlan).event, count);
      this.#counts[table] = 0;
    }
  }
}

/** An unchanged TOAST value that the old row has is known after all. */
function filled(cells: readonly Cell[], old: readonly Cell[] | null): readonly Cell[] {
  if (old === null || !cells.includes(UNCHANGED)) return cells;
  return cells.map((cell, i) => (cell === UNCHANGED && typeof old[i] === 'string' ? (old[i] as Cell) : cell));
}
