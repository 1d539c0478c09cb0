import type { Op } from '../events/row.ts';
import type { Plan, TablePlan } from '../rules/plan.ts';
import type { ExistingPublication, ExistingTable } from './existing-publications.ts';

/** Why the publications do not carry what a plan needs. */
export interface PublicationProblem {
  readonly kind: 'recreated' | 'missing' | 'table' | 'column' | 'operations' | 'filtered' | 'wide' | 'twice';
  readonly publication: string | null;
  /** Names the thing and its value. */
  readonly message: string;
}

/**
 * Do the publications that exist carry what the plan needs? More than it needs is fine: a stream under another rule
 * set stays valid. `recorded`: the OIDs that the instance was made with; null: none yet.
 */
export function checkPublications(
  plan: Pick<Plan, 'tables'>,
  existing: readonly ExistingPublication[],
  recorded: Readonly<Record<string, number>> | null,
): readonly PublicationProblem[] {
  return [
    ...checkOids(existing, recorded ?? {}),
    ...existing.filter(({ wide }) => wide).map(wide),
    ...plan.tables.flatMap((table) => checkTable(table, existing)),
  ];
}

function checkOids(
  existing: readonly ExistingPublication[],
  recorded: Readonly<Record<string, number>>,
): readonly PublicationProblem[] {
  return Object.entries(recorded).flatMap(([name, oid]): PublicationProblem[] => {
    const found = existing.find((publication) => publication.name === name);
    if (found === undefined) {
      return [{ kind: 'missing', publication: name, message: `publication "${name}" is gone` }];
    }
    if (found.oid === oid) return [];
    const message = `publication "${name}" was dropped and recreated (OID ${found.oid}, recorded ${oid}): WAL written before cannot be decoded with it`;
    return [{ kind: 'recreated', publication: name, message }];
  });
}

function checkTable(
  table: Pick<TablePlan, 'schema' | 'name' | 'ops' | 'columns'>,
  existing: readonly ExistingPublication[],
): readonly PublicationProblem[] {
  const full = `${table.schema}.${table.name}`;
  const places = existing.flatMap((publication) =>
    publication.tables
      .filter(({ schema, name }) => schema === table.schema && name === table.name)
      .map((published) => ({ publication, published })),
  );
  const [place, second] = places;
  if (place === undefined) {
    return [{ kind: 'table', publication: null, message: `table ${full} is in no publication of Weir` }];
  }
  const { publication, published } = place;
  const problems = [...checkOperations(table.ops, publication, full), ...checkColumns(table, place)];
  if (published.filtered) {
    const message = `publication "${publication.name}" filters the rows of ${full}`;
    problems.push({ kind: 'filtered', publication: publication.name, message });
  }
  if (second !== undefined) {
    const message = `table ${full} is in "${publication.name}" and in "${second.publication.name}"`;
    problems.push({ kind: 'twice', publication: publication.name, message });
  }
  return problems;
}

function checkOperations(
  ops: readonly Op[],
  publication: ExistingPublication,
  full: string,
): PublicationProblem[] {
  const absent = ops.filter((op) => !publication.ops.includes(op));
  if (absent.length === 0) return [];
  const message = `publication "${publication.name}" does not publish ${absent.join(', ')} of ${full}`;
  return [{ kind: 'operations', publication: publication.name, message }];
}

function checkColumns(
  table: Pick<TablePlan, 'schema' | 'name' | 'columns'>,
  { publication, published }: { publication: ExistingPublication; published: ExistingTable },
): PublicationProblem[] {
  const { columns } = published;
  if (columns === null) return [];
  const absent = table.columns.filter(({ name }) => !columns.includes(name)).map(({ name }) => name);
  if (absent.length === 0) return [];
  const message = `publication "${publication.name}" does not carry ${absent.map((name) => `"${name}"`).join(', ')} of ${table.schema}.${table.name}`;
  return [{ kind: 'column', publication: publication.name, message }];
}

function wide({ name }: ExistingPublication): PublicationProblem {
  const message = `publication "${name}" is FOR ALL TABLES or FOR TABLES IN SCHEMA`;
  return { kind: 'wide', publication: name, message };
}
