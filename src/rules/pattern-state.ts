import { createHash } from 'node:crypto';
import type { CheckedInputs } from './check-inputs.ts';
import type { TableInfo } from './check-tables.ts';
import type { Draft } from './draft.ts';
import type { ElementPlan, PatternPlan } from './pattern-plan.ts';
import type { StepNode, StepTree } from './pattern-steps.ts';

interface StateParts {
  readonly plan: Omit<PatternPlan, 'state'>;
  readonly inputs: CheckedInputs;
}

/**
 * What partial matches depend on: which pattern's they are, which rows enter, what takes them, and in which cells their
 * columns are. Not the names of the steps, nor what is done with a match; but where matches wait, with their values.
 */
export function stateOf(draft: Draft, tree: StepTree, { plan, inputs }: StateParts): string {
  const rows = inputs.inputs.map(({ table, by, events, steps }) => [
    tableText(draft, table),
    by,
    events.map(({ chain }) => chain.map(({ spec }) => spec.when?.trim() ?? '')),
    steps,
  ]);
  const { id, sequence, within, afterMatch, emit, aggregates } = plan;
  const order = sequence.map((element) => elementText(element, tree));
  const values = emit === 'in_order' ? plan.lets.map(({ kind, name, type }) => [kind, name, type]) : [];
  const all = [id, rows, tree.steps.map(stepText), order, within, afterMatch, emit, values, aggregates];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 32);
}

/** Rows are kept as they are: with the number of their table, and their cells in the order of its columns. */
function tableText(draft: Draft, table: TableInfo): unknown {
  const number = draft.world.tables.indexOf(table);
  const columns = draft.columns(table).map(({ name, pgType }) => [name, pgType]);
  return [number, `${table.schema}.${table.name}`, table.time, table.ops, columns];
}

function stepText({ kind, spec, event }: StepNode): unknown {
  const { when, until, within, gap } = spec;
  const views = event.chain.map((view) => view.spec.when?.trim() ?? '');
  return [kind, event.table.name, views, when?.trim(), until?.trim(), within, gap];
}

/** Closures are left out: their texts are those of the steps. */
function elementText(element: ElementPlan, tree: StepTree): unknown {
  if (element.kind !== 'group') return element;
  const { elements, until, ...parts } = element;
  const texts = tree.groups.map(({ spec }) => spec.until?.trim());
  return [parts, elements.map((one) => elementText(one, tree)), until === null ? null : texts];
}
