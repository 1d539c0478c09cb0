import type { Plan, TablePlan } from '../../../src/rules/plan.ts';
import type { Relation } from '../../../src/source/change.ts';

export const SECOND = 1_000_000;

export function table(parts: Partial<TablePlan> = {}): TablePlan {
  return {
    schema: 'public',
    name: 'payments',
    event: parts.name ?? 'payments',
    events: [],
    ops: ['insert'],
    columns: [
      { name: 'id', pgType: 'int8', type: 'double' },
      { name: 'user_id', pgType: 'int4', type: 'double' },
      { name: 'at', pgType: 'timestamptz', type: 'timestamp' },
    ],
    time: null,
    lateness: 0,
    ahead: 60 * SECOND,
    idle: 30 * SECOND,
    id: [0],
    primaryKey: [0],
    keys: [{ dimension: 0, columns: [1] }],
    ...parts,
  };
}

export function plan(version: string, tables: readonly TablePlan[]): Plan {
  return {
    version,
    tables,
    rules: [],
    patterns: [],
    stores: [],
    scoring: new Map(),
    aggregates: [],
    lists: new Map(),
  };
}

export function relation(oid: number, name: string, columns: readonly string[]): Relation {
  return {
    oid,
    schema: 'public',
    name,
    replicaIdentity: 'default',
    columns: columns.map((column) => ({ name: column, typeOid: 25, typmod: -1, key: column === 'id' })),
  };
}
