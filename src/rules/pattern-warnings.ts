import type { Draft } from './draft.ts';
import type { PatternNode, StepNode, StepTree } from './pattern-steps.ts';
import type { Part } from './rule-set.ts';
import type { PatternSpec } from './schema.ts';

interface SequenceParts {
  readonly tree: StepTree;
  readonly within: number | null;
}

/** What is possible, and rarely meant. */
export function warnOfSequence(draft: Draft, part: Part<PatternSpec>, { tree, within }: SequenceParts): void {
  warnOfOverlaps(draft, tree.elements);
  if (part.spec.after_match !== 'no_skip' || within !== null) return;
  for (const { spec, spot, name } of [...tree.steps, ...tree.groups]) {
    const key = (['contiguity', 'loop'] as const).find((one) => spec[one] === 'any');
    if (key === undefined) continue;
    const message = `"${name}" takes any later event, nothing is skipped after a match, and there is no "within": partial matches never end`;
    draft.problems.warning(spot.in(key).place, message, 'write within: 10m');
    return;
  }
}

/** An absence that the event of a neighbour satisfies. */
function warnOfOverlaps(draft: Draft, elements: readonly PatternNode[]): void {
  elements.forEach((node, index) => {
    if (node.kind === 'group') warnOfOverlaps(draft, node.elements);
    if (node.kind !== 'absence') return;
    const around = [
      [nearestLeaf(elements[index - 1], -1), 'after'],
      [nearestLeaf(elements[index + 1], 0), 'before'],
    ] as const;
    for (const [neighbour, where] of around) {
      if (neighbour === null || neighbour.kind === 'absence' || !overlaps(node, neighbour)) continue;
      const message = `what step "${neighbour.name}" takes can satisfy the absence "${node.name}" right ${where} it`;
      draft.problems.warning(node.spot.key, message, 'give it a condition that the step does not meet');
    }
  });
}

function nearestLeaf(node: PatternNode | undefined, index: 0 | -1): StepNode | null {
  if (node === undefined) return null;
  return node.kind === 'group' ? nearestLeaf(node.elements.at(index), index) : node;
}

/** The same rows by what is written: the same condition, or none, on the same event or a view of it. */
function overlaps(absence: StepNode, step: StepNode): boolean {
  if (absence.event === step.event) {
    const [a, b] = [absence.spec.when?.trim(), step.spec.when?.trim()];
    return a === undefined || b === undefined || a === b;
  }
  return covers(absence, step) || covers(step, absence);
}

/** Every row of the other's event is one of its own. */
function covers({ event, spec }: StepNode, { event: other }: StepNode): boolean {
  if (spec.when !== undefined || event.table !== other.table) return false;
  return (
    event.chain.length < other.chain.length && event.chain.every((view, index) => view === other.chain[index])
  );
}
