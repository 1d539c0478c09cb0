import type { Draft } from './draft.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { MAX_STEPS } from './pattern-plan.ts';
import { type GroupNode, type PatternNode, type StepNode, type StepTree, says } from './pattern-steps.ts';
import { formatPlace } from './problem.ts';
import type { Part } from './rule-set.ts';
import type { PatternSpec } from './schema.ts';
import type { StepSpec } from './schema-patterns.ts';

/** Tells the patterns that are impossible, and gives the `within` of the whole; null: no limit. */
export function checkSequence(draft: Draft, part: Part<PatternSpec>, tree: StepTree): number | null {
  const extra = tree.steps[MAX_STEPS];
  if (extra !== undefined) {
    const message = `a pattern has ${MAX_STEPS} steps at the most, and this has ${tree.steps.length}`;
    draft.problems.error(extra.spot.key, message, 'write two patterns');
  }
  const checker = new SequenceChecker(draft);
  checker.list(tree.elements);
  const whole = wholeWithin(draft, part, tree);
  checkEnd(draft, tree, whole);
  checkWithins(draft, tree, whole);
  return whole;
}

class SequenceChecker {
  readonly #draft: Draft;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  list(elements: readonly PatternNode[]): void {
    elements.forEach((node, index) => {
      const before = elements[index - 1] ?? null;
      if (before === null) this.#first(node);
      if (node.kind === 'absence') this.#absence(node, before);
      else this.#taking(node, before);
      if (node.kind !== 'group') return;
      this.#group(node);
      this.list(node.elements);
    });
  }

  #first(node: PatternNode): void {
    if (node.kind === 'absence') {
      const message = `step "${node.name}" is an absence, and cannot be first: it is judged after an event`;
      this.#draft.problems.error(node.spot.in('not').key, message, 'put a step before it');
    } else if (says(node, 'contiguity')) {
      const message =
        '"contiguity" does nothing on the first step: it says how a step follows the one before';
      this.#draft.problems.warning(node.spot.in('contiguity').key, message);
    }
  }

  #absence(node: StepNode, before: PatternNode | null): void {
    const { name, spec, spot } = node;
    for (const key of ['times', 'optional', 'greedy', 'loop', 'gap', 'until'] as const) {
      if (!says(node, key)) continue;
      const message = `"${key}" on step "${name}": an absence takes nothing`;
      this.#draft.problems.error(spot.in(key).key, message, 'leave it out');
    }
    if (spec.contiguity === 'any') {
      const message = `step "${name}" is an absence: its contiguity is strict or relaxed`;
      this.#draft.problems.error(spot.in('contiguity').place, message);
    }
    if (before === null || before.kind === 'absence' || !before.quantifier.skippable) return;
    const message = `step "${name}" is an absence right after "${before.name}", which is optional`;
    this.#draft.problems.error(
      spot.in('not').key,
      message,
      'write two patterns, one with it and one without',
    );
  }

  #taking(node: Exclude<PatternNode, { kind: 'absence' }> | StepNode, before: PatternNode | null): void {
    const { name, spot, quantifier } = node;
    if (quantifier.skippable && before !== null && before.kind === 'step' && before.quantifier.greedy) {
      const message = `"${name}" is optional, right after "${before.name}", which is greedy`;
      this.#draft.problems.error(
        spot.in('optional').key,
        message,
        'write two patterns, one with it and one without',
      );
    }
    if (says(node, 'until') && !says(node, 'times')) this.#loopOnly(node, 'until');
    else if (says(node, 'until') && quantifier.max !== null && node.spec.times !== undefined) {
      const message = `"until" ends a loop without an upper bound, and "${name}" takes ${node.spec.times}`;
      this.#draft.problems.error(spot.in('until').key, message, `write times: ${quantifier.min}+`);
    }
    for (const key of ['greedy', 'loop', 'gap'] as const) {
      const written = key === 'greedy' ? quantifier.greedy : says(node, key);
      if (written && !says(node, 'times') && node.kind === 'step') this.#loopOnly(node, key);
    }
    if (node.kind === 'group' && says(node, 'loop') && !says(node, 'times')) this.#loopOnly(node, 'loop');
  }

  #loopOnly({ name, spot }: PatternNode, key: keyof StepSpec): void {
    const message = `"${key}" is for loops, and "${name}" takes one event`;
    this.#draft.problems.error(spot.in(key).key, message, 'write times: 1+');
  }

  #group({ name, spot, quantifier, elements }: GroupNode): void {
    if (quantifier.max === 1 || !elements.every(canTakeNothing)) return;
    const message = `group "${name}" is repeated, and all of its steps can be skipped: a round could be empty`;
    this.#draft.problems.error(spot.in('times').key, message, 'let one of its steps be taken');
  }
}

function canTakeNothing(node: PatternNode): boolean {
  if (node.kind === 'absence' || node.quantifier.skippable) return true;
  return node.kind === 'group' && node.elements.every(canTakeNothing);
}

function wholeWithin(draft: Draft, { spec, spot }: Part<PatternSpec>, { steps }: StepTree): number | null {
  const [first] = steps;
  const own = first?.spec.within;
  const [whole, onFirst] = [micros(spec.within), micros(own)];
  if (first !== undefined && whole !== null && onFirst !== null && whole !== onFirst) {
    const other = formatPlace(spot.in('within').place);
    const message = `"within" of the first step is that of the whole, and ${other} says ${spec.within}`;
    draft.problems.error(first.spot.in('within').place, message, 'write one of them');
  }
  return whole ?? onFirst;
}

/** A relaxed absence at the end needs a time at which nothing has come. */
function checkEnd(draft: Draft, { elements, steps }: StepTree, whole: number | null): void {
  const last = trailing(elements);
  for (const node of steps) {
    if (node.kind !== 'absence') continue;
    const { name, spec, spot } = node;
    if (!last.includes(node)) {
      if (!says(node, 'within')) continue;
      const message = `"within" on step "${name}": an absence that is not the last lasts until the step after it`;
      draft.problems.error(spot.in('within').key, message, 'write it on the step after it');
    } else if (spec.contiguity !== 'strict' && whole === null && !says(node, 'within')) {
      const message = `step "${name}" is the last, and an absence: without "within" nothing says when it has not come`;
      const told = [spot.in('not').key, message, 'write how long it may not come, as in within: 5m'] as const;
      // At the end of a group Flink takes it, and never finds a match.
      if (elements.includes(node)) draft.problems.error(...told);
      else draft.problems.warning(...told);
    }
  }
}

/** The absences that no step follows. */
function trailing(elements: readonly PatternNode[]): StepNode[] {
  const found: StepNode[] = [];
  for (const node of elements.toReversed()) {
    if (node.kind === 'group') return [...found, ...trailing(node.elements)];
    if (node.kind === 'step') return found;
    found.push(node);
  }
  return found;
}

function checkWithins(draft: Draft, { steps }: StepTree, whole: number | null): void {
  if (whole === null) return;
  for (const { step, spec, spot, name } of steps) {
    for (const key of ['within', 'gap'] as const) {
      const own = micros(spec[key]);
      if (own === null || own <= whole || (step === 0 && key === 'within')) continue;
      const message = `"${key}" of step "${name}" is longer than that of the whole, ${formatDuration(whole)}`;
      draft.problems.error(spot.in(key).place, message);
    }
  }
}

export function micros(text: string | undefined): number | null {
  return text === undefined ? null : parseDuration(text);
}
