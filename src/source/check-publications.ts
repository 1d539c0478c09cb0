import type { Op } from '../events/row.ts';
import type { Plan, TablePlan } from '../rules/plan.ts';
import type { ExistingPublication, ExistingTable } from './existing-publications.ts';

/** Why the publications do not carry what a plan needs. */
export interface PublicationProblem {
  readonly kind: 'recreated' | 'missing' | 'table' | 'column' | 'operations' | 'filtered' | 'wide' | 'lists';
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
  if (places.length === 0) {
    return [{ kind: 'table', publication: null, message: `table ${full} is in no publication of Weir` }];
  }
  const problems = places.flatMap((place) => checkPlace(table, place, full));
  // While rules change a table may be in two; PostgreSQL wants one column list then.
  const lists = new Set(places.map(({ published }) => JSON.stringify(published.columns)));
  if (lists.size > 1) {
    const names = places.map(({ publication }) => `"${publication.name}"`).join(', ');
    problems.push({
      kind: 'lists',
      publication: null,
      message: `table ${full} has different column lists in ${names}`,
    });
  }
  if (!places.some(({ publication }) => table.ops.every((op) => publication.ops.includes(op)))) {
    const [{ publication }] = places as [(typeof places)[number]];
    problems.push(operations(table.ops, publication, full));
  }
  return problems;
}

interface Place {
  readonly publication: ExistingPublication;
  readonly published: ExistingTable;
}

function checkPlace(
  table: Pick<TablePlan, 'columns'>,
  { publication, published }: Place,
  full: string,
): PublicationProblem[] {
  const problems: PublicationProblem[] = [];
  if (published.filtered) {
    const message = `publication "${publication.name}" filters the rows of ${full}`;
    problems.push({ kind: 'filtered', publication: publication.name, message });
  }
  const { columns } = published;
  const absent =
    columns === null
      ? []
      : table.columns.filter(({ name }) => !columns.includes(name)).map(({ name }) => name);
  if (absent.length > 0) {
    const message = `publication "${publication.name}" does not carry ${absent.map((name) => `"${name}"`).join(', ')} of ${full}`;
    problems.push({ kind: 'column', publication: publication.name, message });
  }
  return problems;
}

function operations(ops: readonly Op[], publication: ExistingPublication, full: string): PublicationProblem {
  const absent = ops.filter((op) => !publication.ops.includes(op));
  const message = `publication "${publication.name}" does not publish ${absent.join(', ')} of ${full}`;
  return { kind: 'operations', publication: publication.name, message };
}

function wide({ name }: ExistingPublication): PublicationProblem {
  const message = `publication "${name}" is FOR ALL TABLES or FOR TABLES IN SCHEMA`;
  return { kind: 'wide', publication: name, message };
}
