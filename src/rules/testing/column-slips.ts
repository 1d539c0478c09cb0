import { levenshtein, nearest } from '../nearest.ts';
import type { Plan, TablePlan } from '../plan.ts';

/** More names than any table has columns: those of a file of something else are not kept. */
const MOST_NAMES = 2_000;
/** Shorter names are like each other by chance: `id`, `ip`. */
const TELLING = 4;

/**
 * Events may have columns that no rule uses. One whose name is nearly that of a column which rules use, and which no
 * event of the file has, is most likely a slip: the rules saw NULL.
 */
export class ColumnSlips {
  readonly #plan: Plan;
  readonly #given = new Map<number, Set<string>>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  see(table: number, names: Iterable<string>): void {
    const given = this.#given.get(table) ?? new Set();
    this.#given.set(table, given);
    for (const name of names) if (given.size < MOST_NAMES) given.add(name);
  }

  warnings(): string[] {
    return [...this.#given].flatMap(([table, given]) => {
      const plan = this.#plan.tables[table];
      return plan === undefined ? [] : slipsOf(plan, given);
    });
  }
}

function slipsOf({ event, columns, time }: TablePlan, given: ReadonlySet<string>): string[] {
  const unknown = [...given].filter((name) => columns.every((column) => column.name !== name));
  // The `time` column has `at` where it is not given.
  const missing = columns.filter(({ name }, index) => index !== time && !given.has(name));
  return missing.flatMap(({ name }) => {
    const near = nearest(name, unknown);
    if (near === null || !isSlip(near, name)) return [];
    return `no line gives "${name}" of event "${event}", which rules use, and "${near}" is passed over: did you mean ${name}?`;
  });
}

/** Two letters that changed places are two edits. */
function isSlip(given: string, name: string): boolean {
  if (Math.min(given.length, name.length) < TELLING) return false;
  return levenshtein(given.toLowerCase(), name.toLowerCase()) <= 2;
}
