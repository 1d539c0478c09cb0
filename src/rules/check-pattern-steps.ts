import type { Look } from './cel/result.ts';
import { checkBool, checkCel, checkSplit, type MatchParts } from './check-condition.ts';
import { mentions } from './check-lets.ts';
import { micros } from './check-sequence.ts';
import type { Draft } from './draft.ts';
import type { ElementPlan, GroupUntil, StepPlan } from './pattern-plan.ts';
import type { GroupNode, PatternNode, StepNode, StepTree } from './pattern-steps.ts';
import type { Condition } from './plan-parts.ts';

export interface StepParts {
  readonly tree: StepTree;
  readonly match: MatchParts;
  /** Names whose mistakes are told. */
  readonly broken: ReadonlySet<string>;
}

/** The conditions of the steps. */
export function planSteps(draft: Draft, parts: StepParts): StepPlan[] {
  return parts.tree.steps.map((node) => planStep(draft, node, parts));
}

function planStep(draft: Draft, node: StepNode, { tree, match, broken }: StepParts): StepPlan {
  const { name, spec, spot, event, step } = node;
  const asked = { table: event.table, lets: [], match };
  const skip = (source: string | undefined) => source === undefined || mentions(source, broken);
  const when = skip(spec.when)
    ? null
    : checkSplit(draft, { ...asked, source: spec.when ?? '', spot: spot.in('when') });
  const until = skip(spec.until)
    ? null
    : checkCel(draft, { ...asked, source: spec.until ?? '', spot: spot.in('until'), expected: 'bool' });
  warnOfNothing(draft, node, { tree, asked: 'when', looks: when?.looks ?? [] });
  warnOfNothing(draft, node, { tree, asked: 'until', looks: until?.looks ?? [] });
  return {
    name,
    table: draft.world.tables.indexOf(event.table),
    eventIndex: draft.eventIndex(event),
    rowWhen: when?.row ?? null,
    matchWhen: when?.match ?? null,
    until: until === null ? null : (until.run as Condition),
    untilLooksBack: (until?.looks.length ?? 0) > 0,
    // That of the first step is the whole's.
    within: step === 0 ? null : micros(spec.within),
    gap: micros(spec.gap),
  };
}

interface Looking {
  readonly tree: StepTree;
  readonly asked: 'when' | 'until';
  readonly looks: readonly Look[];
}

/** A step that comes later has taken nothing yet, unless a round of its group went before. */
function warnOfNothing(draft: Draft, node: StepNode, { tree, asked, looks }: Looking): void {
  if (node.repeated) return;
  const early = looks.find(({ step }) => step > node.step || (step === node.step && node.single));
  if (early === undefined) return;
  const { name } = tree.steps[early.step] ?? node;
  const when = early.step === node.step ? 'here' : `before step "${node.name}"`;
  const message = `step "${name}" has taken nothing ${when}: its events are unknown, and it counts 0`;
  draft.problems.warning(node.spot.in(asked).place, message, 'look at the steps before');
}

export function planSequence(
  draft: Draft,
  elements: readonly PatternNode[],
  parts: StepParts,
): readonly ElementPlan[] {
  return elements.map((node): ElementPlan => {
    const { quantifier, spec } = node;
    const { contiguity = 'relaxed' } = spec;
    if (node.kind === 'absence') {
      return { kind: 'absence', step: node.step, contiguity: contiguity === 'any' ? 'relaxed' : contiguity };
    }
    if (node.kind !== 'group') return { kind: 'step', step: node.step, contiguity, quantifier };
    const inside = planSequence(draft, node.elements, parts);
    const until = planUntil(draft, node, parts);
    return { kind: 'group', elements: inside, until, contiguity, quantifier };
  });
}

/** Asked of rows, which are of one table. */
function planUntil(draft: Draft, node: GroupNode, { match, broken }: StepParts): GroupUntil | null {
  const source = node.spec.until;
  if (source === undefined || mentions(source, broken)) return null;
  const spot = node.spot.in('until');
  const tables = [...new Set(leaves(node).map(({ event }) => event.table))];
  const [table, other] = tables;
  if (table === undefined) return null;
  if (other !== undefined) {
    const message = `"until" of group "${node.name}" looks at rows of one table, and its steps are over ${table.event} and ${other.event}`;
    draft.problems.error(spot.key, message, 'write it on one of its steps');
    return null;
  }
  const asked = { table, source, spot, lets: [], match, expected: 'bool' } as const;
  const result = checkCel(draft, asked);
  if (result === null) return null;
  const looksBack = result.looks.length > 0;
  return { table: draft.world.tables.indexOf(table), when: result.run as Condition, looksBack };
}

function leaves(node: PatternNode): StepNode[] {
  return node.kind === 'group' ? node.elements.flatMap(leaves) : [node];
}

/** A condition of a whole match. */
export function checkWhole(
  draft: Draft,
  source: string,
  parts: Omit<Parameters<typeof checkBool>[1], 'table' | 'source'>,
): Condition | null {
  return checkBool(draft, { ...parts, table: null, source });
}
