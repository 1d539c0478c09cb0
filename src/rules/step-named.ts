import type { Draft } from './draft.ts';
import { nearest } from './nearest.ts';
import type { StepTree } from './pattern-steps.ts';
import { didYouMean } from './problem.ts';
import type { Spot } from './yaml-document.ts';

/** The number of a step that takes events; null: told. */
export function stepNamed(
  draft: Draft,
  name: string,
  { tree, at }: { readonly tree: StepTree; readonly at: Spot },
): number | null {
  const found = tree.steps.find((one) => one.name === name);
  if (found?.kind === 'step') return found.step;
  if (found === undefined && tree.broken.has(name)) return null;
  const taking = tree.steps.filter(({ kind }) => kind === 'step').map((one) => one.name);
  const group = tree.groups.some((one) => one.name === name);
  const message =
    found !== undefined
      ? `step "${name}" is an absence: it takes nothing`
      : group
        ? `"${name}" is a group, and not a step`
        : `there is no step "${name}"`;
  draft.problems.error(at.place, message, didYouMean(nearest(name, taking)));
  return null;
}
