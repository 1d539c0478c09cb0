import { WeirError } from '../errors.ts';
import { bucketOf, keyText, LANE_KEY, partitionOf } from '../events/keys.ts';
import { type Cell, OPS, type Op } from '../events/row.ts';
import type { Plan, RulePlan, TableKey, TablePlan } from '../rules/plan.ts';
import type { Relation } from './change.ts';

export const HOME_ROLE = 1;

/** How the rows of a published table become the rows of a plan. */
export interface Projection {
  readonly relation: Relation;
  readonly table: number;
  /** Bit i: the plan captures `OPS[i]`. */
  readonly ops: number;
  /** For each of `TablePlan.columns`: where the published row has it. */
  readonly columns: readonly number[];
  /** The published row is the plan's row as it is. */
  readonly same: boolean;
}

/** Where a rule judges a row, and the row's role there. */
export interface RuleTarget {
  readonly partition: number;
  readonly role: number;
}

/**
 * Where a row goes: to each partition that one of its keys hashes to, and home (the partition of its first key
 * that is not NULL, else of its primary key). A lane has rows of all tables, and is home to none. `route` leaves its answer in `targets`, `roles` and `count`.
 */
export class Router {
  /** The partitions of the row routed last, home first. */
  readonly targets: Int32Array;
  /** Their roles for it: bit 0 home, bit i + 1 `TablePlan.keys[i]`. */
  readonly roles: Int32Array;
  count = 0;
  readonly #tables: readonly TablePlan[];
  /** By table: the role of its lane; 0: it has none. */
  readonly #lanes: readonly number[];
  readonly #byName: ReadonlyMap<string, number>;
  readonly #partitions: number;
  /** By the table's OID; null: the plan does not use it. */
  readonly #projections = new Map<number, { relation: Relation; projection: Projection | null }>();

  constructor(plan: Pick<Plan, 'tables'>, partitions: number) {
    this.#tables = plan.tables;
    this.#lanes = plan.tables.map(laneRole);
    this.#byName = new Map(plan.tables.map((table, i) => [`${table.schema}.${table.name}`, i]));
    this.#partitions = partitions;
    this.targets = new Int32Array(partitions);
    this.roles = new Int32Array(partitions);
  }

  /** null: no rule looks at this table. */
  projection(relation: Relation): Projection | null {
    const cached = this.#projections.get(relation.oid);
    if (cached !== undefined && cached.relation === relation) return cached.projection;
    const table = this.#byName.get(`${relation.schema}.${relation.name}`);
    const projection = table === undefined ? null : this.#project(relation, table);
    this.#projections.set(relation.oid, { relation, projection });
    return projection;
  }

  route(table: number, cells: readonly Cell[]): void {
    const plan = this.#tables[table] as TablePlan;
    this.count = 0;
    for (let i = 0; i < plan.keys.length; i++) {
      const key = plan.keys[i] as TableKey;
      const text = isLane(key) ? null : keyText(cells, key.columns);
      if (text !== null) this.#target(this.#partition(text), 1 << (i + 1));
    }
    if (this.count === 0) this.#target(this.#partition(homeText(plan, cells)), 0);
    this.roles[0] = (this.roles[0] as number) | HOME_ROLE;
    const lane = this.#lanes[table] as number;
    if (lane !== 0) this.#target(this.#partition(LANE_KEY), lane);
  }

  /** The one partition that judges a row by the rule: where the rule's key lives, or at the row's home without one. */
  partitionFor({ table, key }: Pick<RulePlan, 'table' | 'key'>, cells: readonly Cell[]): RuleTarget {
    this.route(table, cells);
    const bit = key === null ? 0 : 1 << (key + 1);
    for (let i = 0; i < this.count; i++) {
      if (((this.roles[i] as number) & bit) !== 0) return { partition: this.targets[i] as number, role: bit };
    }
    return { partition: this.targets[0] as number, role: HOME_ROLE };
  }

  #target(partition: number, role: number): void {
    for (let i = 0; i < this.count; i++) {
      if (this.targets[i] !== partition) continue;
      this.roles[i] = (this.roles[i] as number) | role;
      return;
    }
    this.targets[this.count] = partition;
    this.roles[this.count] = role;
    this.count++;
  }

  #partition(text: string): number {
    return partitionOf(bucketOf(text), this.#partitions);
  }

  #project(relation: Relation, table: number): Projection {
    const plan = this.#tables[table] as TablePlan;
    const columns = plan.columns.map(({ name }) => {
      const index = relation.columns.findIndex((column) => column.name === name);
      if (index < 0) throw notPublished(relation, name);
      return index;
    });
    const same =
      columns.length === relation.columns.length && columns.every((index, column) => index === column);
    return { relation, table, ops: opsMask(plan.ops), columns, same };
  }
}

/** 0: the table has none. */
function laneRole({ keys }: TablePlan): number {
  const lane = keys.findIndex(isLane);
  return lane < 0 ? 0 : 1 << (lane + 1);
}

function isLane({ columns }: TableKey): boolean {
  return columns.length === 0;
}

/** The row in the order of `TablePlan.columns`. */
export function project(projection: Projection, row: readonly Cell[]): readonly Cell[] {
  if (projection.same) return row;
  const { columns } = projection;
  const cells = new Array<Cell>(columns.length);
  for (let i = 0; i < columns.length; i++) cells[i] = row[columns[i] as number] as Cell;
  return cells;
}

/** A row without any key lives where its primary key says; without that, where its whole text says. */
function homeText(plan: TablePlan, cells: readonly Cell[]): string {
  const primaryKey = plan.primaryKey.length === 0 ? null : keyText(cells, plan.primaryKey);
  if (primaryKey !== null) return primaryKey;
  return cells.length === 0 ? `${plan.schema}.${plan.name}` : JSON.stringify(cells);
}

function opsMask(ops: readonly Op[]): number {
  return ops.reduce((mask, op) => mask | (1 << OPS.indexOf(op)), 0);
}

function notPublished(relation: Relation, column: string): WeirError {
  return new WeirError({
    code: 'WEIR_COLUMN_NOT_PUBLISHED',
    message: `column "${column}" of ${relation.schema}.${relation.name} is used by the rules, but its publication does not carry it`,
    hint: 'run `weir init --apply` with these rules: it alters the publication',
    retry: 'after-operator',
  });
}
