import { checkColumns } from './check-by.ts';
import { type EventInfo, unknownEvent } from './check-events.ts';
import { tableKey } from './check-key.ts';
import type { TableInfo } from './check-tables.ts';
import type { Draft } from './draft.ts';
import { nearest } from './nearest.ts';
import type { PatternInput } from './pattern-plan.ts';
import type { StepTree } from './pattern-steps.ts';
import { didYouMean } from './problem.ts';
import type { Part } from './rule-set.ts';
import type { PatternSpec } from './schema.ts';

/** The rows of a table that enter a pattern under one key. */
export interface CheckedInput {
  readonly table: TableInfo;
  readonly by: readonly string[];
  readonly events: EventInfo[];
  readonly steps: number[];
}

export interface CheckedInputs {
  /** The key's columns, as the first step has them; null: one lane. */
  readonly by: readonly string[] | null;
  /** By step, in the order of `by`. */
  readonly columns: readonly (readonly string[])[];
  readonly inputs: readonly CheckedInput[];
}

/** null: told. */
export function checkInputs(draft: Draft, part: Part<PatternSpec>, tree: StepTree): CheckedInputs | null {
  const keys = new Keys(draft, part);
  if (typeof part.spec.by === 'object' && !Array.isArray(part.spec.by)) keys.checkNames(tree);
  const found = tree.steps.map(({ name, event }) => keys.of(event, { name, what: `step "${name}"` }));
  const columns = found.flatMap((one) => (one === null ? [] : [one]));
  if (columns.length < tree.steps.length || !keys.paired(tree, columns)) return null;
  // One order for all: equal keys have equal texts, and keys of the same columns are one.
  const [first = []] = columns;
  const order = first.map((_, index) => index).sort((a, b) => ((first[a] ?? '') < (first[b] ?? '') ? -1 : 1));
  const sort = (names: readonly string[]) => order.map((index) => names[index] ?? '');
  const sorted = columns.map(sort);
  const inputs: CheckedInput[] = [];
  for (const { event, step } of tree.steps) {
    const input = inputOf(inputs, event.table, sorted[step] ?? []);
    input.steps.push(step);
    if (part.spec.input === undefined && !input.events.includes(event)) input.events.push(event);
  }
  const given = checkGiven(draft, part, { tree, inputs, keys, sort });
  return given ? { by: part.spec.by === undefined ? null : sort(first), columns: sorted, inputs } : null;
}

function inputOf(inputs: CheckedInput[], table: TableInfo, by: readonly string[]): CheckedInput {
  const text = by.join('\n');
  const found = inputs.find((one) => one.table === table && one.by.join('\n') === text);
  if (found !== undefined) return found;
  const input = { table, by, events: [], steps: [] };
  inputs.push(input);
  return input;
}

/** `by` as written: a column, several, or a map by step. */
class Keys {
  readonly #draft: Draft;
  readonly #part: Part<PatternSpec>;

  constructor(draft: Draft, part: Part<PatternSpec>) {
    this.#draft = draft;
    this.#part = part;
  }

  /** null: told. */
  of(event: EventInfo, { name, what }: { readonly name: string; readonly what: string }): string[] | null {
    const { by } = this.#part.spec;
    const spot = this.#part.spot.in('by');
    // A `by` that was taken out is told.
    if (by === undefined) return this.#part.spot.keys.includes('by') ? null : [];
    if (typeof by === 'string' || Array.isArray(by)) return checkColumns(this.#draft, by, { event, spot });
    const columns = by[name];
    if (columns !== undefined) return checkColumns(this.#draft, columns, { event, spot: spot.in(name) });
    if (!spot.keys.includes(name)) {
      const hint = `write by: { …, ${name}: COLUMN }`;
      this.#draft.problems.error(spot.place, `"by" does not say the columns of ${what}`, hint);
    }
    return null;
  }

  checkNames({ steps }: StepTree): void {
    const spot = this.#part.spot.in('by');
    const known = [...steps.map(({ name }) => name), ...(this.#part.spec.input ?? [])];
    for (const name of spot.keys.filter((one) => !known.includes(one) && !one.startsWith('x-'))) {
      const near = didYouMean(nearest(name, known));
      this.#draft.problems.error(spot.in(name).key, `"by" names "${name}", which is no step`, near);
    }
  }

  paired({ steps }: StepTree, columns: readonly (readonly string[])[]): boolean {
    const [first] = columns;
    const odd = columns.findIndex((one) => one.length !== first?.length);
    if (odd < 0) return true;
    const message = `"by" pairs ${first?.length} columns of "${steps[0]?.name}" with ${columns[odd]?.length} of "${steps[odd]?.name}"`;
    this.#draft.problems.error(this.#part.spot.in('by').place, message);
    return false;
  }
}

interface Given {
  readonly tree: StepTree;
  readonly inputs: CheckedInput[];
  readonly keys: Keys;
  readonly sort: (names: readonly string[]) => string[];
}

/** `input: [names]`: these rows enter, whatever the steps are over. */
function checkGiven(draft: Draft, part: Part<PatternSpec>, { tree, inputs, keys, sort }: Given): boolean {
  if (part.spec.input === undefined) return true;
  const spot = part.spot.in('input');
  let ok = true;
  part.spec.input.forEach((name, index) => {
    const event = draft.world.events.get(name);
    if (event === undefined) {
      unknownEvent(name, spot.in(index).place, { ...draft.world, problems: draft.problems });
      ok = false;
      return;
    }
    const own = inputs.filter(({ table }) => table === event.table);
    if (own.length > 0) for (const input of own) input.events.push(event);
    else {
      const columns = keys.of(event, { name, what: `event "${name}"` });
      if (columns === null) ok = false;
      else inputOf(inputs, event.table, sort(columns)).events.push(event);
    }
  });
  return ok && checkCovered(draft, part, tree);
}

/** What a step is over must be among what enters. */
function checkCovered(draft: Draft, { spec, spot }: Part<PatternSpec>, { steps }: StepTree): boolean {
  let ok = true;
  for (const { name, event, spot: at } of steps) {
    const names = [event.table.event, ...event.chain.map((view) => view.name)];
    if (spec.input?.some((one) => names.includes(one))) continue;
    const message = `step "${name}" is over ${event.name}, which "input" (${formatInput(spec.input)}) leaves out`;
    draft.problems.error(
      at.in('event').place,
      message,
      `write input: [${formatInput(spec.input)}, ${event.name}]`,
    );
    ok = false;
  }
  return ok && spot.keys.length > 0;
}

function formatInput(names: readonly string[] | undefined): string {
  return (names ?? []).join(', ');
}

/** Routes the rows of each input, and gives all of their keys one dimension. */
export function planInputs(
  draft: Draft,
  part: Part<PatternSpec>,
  checked: readonly CheckedInput[],
): PatternInput[] {
  const keys = checked.map(({ table, by }) => tableKey(draft, part.spot, { table, columns: by }) ?? 0);
  checked.forEach(({ table }, index) => {
    const first = checked[0]?.table;
    if (first !== undefined) draft.join([first, keys[0] ?? 0], [table, keys[index] ?? 0]);
  });
  return checked.map(({ table, by, events, steps }, index) => ({
    table: draft.world.tables.indexOf(table),
    key: keys[index] ?? 0,
    by: draft.indexes(table, by),
    events: events.map((event) => draft.eventIndex(event)),
    steps,
  }));
}
